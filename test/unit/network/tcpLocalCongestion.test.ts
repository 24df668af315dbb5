import assert from "node:assert/strict";
import type { TcpOptions } from "../../../engine/network/tcp/tcp";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

const MSS = 1448;

/** 20 segments may go at once over a path of 5 ms, 100 µs behind each other; the queue below drops some, by their numbers from 1, when they come first. */
function transfer(segments: number, dropped: readonly number[], options: Partial<TcpOptions> = {}) {
  const net = new TcpNetwork({ rackTlp: true, hystart: false, initialWindow: 20, ...options }, { delayedAck: 0 });
  const [client, server] = net.hosts;
  net.channel = () => [5 * MILLISECOND];
  const [c] = net.open(80, 20 * MILLISECOND);
  const value = (name: string): number => client.stack.describe(c).find((v) => v.name === name)?.number ?? NaN;
  const number = (packet: number): number => 1 + Math.floor(net.packets.offset(packet) / MSS);
  const left = new Set(dropped);
  const full = (packet: number): boolean => net.packets.payloadLength(packet) > 0 && left.has(number(packet));
  client.queues.isFull = full;
  const sent: number[] = [];
  let free = 0;
  net.channel = (packet, from) => {
    if (from === 1 || net.packets.payloadLength(packet) === 0) return [5 * MILLISECOND];
    if (left.delete(number(packet))) return [];
    sent.push(number(packet));
    free = Math.max(free, net.time) + 100 * MICROSECOND;
    return [free - net.time + 5 * MILLISECOND];
  };
  let got = 0;
  server.onReadable = (conn) => void (got += server.stack.receive(conn, Infinity));
  client.stack.send(c, segments * MSS);
  const done = (): void => {
    net.run(net.time + 30 * SECOND);
    assert.equal(got, segments * MSS);
  };
  return { net, client, c, value, sent, done };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);

describe("TCP of Linux above a queue that is full", () => {
  it("stops at the segment that is dropped, and sends it when an ACK comes: nothing is lost, nothing goes again", () => {
    const { net, client, value, sent, done } = transfer(60, [11]);
    net.run(net.time);
    assert.deepEqual(sent, range(1, 10));
    assert.equal(value("flight"), 10 * MSS, "what was dropped was not sent");
    assert.equal(value("in_cwr"), 1);
    assert.equal(value("ssthresh"), Math.floor(0.7 * 20 * MSS));
    done();
    assert.deepEqual(sent, range(1, 60), "in order, each once");
    assert.equal(client.stack.counters.retransmittedFast + client.stack.counters.retransmittedBySack + client.stack.counters.retransmittedByTimeout, 0);
    assert.equal(client.stack.counters.localCongestions, 1);
  });

  it("has its window come down once, by what ACKs tell of, and end at ssthresh when something is acknowledged that was sent later", () => {
    const { net, value, sent, done, client } = transfer(400, [19, 20, 21]);
    net.run(net.time);
    assert.equal(value("flight"), 18 * MSS);
    net.run(net.time + 11 * MILLISECOND);
    // Of 20 in the window 14 are to be left: seven go for ten that have arrived, whichever ACK's was dropped.
    assert.equal(value("in_cwr"), 1);
    assert.equal(value("prr_delivered"), 10 * MSS);
    assert.equal(value("prr_out"), (sent.length - 18) * MSS);
    assert.deepEqual([sent.length, value("flight") / MSS], [18 + 7, 18 + 7 - 10]);
    assert.equal(client.stack.counters.localCongestions, 1, "the drops of one window are one reduction");
    net.run(net.time + 9.5 * MILLISECOND);
    assert.equal(value("in_cwr"), 0);
    assert.equal(value("ssthresh"), Math.floor(0.7 * 20 * MSS));
    assert.ok(value("flight") <= 15 * MSS);
    done();
  });

  it("without it the same drop is a loss, which is found out a round trip later", () => {
    const { sent, done, client } = transfer(60, [11], { localCongestion: false });
    done();
    assert.notDeepEqual(sent, range(1, 60));
    assert.equal(client.stack.counters.localCongestions, 0);
    assert.ok(client.stack.counters.retransmittedFast + client.stack.counters.retransmittedBySack > 0);
  });

  it("tries again when the persist timer runs out, where nothing is under way whose ACK would let it go", () => {
    const { net, value, sent, done } = transfer(3, [1]);
    net.run(net.time);
    assert.deepEqual(sent, []);
    assert.equal(value("flight"), 0);
    done();
    assert.deepEqual(sent, [1, 2, 3]);
  });

  it("tries again soon when it drops what a timeout sends, and does not double the timeout for that", () => {
    const { net, client, value, done } = transfer(1, [], { rackTlp: false });
    const { channel } = net;
    const isData = (packet: number): boolean => net.packets.payloadLength(packet) > 0;
    const [rto, start] = [value("rto"), net.time];
    const times: number[] = [];
    // The first is lost on its way, the next three find the queue full.
    const isDropped = (packet: number): boolean => isData(packet) && times.length <= 4;
    client.queues.isFull = (packet) => {
      if (isData(packet)) times.push(net.time - start);
      return isDropped(packet) && times.length > 1;
    };
    net.channel = (packet, from, index) => (isDropped(packet) ? [] : channel(packet, from, index));
    done();
    assert.deepEqual(times, [0, rto, 2 * rto, 3 * rto, 4 * rto]);
    assert.equal(client.stack.counters.localCongestions, 0, "the timeout has reduced the window");
  });

  it("a loss during the reduction begins a recovery, which does not reduce the window a second time", () => {
    const { net, client, value, done } = transfer(200, [16]);
    const { channel } = net;
    const lost = new Set([4]);
    net.channel = (packet, from, index) => {
      const isLost = from === 0 && net.packets.payloadLength(packet) > 0 && lost.delete(1 + Math.floor(net.packets.offset(packet) / MSS));
      return isLost ? [] : channel(packet, from, index);
    };
    net.run(net.time);
    const { ssthresh } = { ssthresh: value("ssthresh") };
    assert.equal(value("in_cwr"), 1);
    net.run(net.time + 11 * MILLISECOND);
    assert.equal(value("in_recovery"), 1);
    assert.equal(value("in_cwr"), 0);
    assert.equal(value("ssthresh"), ssthresh);
    done();
    assert.equal(client.stack.counters.timeouts, 0);
  });
});
