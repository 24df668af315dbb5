import assert from "node:assert/strict";
import { Store } from "../../../engine/kernel/state";
import { Ended, nextRound, roundTrip, startHystart } from "../../../engine/network/tcp/hystart";
import { tcbSchema } from "../../../engine/network/tcp/tcb";
import { linuxTcp, netbsdTcp, type TcpOptions } from "../../../engine/network/tcp/tcp";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

const MSS = 1000;
const LARGE = 1e9;

/** A connection in slow start, for which a round begins at 10 s. */
class Flow {
  readonly tcb = new Store().table("tcb", tcbSchema, 1);
  now = 10 * SECOND;

  constructor(segments: number) {
    this.tcb.alloc();
    this.tcb.sndMss[0] = MSS;
    this.tcb.cwnd[0] = segments * MSS;
    this.tcb.ssthresh[0] = LARGE;
    startHystart(this.tcb, 0, this.now);
  }

  /** So many ACKs, one every so often, that tell this round trip. @returns what the last one that ended slow start ended it by, and which it was */
  acks(count: number, every: number, rtt: number): readonly [number, number] {
    let found: readonly [number, number] = [Ended.not, 0];
    for (let i = 1; i <= count; i++) {
      this.now += every;
      const ended = roundTrip(this.tcb, 0, rtt, this.now);
      if (ended !== Ended.not) found = [ended, i];
    }
    return found;
  }

  /** All that was sent is acknowledged, and another window of it is sent. */
  round(): void {
    this.tcb.sndMax[0]! += this.tcb.cwnd[0]!;
    nextRound(this.tcb, 0, this.tcb.sndMax[0]!, this.now);
  }
}

