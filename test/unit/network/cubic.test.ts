import assert from "node:assert/strict";
import { Store } from "../../../engine/kernel/state";
import { cubic } from "../../../engine/network/tcp/cubic";
import { tcbSchema } from "../../../engine/network/tcp/tcb";
import { TcpNetwork, MILLISECOND, SECOND } from "../../support/tcpNetwork";

const MSS = 1000;
const C = 0.4;
const BETA = 0.7;

/** A connection in congestion avoidance whose whole window is acknowledged, segment by segment, once a round trip. */
class Flow {
  readonly tcb = new Store().table("tcb", tcbSchema, 1);
  now = SECOND;

  constructor(segments: number, private readonly rtt: number) {
    this.tcb.alloc();
    const t = this.tcb;
    t.sndMss[0] = MSS;
    t.cwnd[0] = segments * MSS;
    t.ssthresh[0] = MSS;
    t.srtt[0] = rtt;
    t.rto[0] = SECOND;
  }

  get segments(): number {
    return this.tcb.cwnd[0]! / MSS;
  }

  loss(timeout = false): void {
    const flight = this.tcb.cwnd[0]!;
    this.tcb.cwnd[0] = this.tcb.ssthresh[0] = cubic.reduce(this.tcb, 0, flight, timeout);
  }

  /** One round trip. */
  round(): void {
    const n = Math.floor(this.segments);
    const start = this.now;
    for (let i = 1; i <= n; i++) {
      this.now = start + (i * this.rtt) / n;
      cubic.grow(this.tcb, 0, MSS, this.now);
    }
  }
}

describe("CUBIC", () => {
  it("follows C·(t − K)³ + W_max after each loss, with fast convergence where the maximum was not reached", () => {
    const rtt = 100 * MILLISECOND;
    const flow = new Flow(1000, rtt);
    let max = 1000;
    let reached = true;
    // Seconds between losses: the second comes before the old maximum is back, at K = 9.1 s.
    for (const pause of [15, 5, 12, 3, 20]) {
      const before = flow.segments;
      reached = before >= max;
      max = reached ? before : (before * (1 + BETA)) / 2;
      flow.loss();
      const from = flow.segments;
      assert.ok(Math.abs(from - before * BETA) < 0.01);
      const k = Math.cbrt((max - from) / C);
      const start = flow.now;
      while (flow.now < start + pause * SECOND) {
        flow.round();
        const t = (flow.now - start) / SECOND;
        const expected = C * (t - k) ** 3 + max;
        assert.ok(Math.abs(flow.segments - expected) < 0.01 * expected, `${t} s after a loss at ${before}: ${flow.segments} instead of ${expected}`);
      }
    }
  });

  it("grows as Reno where that is faster: small windows, short round trips", () => {
    const rtt = 1 * MILLISECOND;
    const flow = new Flow(20, rtt);
    flow.loss();
    const alpha = (3 * (1 - BETA)) / (1 + BETA);
    for (let round = 1; round <= 10; round++) {
      flow.round();
      assert.ok(Math.abs(flow.segments - (14 + alpha * round)) < 0.5, `after ${round} round trips ${flow.segments}`);
    }
    // Above the window before the loss one segment a round trip.
    while (flow.segments < 21) flow.round();
    const before = flow.segments;
    for (let round = 0; round < 10; round++) flow.round();
    assert.ok(Math.abs(flow.segments - before - 10) < 1);
  });

  it("takes a stage after a timeout from its own beginning: K is 0", () => {
    const flow = new Flow(1000, 100 * MILLISECOND);
    flow.loss(true);
    const from = flow.segments;
    const start = flow.now;
    for (let round = 0; round < 50; round++) flow.round();
    const expected = C * ((flow.now - start) / SECOND) ** 3 + from;
    assert.ok(Math.abs(flow.segments - expected) < 0.02 * expected, `${flow.segments} instead of ${expected}`);
  });

  it("does not count idle time", () => {
    const [busy, idle] = [new Flow(500, 100 * MILLISECOND), new Flow(500, 100 * MILLISECOND)];
    for (const flow of [busy, idle]) {
      flow.loss();
      for (let round = 0; round < 20; round++) flow.round();
      if (flow === idle) flow.now += 60 * SECOND;
      for (let round = 0; round < 20; round++) flow.round();
    }
    assert.ok(Math.abs(busy.segments - idle.segments) < 2);
  });

  it("leaves seven tenths of the window at a loss, where NewReno leaves half", () => {
    for (const [congestion, share] of [["cubic", 0.7], ["newreno", 0.5]] as const) {
      const net = new TcpNetwork({ congestion }, { congestion });
      const [c] = net.open();
      const first = net.sent.length;
      net.channel = (_packet, from, index) => (from === 0 && index === first ? [] : [MILLISECOND + index * 1000]);
      net.hosts[0].stack.send(c, 10 * 1448);
      net.run(net.time + 100 * MILLISECOND);
      const ssthresh = net.hosts[0].stack.describe(c).find((v) => v.name === "ssthresh")!.number;
      assert.equal(ssthresh, Math.floor(share * 10 * 1448));
    }
  });
});
