import assert from "node:assert/strict";
import { sendableBytes } from "../../../engine/network/tcp/proportionalRate";
import { netbsdTcp, type TcpOptions } from "../../../engine/network/tcp/tcp";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

/**
 * RFC 6937 section 3.1: 20 segments are in flight, some are lost, two go by limited transmit, recovery begins with the third duplicate ACK.
 * @returns segments in flight before each of the following ACKs has an effect, and what is sent upon it
 */
function figure(lost: number, slowStarts: boolean): { pipe: number[]; sent: number[] } {
  const [ssthresh, flight] = [10, 20];
  let [inFlight, delivered, out] = [flight + 2 - lost - 2, 0, 0];
  const [pipe, sent]: [number[], number[]] = [[], []];
  for (let ack = lost + 2; ack < flight; ack++) {
    inFlight--;
    delivered++;
    const count = sendableBytes(delivered, out, 1, ssthresh, flight, inFlight, 1, slowStarts);
    pipe.push(inFlight);
    sent.push(count);
    out += count;
    inFlight += count;
  }
  return { pipe, sent };
}

const MSS = 1448;

/** Segments, numbered from 1, that are sent at once over a path of 1 ms, some of which are lost once; what is known of the connection whenever it has sent one again, or new data in recovery. */
function transfer(segments: number, lost: readonly number[], options: Partial<TcpOptions> = {}) {
  const net = new TcpNetwork({ rackTlp: true, congestion: "newreno", initialWindow: 40, ...options }, { delayedAck: 0 });
  net.channel = () => [MILLISECOND];
  const [client, server] = net.hosts;
  const [c] = net.open(80, 10 * MILLISECOND);
  let got = 0;
  server.onReadable = (conn) => void (got += server.stack.receive(conn, Infinity));
  const value = (name: string): number => client.stack.describe(c).find((v) => v.name === name)?.number ?? NaN;
  const left = new Set(lost);
  const inRecovery: { readonly time: number; readonly number: number; readonly cwnd: number; readonly delivered: number; readonly out: number; readonly recoverFlight: number; readonly ssthresh: number }[] = [];
  let free = 0;
  net.channel = (packet, from) => {
    if (from === 1 || net.packets.payloadLength(packet) === 0) return [MILLISECOND];
    const number = 1 + Math.floor((net.packets.relativeSequence(packet) - 1) / MSS);
    if (value("in_recovery") === 1) {
      inRecovery.push({
        time: net.time, number, cwnd: value("cwnd"), delivered: value("prr_delivered"), out: value("prr_out"), recoverFlight: value("recover_fs"), ssthresh: value("ssthresh"),
      });
    }
    free = Math.max(free, net.time) + MICROSECOND;
    return left.delete(number) ? [] : [free - net.time + MILLISECOND];
  };
  client.stack.send(c, segments * MSS);
  net.run(net.time + 20 * SECOND);
  assert.equal(got, segments * MSS);
  return { inRecovery, value, counters: client.stack.counters };
}

