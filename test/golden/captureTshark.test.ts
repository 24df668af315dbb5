import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeCapture } from "../../engine/trace/pcapng";
import type { TcpOptions } from "../../engine/network/tcp/tcp";
import { MICROSECOND, SECOND, TcpNetwork } from "../support/tcpNetwork";

/** A port that no dissector claims: the payload is a pattern. */
const PORT = 40_000;

/** A transfer of `bytes` from host 0 over a 1 Gb/s link that loses the given share of the packets; both ends close. */
function transfer(bytes: number, loss: number, options: Partial<TcpOptions> = {}): TcpNetwork {
  const net = new TcpNetwork(options, options);
  const [c] = net.open(PORT);
  let state = 20_240_601;
  const free = [0, 0];
  net.channel = (packet, from) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    free[from] = Math.max(free[from]!, net.time) + net.packets.frameLength(packet) * 8000;
    return (state >>> 8) / 2 ** 24 < loss ? [] : [free[from]! - net.time + 50 * MICROSECOND];
  };
  const [a, b] = net.hosts;
  let left = bytes;
  const write = (): void => {
    left -= a.stack.send(c, left);
    if (left === 0) a.stack.shutdown(c);
  };
  a.onWritable = write;
  let got = 0;
  b.onReadable = (conn) => {
    got += b.stack.receive(conn, Infinity);
    if (b.stack.atEof(conn)) b.stack.close(conn);
  };
  write();
  assert.ok(net.run(1000 * SECOND));
  assert.equal(got, bytes);
  return net;
}

function retransmissions(net: TcpNetwork): number {
  return net.hosts
    .map(({ stack: { counters: k } }) => k.retransmittedByTimeout + k.retransmittedFast + k.retransmittedBySack + k.retransmittedSyn)
    .reduce((x, y) => x + y);
}

describe("captures read by tshark", function () {
  let folder: string;

  before(function () {
    if (spawnSync("tshark", ["--version"]).error !== undefined) {
      console.log("      tshark is not installed: captures are not compared with it");
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "exoscope-capture-"));
  });

  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** Lines that tshark prints for a capture of all packets, each as it was sent. */
  function tshark(net: TcpNetwork, filter: string, ...fields: readonly string[]): string[] {
    const file = join(folder, "capture.pcapng");
    writeFileSync(file, writeCapture(net.packets, ["wire"], net.sent.map(({ packet, time }) => ({ packet, time, interface: 0 }))));
    const output = execFileSync("tshark", [
      "-r", file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y", filter, "-T", "fields",
      ...(fields.length > 0 ? fields : ["frame.number"]).flatMap((field) => ["-e", field]),
    ], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return output.split("\n").filter((line) => line !== "");
  }

  it("finds nothing malformed, no wrong checksum and nothing to warn of without loss", () => {
    const net = transfer(300_000, 0);
    assert.deepEqual(tshark(net, "_ws.malformed || tcp.checksum.status != 1 || ip.checksum.status != 1"), []);
    assert.deepEqual(tshark(net, "_ws.expert.severity >= warning", "_ws.expert.message"), []);
    assert.equal(tshark(net, "tcp").length, net.sent.length);
    assert.equal(tshark(net, "tcp.analysis.flags && !tcp.analysis.window_update").length, 0);
  });

  it("reads the same headers that were written", () => {
    const net = transfer(20_000, 0);
    const { packets } = net;
    const lines = tshark(net, "tcp", "ip.src", "tcp.srcport", "tcp.seq_raw", "tcp.ack_raw", "tcp.window_size_value", "tcp.len", "tcp.options.timestamp.tsval", "frame.time_epoch");
    assert.deepEqual(lines, net.sent.map(({ packet: p, time, from }) => [
      `10.0.0.${from + 1}`, packets.sourcePort(p), packets.sequence(p), packets.acknowledgement(p), packets.window(p), packets.payloadLength(p),
      packets.timestampValue(p), (Math.floor(time / 1000) / 1e9).toFixed(9),
    ].join("\t")));
  });

  it("sees a corrupted packet as one with a wrong checksum", () => {
    const net = transfer(20_000, 0);
    const victim = net.sent.find(({ packet }) => net.packets.payloadLength(packet) > 1000)!.packet;
    net.packets.corrupt(victim, 8 * 500 + 3);
    assert.equal(tshark(net, "tcp.checksum.status == 0").length, 1);
  });

  for (const sack of [true, false]) {
    for (const loss of [0.001, 0.01, 0.05]) {
      it(`counts the same retransmissions at ${loss * 100} % loss (${sack ? "SACK" : "NewReno"})`, () => {
        const net = transfer(2_000_000, loss, { sack });
        // The packets stand in the file as they left their sender, in order. What tshark takes for "out of order" there is a retransmission less
        // than a round trip after the highest segment.
        const seen = tshark(net, "tcp.analysis.retransmission || tcp.analysis.fast_retransmission || tcp.analysis.spurious_retransmission || tcp.analysis.out_of_order");
        assert.equal(seen.length, retransmissions(net));
        assert.ok(retransmissions(net) > 0);
        assert.deepEqual(tshark(net, "_ws.malformed || tcp.checksum.status != 1"), []);
      });
    }
  }

  it("sees the zero-window probes that were sent", () => {
    const net = new TcpNetwork({}, { receiveBuffer: 8192, windowScale: -1 });
    const [c] = net.open(PORT);
    net.hosts[0].stack.send(c, 20_000);
    net.run(5 * SECOND);
    const probes = net.hosts[0].stack.counters.probes;
    assert.ok(probes > 2);
    assert.equal(tshark(net, "tcp.analysis.zero_window_probe").length, probes);
    assert.equal(retransmissions(net), 0);
  });
});
