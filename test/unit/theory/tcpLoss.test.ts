import assert from "node:assert/strict";
import type { TcpOptions } from "../../../engine/network/tcp/tcp";
import { MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";
import { meanAndError } from "./confidence";

const MSS = 1448;

/** Segments a round trip that a long transfer gets through a path that loses one data segment in so many, at random or regularly. */
function averageWindow(options: Partial<TcpOptions>, rtt: number, every: number, random: boolean, losses: number): number {
  const big = { sendBuffer: 1 << 24, receiveBuffer: 1 << 24, windowScale: 10, sack: true };
  const net = new TcpNetwork({ ...options, ...big }, big);
  const [c] = net.open(40_000);
  let state = 987654321;
  let sent = 0;
  let lost = 0;
  let last = 0;
  net.channel = (packet, from) => {
    if (from === 1 || net.packets.payloadLength(packet) === 0) return [rtt / 2];
    // A nanosecond apart, so that segments of one burst stay in order and their ACKs are told apart.
    last = Math.max(last + 1000, net.time + rtt / 2);
    sent++;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    const drop = random ? state / 2 ** 32 < 1 / every : sent % every === 0;
    if (drop) lost++;
    return drop ? [] : [last - net.time];
  };
  const [a, b] = net.hosts;
  let got = 0;
  b.onReadable = (conn) => void (got += b.stack.receive(conn, Infinity));
  const fill = (): void => void a.stack.send(c, 1 << 24);
  a.onWritable = fill;
  fill();
  // Past slow start and the first recoveries; then as many losses as asked for.
  const until = (n: number): void => {
    while (lost < n) net.run(net.time + SECOND);
  };
  until(5);
  const [from, start] = [got, net.time];
  until(5 + losses);
  return (got - from) / MSS / ((net.time - start) / rtt);
}

/**
 * Segments a round trip, of a long transfer under the losses that Padhye et al. assume: a lost segment takes those behind it in its round with it;
 * rounds are independent. The timeout is ten round trips; every segment is acknowledged (b = 1).
 */
function rateUnderBursts(p: number, seed: number, rounds: number): number {
  const rtt = 100 * MILLISECOND;
  const options: Partial<TcpOptions> = {
    congestion: "newreno", sendBuffer: 1 << 22, receiveBuffer: 1 << 22, windowScale: 10, minRto: SECOND, minRtoOverSrtt: false, maxRto: 64 * SECOND,
    delayedAck: 0, maxRetransmits: 100, dsack: false,
  };
  const net = new TcpNetwork(options, options);
  const [c] = net.open(40_000);
  let state = seed;
  let [last, lossAt, sent] = [0, -rtt, 0];
  net.channel = (packet, from) => {
    if (from === 1 || net.packets.payloadLength(packet) === 0) return [rtt / 2];
    last = Math.max(last + 1000, net.time + rtt / 2);
    sent++;
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (net.time - lossAt < rtt / 10) return [];
    if (state / 2 ** 32 >= p) return [last - net.time];
    lossAt = net.time;
    return [];
  };
  const [a, b] = net.hosts;
  b.onReadable = (conn) => void b.stack.receive(conn, Infinity);
  const fill = (): void => void a.stack.send(c, 1 << 22);
  a.onWritable = fill;
  fill();
  net.run(net.time + 20 * SECOND);
  const before = sent;
  net.run(net.time + rounds * rtt);
  return (sent - before) / rounds;
}

/**
 * Padhye, Firoiu, Towsley and Kurose (SIGCOMM '98), equations 13, 24, 28 and 29: segments a round trip, without a limit by the receiver's window.
 * @param timeout of the first retransmission by timeout, in round trips @param b segments that one ACK acknowledges
 */
function padhye(p: number, timeout: number, b: number): number {
  const q = 1 - p;
  const window = (2 + b) / (3 * b) + Math.sqrt((8 * q) / (3 * b * p) + ((2 + b) / (3 * b)) ** 2);
  const byTimeout = Math.min(1, ((1 - q ** 3) * (1 + q ** 3 * (1 - q ** (window - 3)))) / (1 - q ** window));
  const backoff = 1 + p + 2 * p ** 2 + 4 * p ** 3 + 8 * p ** 4 + 16 * p ** 5 + 32 * p ** 6;
  return (q / p + window + byTimeout / q) / ((b / 2) * window + 1 + (byTimeout * timeout * backoff) / q);
}

describe("theory of TCP with losses", () => {

  for (const [p, factor] of [[1e-3, 1.2], [3e-3, 1.25], [1e-2, 1.4]] as const) {
    it(`NewReno at ${p} random loss: the window of Mathis et al. (1997), sqrt(3/2)/sqrt(p), within a factor of ${factor}`, () => {
      const window = averageWindow({ congestion: "newreno" }, 100 * MILLISECOND, 1 / p, true, 150);
      const expected = Math.sqrt(1.5 / p);
      assert.ok(window < expected * factor && window > expected / factor, `${window} instead of ${expected}`);
    });
  }

  for (const p of [0.01, 0.03, 0.1, 0.2, 0.3]) {
    it(`NewReno with SACK at ${p} loss in bursts, timeouts and all: the rate of Padhye et al. (1998), within the 99 % confidence interval and 15 %`, () => {
      const { mean, error } = meanAndError([1, 2, 3, 4, 5].map((seed) => rateUnderBursts(p, seed * 7919, p < 0.05 ? 1200 : p < 0.25 ? 4000 : 16_000)), 4.604);
      const expected = padhye(p, 10, 1);
      assert.ok(Math.abs(mean - expected) <= error + 0.15 * expected, `${mean} instead of ${expected}, ± ${error}`);
      assert.ok(error < 0.35 * expected, "an interval that says something");
    });
  }

  it("CUBIC at one loss in a thousand segments, 400 ms round trip: the average window of RFC 9438 section 5.1, within a fifth", () => {
    const rtt = 400 * MILLISECOND;
    const window = averageWindow({ congestion: "cubic" }, rtt, 1000, false, 60);
    // A fluid model, which leaves out the round trip that each recovery takes: AVG_W_cubic = (C·(3 + β)/(4·(1 − β)))^(1/4) · RTT^(3/4) / p^(3/4).
    const expected = ((0.4 * 3.7) / (4 * 0.3)) ** 0.25 * (0.4 ** 0.75 / 0.001 ** 0.75);
    assert.ok(Math.abs(window - expected) < 0.2 * expected, `${window} instead of ${expected}`);
  });
});
