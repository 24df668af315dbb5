import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MachineEngine } from "../../engine/create";
import { TcpFlag } from "../../engine/network/packets";
import { exportCapture } from "../../engine/trace/capture";
import { TcpIp } from "../../engine/components/tcpip";
import { runDesign } from "../support/runDesign";

const runs = new Map<string, ReturnType<typeof runDesign>>();

/** A run of the sample with fewer requests, on a link that does more. */
function sample(name: string): ReturnType<typeof runDesign> {
  let run = runs.get(name);
  if (run === undefined) {
    const text = readFileSync(`samples/links/${name}.exo.yaml`, "utf8").replace(/requests: 3[0-9] /, "requests: 8 ").replace(/(loss|corrupt|reorder|duplicate): ([12])%/g, "$1: 3%");
    runs.set(name, (run = runDesign(text)));
  }
  return run;
}

/** Checksums are verified by tshark; what the segments carry is not looked at. */
const preferences = ["tcp.check_checksum:TRUE", "ip.check_checksum:TRUE", "udp.check_checksum:TRUE"].flatMap((option) => ["-o", option]);
const plain = ["http", "discard"].flatMap((protocol) => ["--disable-protocol", protocol]);
/** What tshark calls a segment that lies before one that it has seen. */
const again = "tcp.analysis.retransmission || tcp.analysis.fast_retransmission || tcp.analysis.spurious_retransmission || tcp.analysis.out_of_order";
/** Not a packet, or not the one that was sent. Of a header that is broken in its first bytes tshark says what is broken, not that the sum is wrong. */
const bad = "tcp.checksum.status == 0 || udp.checksum.status == 0 || icmp.checksum.status == 0 || ip.checksum.status == 0 || ip.bogus_ip_version || ip.bogus_header_length || ip.bogus_ip_length";

