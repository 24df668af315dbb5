import assert from "node:assert/strict";
import { TimerFor } from "../../../engine/network/tcp/tcb";
import { TcpTimer, type TcpOptions } from "../../../engine/network/tcp/tcp";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

const MSS = 1448;

/** Segments, numbered from 1, that host 0 sends at once over a path of 1 ms; which transmissions of each are lost. */
function transfer(segments: number, lost: Readonly<Record<number, readonly number[]>>, options: Partial<TcpOptions> = {}, late: Readonly<Record<number, number>> = {}) {
  const net = new TcpNetwork({ rackTlp: true, congestion: "newreno", initialWindow: 40, ...options }, { delayedAck: 0 });
  net.channel = () => [MILLISECOND];
  const [client, server] = net.hosts;
  const [c, s] = net.open(80, 10 * MILLISECOND);
  const times = new Map<number, number[]>();
  let got = 0;
  let last = 0;
  server.onReadable = (conn) => {
    got += server.stack.receive(conn, Infinity);
    last = net.time;
  };
  const start = net.time;
  let free = 0;
  net.channel = (packet, from) => {
    if (from === 1 || net.packets.payloadLength(packet) === 0) return [MILLISECOND];
    const number = 1 + Math.floor((net.packets.relativeSequence(packet) - 1) / MSS);
    times.set(number, [...(times.get(number) ?? []), net.time - start]);
    free = Math.max(free, net.time) + MICROSECOND;
    const copy = times.get(number)!.length;
    return lost[number]?.includes(copy) ? [] : [free - net.time + MILLISECOND + (copy === 1 ? late[number] ?? 0 : 0)];
  };
  client.stack.send(c, segments * MSS);
  net.run(start + 20 * SECOND);
  assert.equal(got, segments * MSS);
  return { net, c, s, times, time: last - start, counters: client.stack.counters, value: (name: string) => client.stack.describe(c).find((v) => v.name === name)!.number! };
}