describe("HyStart", () => {
  it("ends slow start by a train of ACKs, no further apart than 2 ms, that is longer than half of the smallest round trip", () => {
    for (const every of [MILLISECOND, 2 * MILLISECOND]) {
      const flow = new Flow(20);
      // Half of 20 ms is 10 ms: the first ACK that is more than that after the beginning of the round.
      assert.deepEqual(flow.acks(30, every, 20 * MILLISECOND), [Ended.byTrain, Math.floor(10 / (every / MILLISECOND)) + 1]);
      assert.equal(flow.tcb.ssthresh[0], 20 * MSS, "the window that it was");
    }
  });

  it("not where ACKs are further apart; a gap ends the train of the round, and the next round has another", () => {
    const flow = new Flow(20);
    assert.deepEqual(flow.acks(30, 3 * MILLISECOND, 20 * MILLISECOND), [Ended.not, 0]);
    assert.deepEqual(flow.acks(30, MILLISECOND, 20 * MILLISECOND), [Ended.not, 0]);
    flow.round();
    assert.deepEqual(flow.acks(30, MILLISECOND, 20 * MILLISECOND), [Ended.byTrain, 11]);
  });

  it("ends it by delay, when the least of the first eight round trips is by an eighth, or 4 to 16 ms, longer than the least of all", () => {
    for (const [least, most] of [[10, 14], [40, 45], [400, 416]] as const) {
      const rounds = (longer: number): readonly [number, number] => {
        const flow = new Flow(20);
        assert.deepEqual(flow.acks(8, 3 * MILLISECOND, least * MILLISECOND), [Ended.not, 0]);
        flow.round();
        return flow.acks(12, 3 * MILLISECOND, longer * MILLISECOND);
      };
      assert.deepEqual(rounds(most), [Ended.not, 0], `${most} ms after ${least} ms`);
      assert.deepEqual(rounds(most + 0.125), [Ended.byDelay, 9], `an eighth of a millisecond more, with the ninth ACK`);
    }
  });

  it("one short round trip among the eight says that there is no queue; a ninth does not count", () => {
    const round = (at: number): number => {
      const flow = new Flow(20);
      flow.acks(8, 3 * MILLISECOND, 40 * MILLISECOND);
      flow.round();
      let ended: number = Ended.not;
      for (let i = 1; i <= 12; i++) ended = Math.max(ended, flow.acks(1, 3 * MILLISECOND, (i === at ? 41 : 60) * MILLISECOND)[0]);
      return ended;
    };
    assert.deepEqual([round(1), round(8), round(9)], [Ended.not, Ended.not, Ended.byDelay]);
  });

  it("not below 16 segments, not beyond slow start, and not within a second of a recovery", () => {
    assert.deepEqual(new Flow(15).acks(30, MILLISECOND, 20 * MILLISECOND), [Ended.not, 0]);
    assert.deepEqual(new Flow(16).acks(30, MILLISECOND, 20 * MILLISECOND), [Ended.byTrain, 11]);
    const avoiding = new Flow(20);
    avoiding.tcb.ssthresh[0] = 20 * MSS;
    assert.deepEqual(avoiding.acks(30, MILLISECOND, 20 * MILLISECOND), [Ended.not, 0]);
    const recovered = new Flow(20);
    recovered.tcb.cubicEpoch[0] = recovered.now;
    assert.deepEqual(recovered.acks(900, MILLISECOND, 20 * MILLISECOND), [Ended.not, 0]);
  });

  it("once, until a timeout", () => {
    const flow = new Flow(20);
    flow.acks(30, MILLISECOND, 20 * MILLISECOND);
    flow.tcb.ssthresh[0] = LARGE;
    flow.round();
    assert.deepEqual(flow.acks(30, MILLISECOND, 20 * MILLISECOND), [Ended.not, 0]);
    startHystart(flow.tcb, 0, flow.now);
    assert.deepEqual(flow.acks(30, MILLISECOND, 20 * MILLISECOND), [Ended.byTrain, 11]);
  });

  it("with round trips far below a millisecond ends slow start in the round in which its clock ticks", () => {
    const flow = new Flow(20);
    assert.deepEqual(flow.acks(990, MICROSECOND, 40 * MICROSECOND), [Ended.not, 0]);
    flow.round();
    assert.deepEqual(flow.acks(20, MICROSECOND, 40 * MICROSECOND), [Ended.byTrain, 10]);
  });

  /** What a transfer over a path of 40 ms with a queue without end has come to when slow start is over, or after a second. @param every time that the path takes for a segment */
  function transfer(every: number, options: Partial<TcpOptions>): { readonly train: number; readonly delay: number; readonly ssthresh: number; readonly cwnd: number } {
    const big = { sendBuffer: 1 << 24, receiveBuffer: 1 << 24, windowScale: 10, delayedAck: 0 };
    const net = new TcpNetwork({ rackTlp: true, ...options, ...big }, big);
    const [c] = net.open(40_000);
    const [a, b] = net.hosts;
    let free = 0;
    net.channel = (packet, from) => {
      if (from === 1 || net.packets.payloadLength(packet) === 0) return [20 * MILLISECOND];
      free = Math.max(free, net.time) + every;
      return [free - net.time + 20 * MILLISECOND];
    };
    b.onReadable = (conn) => void b.stack.receive(conn, Infinity);
    a.stack.send(c, 1 << 22);
    const value = (name: string): number => a.stack.describe(c).find((v) => v.name === name)!.number!;
    const until = net.time + SECOND;
    while (value("cwnd") < value("ssthresh") && net.time < until) net.run(net.time + MILLISECOND / 4);
    const { slowStartsEndedByTrain: train, slowStartsEndedByDelay: delay } = a.stack.counters;
    return { train, delay, ssthresh: value("ssthresh") / 1448, cwnd: value("cwnd") / 1448 };
  }

  it("leaves slow start when the window fills the path, by the train; a path whose ACKs are far apart, by its queue", () => {
    // 40 ms of segments of 1 ms: a window of 40 fills the path, and a train of 20 ms shows at half of it.
    const fast = transfer(MILLISECOND, {});
    assert.deepEqual([fast.train, fast.delay], [1, 0]);
    assert.ok(fast.ssthresh >= 20 && fast.ssthresh <= 64, `${fast.ssthresh} segments`);
    assert.ok(fast.cwnd - fast.ssthresh < 2, "from there on it is congestion avoidance");
    const slow = transfer(4 * MILLISECOND, {});
    assert.deepEqual([slow.train, slow.delay], [0, 1]);
    assert.ok(slow.ssthresh >= 16 && slow.ssthresh <= 64, `${slow.ssthresh} segments`);
  });

  it("is Linux' CUBIC's and nobody else's", () => {
    assert.deepEqual([linuxTcp.hystart, netbsdTcp.hystart], [true, undefined]);
    for (const options of [{ hystart: false }, { congestion: "newreno" }, { ...netbsdTcp, hystart: netbsdTcp.hystart, congestion: "cubic" }] as const) {
      const { train, delay, cwnd } = transfer(MILLISECOND, options);
      assert.deepEqual([train, delay], [0, 0]);
      assert.ok(cwnd > 100, `${cwnd} segments`);
    }
  });
});