describe("captures of links that do more than carry, read by tshark", function () {
  let folder: string | undefined;

  before(function () {
    if (spawnSync("tshark", ["--version"]).error !== undefined) {
      console.log("      tshark is not installed: captures of the links are not compared with it");
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "exoscope-links-"));
  });

  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** Numbers of the frames that fit a filter, from 1. @param host whose capture; as sent without it */
  const frames = (engine: MachineEngine, filter: string, host?: string): number[] => {
    const file = join(folder!, "link.pcapng");
    writeFileSync(file, exportCapture(engine, host));
    const output = execFileSync("tshark", ["-r", file, ...preferences, ...plain, "-Y", filter, "-T", "fields", "-e", "frame.number"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 });
    return output.split("\n").filter((line) => line !== "").map(Number);
  };

  /** Packets as a host's capture has them, in order: those that it sent and those that arrived. */
  const seenBy = (engine: MachineEngine, host: "client" | "server"): number[] => {
    const { trace, names, built } = engine;
    const [link] = built.machine.links;
    const own = link!.directions[host === "client" ? 0 : 1]!;
    return Array.from({ length: trace.length }, (_, row) => row)
      .filter((row) => names.contexts[trace.context(row)]!.kind === "link" && trace.fn(row) === (trace.context(row) === own ? link!.serialise : link!.arrive))
      .map((row) => trace.packet(row));
  };

  for (const name of ["loss", "reorder-duplicate", "corruption"]) {
    it(`${name}: what was sent is whole, and as much of it was sent again as the engine counts`, () => {
      const { engine, report } = sample(name);
      assert.ok(report.retransmissions > 10);
      assert.equal(frames(engine, `${again} || _ws.malformed || ${bad}`).length, report.retransmissions);
      assert.equal(frames(engine, again).length, report.retransmissions);
    });
  }

  it("reorder-duplicate: as many ACKs report duplicates as the stacks sent (D-SACK)", () => {
    const { engine } = sample("reorder-duplicate");
    const stacks = [...engine.built.machine.components.values()].filter((m): m is TcpIp => m instanceof TcpIp);
    const sent = stacks.reduce((sum, { tcp: { counters } }) => sum + counters.dsacksSent, 0);
    assert.ok(sent > 10);
    assert.equal(frames(engine, "tcp.options.sack.dsack_le").length, sent);
  });

  it("frames that an adapter cut of long segments, and a receiver joined: nothing to warn of, and nothing sent again", () => {
    const { engine, report } = runDesign(readFileSync("samples/offloads/tso.exo.yaml", "utf8").replace(/requests: 30/g, "requests: 4"));
    assert.equal(report.retransmissions, 0);
    assert.deepEqual(frames(engine, `${again} || _ws.malformed || ${bad} || _ws.expert.severity >= warning`), []);
    const { packets } = engine.built.machine;
    assert.ok(Array.from({ length: packets.length }, (_, p) => p).some((p) => packets.isLong(p)));
  });

  it("corruption: each host sees exactly the frames as bad that the link corrupted on their way to it", () => {
    const { engine, report } = sample("corruption");
    const { packets, links } = engine.built.machine;
    const dropped = ["bad IP header checksum", "bad TCP checksum", "bad UDP or ICMP checksum"].reduce((sum, cause) => sum + (report.drops[cause] ?? 0), 0);
    let found = 0;
    for (const [end, host] of (["client", "server"] as const).entries()) {
      const expected = [...seenBy(engine, host).entries()].filter(([, packet]) => packets.isCorrupted(packet)).map(([i]) => i + 1);
      assert.equal(expected.length, links[0]!.happened(1 - end).corrupted);
      assert.deepEqual(frames(engine, bad, host), expected);
      found += expected.length;
    }
    assert.equal(dropped, found);
  });

  for (const name of ["loss", "reorder-duplicate"]) {
    it(`${name}: what a host sees late or twice was sent again, doubled or held back, frame by frame`, () => {
      const { engine } = sample(name);
      const { packets } = engine.built.machine;
      const { trace, names } = engine;
      const heldBack = new Set(Array.from({ length: trace.length }, (_, row) => row).filter((row) => names.functions[trace.fn(row)]!.name === "held back on the link").map((row) => trace.packet(row)));
      for (const host of ["client", "server"] as const) {
        const late: number[] = [];
        const reached = new Map<number, number>();
        const sent = new Map<string, number>();
        const causes = { again: 0, doubled: 0, overtaken: 0 };
        for (const [i, p] of seenBy(engine, host).entries()) {
          const numbers = packets.payloadLength(p) + ((packets.flags(p) & (TcpFlag.syn | TcpFlag.fin)) !== 0 ? 1 : 0);
          if (!packets.isTcp(p)) continue;
          const stream = packets.stream(p);
          const end = packets.offset(p) + numbers;
          if (numbers === 0) {
            // An ACK stands behind what was sent before it, which it may overtake: a FIN that arrives then is late.
            reached.set(stream, Math.max(reached.get(stream) ?? -Infinity, end));
            continue;
          }
          const first = sent.get(`${stream} ${packets.offset(p)}`);
          if (packets.offset(p) < (reached.get(stream) ?? -Infinity)) {
            late.push(i + 1);
            if (packets.parentOf(p) >= 0) causes.doubled++;
            else if (first !== undefined && first !== p) causes.again++;
            else if (heldBack.has(p)) causes.overtaken++;
            // The first to arrive of what was sent twice, the earlier one lost.
            else causes.again++;
          }
          sent.set(`${stream} ${packets.offset(p)}`, p);
          reached.set(stream, Math.max(reached.get(stream) ?? -Infinity, end));
        }
        assert.deepEqual(frames(engine, again, host), late);
        if (name === "loss") assert.equal(causes.doubled + causes.overtaken, 0);
        else if (host === "client") assert.ok(causes.again > 10 && causes.doubled > 10 && causes.overtaken > 10, JSON.stringify(causes));
      }
    });
  }
});