/** Numbers of the segments that were sent more than once. */
function again(times: ReadonlyMap<number, readonly number[]>): number[] {
  return [...times].filter(([, at]) => at.length > 1).map(([number]) => number).sort((a, b) => a - b);
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const once = (...numbers: number[]): Record<number, number[]> => Object.fromEntries(numbers.map((n) => [n, [1]]));

describe("TCP with RACK and tail loss probes", () => {
  it("finds by a probe that the end of the data is lost, two round trips after it and 10 ms at least, and sends all of it again", () => {
    const { times, counters } = transfer(20, once(...range(15, 20)));
    assert.equal(counters.timeouts, 0);
    assert.equal(counters.lossProbes, 1);
    assert.deepEqual(times.get(20)!.map((t) => Math.round(t / MILLISECOND)), [0, 12], "10 ms from the last ACK");
    assert.deepEqual(again(times), range(15, 20));
    assert.ok([...times.values()].every((at) => at.length <= 2));
    assert.ok(times.get(19)![1]! < 20 * MILLISECOND);
    const without = transfer(20, once(...range(15, 20)), { rackTlp: false });
    assert.equal(without.counters.timeouts, 1);
    assert.ok(without.time > 200 * MILLISECOND);
  });

  it("arms the timer once for a segment: for the probe that comes before its timeout", () => {
    const { net, c } = transfer(1, {});
    const [client] = net.hosts;
    const armed: number[] = [];
    const arm = client.arm.bind(client);
    client.arm = (conn, timer, at) => {
      armed.push(timer);
      arm(conn, timer, at);
    };
    client.stack.send(c, 100);
    net.run(net.time + MILLISECOND);
    assert.deepEqual(armed, [TcpTimer.retransmit]);
    assert.equal(client.stack.timerFor(c), TimerFor.probe);
  });

  it("probes with new data, where the other end's window takes it and the congestion window would not", () => {
    const { times, counters } = transfer(15, once(...range(1, 10)), { initialWindow: 10 });
    assert.equal(counters.lossProbes, 1);
    assert.equal(times.get(11)!.length, 1);
    assert.equal(Math.round(times.get(11)![0]! / MILLISECOND), 10);
    assert.deepEqual(again(times), range(1, 10));
    assert.equal(counters.timeouts, 0);
  });

  it("takes the loss of a single segment for certain no earlier than its ACK may be delayed", () => {
    const { times, counters } = transfer(1, once(1));
    assert.equal(counters.timeouts, 0);
    assert.deepEqual(times.get(1)!.map((t) => Math.round(t / MILLISECOND)), [0, 202], "the timeout is due before one and a half round trips and 200 ms");
  });

  it("sends one probe at a time: when it is lost as well, a timeout follows", () => {
    const { counters, times } = transfer(3, { 3: [1, 2] });
    assert.equal(counters.lossProbes, 1);
    assert.equal(counters.timeouts, 1);
    assert.equal(times.get(3)!.length, 3);
  });

  it("finds that the end of the data is lost in a recovery, by what was sent again later and has arrived", () => {
    const { counters, time, times } = transfer(30, once(3, 4, 5, ...range(25, 30)));
    assert.equal(counters.timeouts, 0);
    assert.equal(counters.lossProbes, 0);
    assert.deepEqual(again(times), [3, 4, 5, ...range(25, 30)]);
    assert.ok(time < 15 * MILLISECOND, `${time / MILLISECOND} ms`);
    assert.equal(transfer(30, once(3, 4, 5, ...range(25, 30)), { rackTlp: false }).counters.timeouts, 1);
  });

  it("finds that what was sent again is lost again", () => {
    const { counters, times } = transfer(30, { 3: [1, 2], 9: [1] });
    assert.equal(counters.timeouts, 0);
    assert.deepEqual([times.get(3)!.length, times.get(9)!.length], [3, 2]);
    assert.deepEqual(again(times), [3, 9]);
    assert.equal(transfer(30, { 3: [1, 2], 9: [1] }, { rackTlp: false }).counters.timeouts, 1);
  });

  it("waits a millisecond, and two more, for a segment that others have overtaken, before it counts as lost", () => {
    const lossAt = (segments: number): number => transfer(segments, once(segments - 1)).times.get(segments - 1)![1]!;
    assert.equal(Math.round(lossAt(3) / MICROSECOND / 100), 50, "a round trip of 2 ms, 1 ms and 2 ms");
    const { counters, times } = transfer(3, {}, {}, { 2: 2 * MILLISECOND });
    assert.deepEqual([again(times), counters.timeouts], [[], 0]);
  });

  it("counts in flight what is neither reported nor lost, and what was sent again", () => {
    const { value, net, c } = transfer(30, once(3, 4, 5, 11));
    assert.deepEqual([value("in_recovery"), value("marked_lost"), value("cwnd")], [0, 0, 14 * MSS], "half of what was outstanding");
    assert.equal(net.hosts[0].stack.acknowledged(c), 30 * MSS);
  });

  it("halves the window once for a segment that a probe has repaired, when what follows is acknowledged", () => {
    const { net, c, value, counters } = transfer(20, once(20));
    assert.deepEqual([counters.lossProbes, counters.timeouts], [1, 0]);
    const before = value("cwnd");
    net.hosts[0].stack.send(c, MSS);
    net.run(net.time + SECOND);
    assert.ok(before >= 40 * MSS);
    assert.ok(value("cwnd") <= 12 * MSS, `${value("cwnd") / MSS} segments`);
  });

  it("leaves it where a report of a duplicate says that nothing was lost", () => {
    const { net, c, value, counters } = transfer(20, {}, { minRto: SECOND }, { 19: 30 * MILLISECOND, 20: 30 * MILLISECOND });
    assert.equal(counters.lossProbes, 1);
    const before = value("cwnd");
    net.hosts[0].stack.send(c, MSS);
    net.run(net.time + SECOND);
    assert.ok(before >= 40 * MSS && value("cwnd") >= 40 * MSS, `${before / MSS} and ${value("cwnd") / MSS} segments`);
  });

  it("cuts a long segment where a part of it is reported", () => {
    const net = new TcpNetwork({ rackTlp: true, congestion: "newreno", initialWindow: 40 }, { delayedAck: 0 });
    net.channel = () => [MILLISECOND];
    const [client, server] = net.hosts;
    const [c] = net.open(80, 10 * MILLISECOND);
    let got = 0;
    server.onReadable = (conn) => void (got += server.stack.receive(conn, Infinity));
    const lost = new Set([4, 20].map((n) => 1 + (n - 1) * MSS));
    net.channel = (packet, from) => (from === 0 && lost.delete(net.packets.relativeSequence(packet)) ? [] : [MILLISECOND]);
    client.largest = 16 * MSS;
    client.stack.send(c, 20 * MSS);
    net.run(net.time + 100 * MILLISECOND);
    assert.equal(got, 20 * MSS);
    const { counters } = client.stack;
    const sent = ["retransmittedFast", "retransmittedBySack", "retransmittedByProbe", "timeouts"] as const;
    assert.deepEqual(sent.map((name) => counters[name]), [1, 1, 0, 0]);
    assert.equal(server.stack.counters.duplicates, 0);
  });
});