describe("TCP: proportional rate reduction", () => {
  it("RFC 6937, one loss of 20: a segment upon every second ACK, from the one that begins the recovery to the end of the round", () => {
    const { pipe, sent } = figure(1, true);
    assert.deepEqual(sent, [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 0]);
    assert.deepEqual([pipe[0], pipe.at(-1)], [18, 10], "down to ssthresh, at which the bounds begin, with the last ACK of the round");
    assert.deepEqual(figure(1, false), { pipe, sent });
  });

  it("RFC 6937, 15 losses of 20: with four in flight, one segment upon each ACK by PRR-CRB, two by PRR-SSRB", () => {
    assert.deepEqual(figure(15, false), { pipe: [4, 4, 4], sent: [1, 1, 1] });
    assert.deepEqual(figure(15, true), { pipe: [4, 5, 6], sent: [2, 2, 2] });
  });

  it("slow start goes as far as ssthresh and no further", () => {
    assert.equal(sendableBytes(5, 5, 1, 10, 20, 9, 1, true), 1);
    assert.equal(sendableBytes(5, 5, 1, 10, 20, 10, 1, true), 0);
  });

  it("never sends more than its share of what has arrived, whatever arrives at a time, and by the end ssthresh: so much for RecoverFS", () => {
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    for (let run = 0; run < 200; run++) {
      const flight = 20 + random(200);
      const ssthresh = Math.max(2, Math.floor(flight * (random(2) === 0 ? 0.5 : 0.7)));
      let [inFlight, delivered, out] = [flight, 0, 0];
      while (delivered < flight) {
        const newly = Math.min(1 + random(3), flight - delivered);
        delivered += newly;
        inFlight -= newly;
        // What may be sent is not always there to be sent.
        const count = sendableBytes(delivered, out, newly, ssthresh, flight, inFlight, 1, false);
        const sent = out > 0 ? Math.min(count, random(4)) : count;
        out += sent;
        inFlight += sent;
        assert.ok(out <= Math.max(Math.ceil((delivered * ssthresh) / flight), delivered - flight + ssthresh), `${out} of ${delivered}, ${ssthresh} of ${flight}`);
      }
      assert.ok(out <= ssthresh);
    }
  });

  it("spreads what is sent over the round trip in which the window comes down, where RFC 6675 is silent for half of it", () => {
    const silence = (options: Partial<TcpOptions>): number => {
      const { inRecovery } = transfer(120, [5], options);
      const round = inRecovery.filter(({ time }) => time - inRecovery[0]!.time < 30 * MICROSECOND);
      return Math.max(...round.slice(1).map(({ time }, i) => time - round[i]!.time)) / MICROSECOND;
    };
    // An ACK each µs, and 44 segments in flight: every second of them lets one go, or none until 22 have come.
    assert.equal(Math.round(silence({})), 2);
    assert.ok(silence({ proportionalRate: false }) > 15);
  });

  it("keeps prr_out at its share of prr_delivered, and leaves the window at ssthresh", () => {
    for (const congestion of ["newreno", "cubic"] as const) {
      const { inRecovery, value } = transfer(120, [5], { congestion });
      assert.ok(inRecovery.length > 10);
      for (const { delivered, out, recoverFlight, ssthresh } of inRecovery) {
        assert.equal(recoverFlight, 44 * MSS, "40, and four by slow start");
        assert.ok(out <= Math.ceil((delivered * ssthresh) / recoverFlight / MSS) * MSS + 1, `${out} after ${delivered}`);
      }
      assert.equal(value("in_recovery"), 0);
      assert.ok(value("cwnd") >= value("ssthresh"));
    }
  });

  it("sends as much as arrives where most is lost, until something that was sent again is acknowledged, and is at ssthresh in the end", () => {
    const lost = Array.from({ length: 30 }, (_, i) => i + 1);
    const { inRecovery, counters, value } = transfer(40, lost);
    assert.equal(counters.timeouts, 0);
    const start = inRecovery[0]!.time;
    // Ten arrive: the third to last of them, with two before it, begin it, and each lets one go.
    const first = inRecovery.filter(({ time }) => time - start < MILLISECOND);
    assert.deepEqual(first.map(({ number }) => number), [1, 2, 3, 4, 5, 6, 7, 8]);
    const second = inRecovery.filter(({ time }) => time - start >= MILLISECOND && time - start < 3 * MILLISECOND);
    assert.ok(second.length > first.length && second.length <= 2 * first.length, `${second.length} segments for ${first.length}`);
    assert.deepEqual([value("cwnd"), value("in_recovery")], [value("ssthresh"), 0]);
  });

  it("is Linux', with RACK, and no other system's", () => {
    assert.equal(netbsdTcp.proportionalRate, undefined);
    const { inRecovery } = transfer(120, [5], { rackTlp: false });
    assert.ok(inRecovery.every(({ out }) => Number.isNaN(out)));
    assert.equal(inRecovery[0]!.cwnd, inRecovery[0]!.ssthresh, "at once");
  });
});
