import assert from "node:assert/strict";
import type { TcpOptions } from "../../../engine/network/tcp/tcp";
import type { TcpCounter } from "../../../engine/network/tcp/tcb";
import { netbsdTcp } from "../../../engine/network/tcp/tcp";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork, type Channel } from "../../support/tcpNetwork";

const MSS = 1448;

interface Transfer {
  readonly net: TcpNetwork;
  readonly value: (name: string) => number;
  readonly count: (name: TcpCounter) => number;
  /** Picoseconds from the first segment to the last byte read. */
  readonly time: number;
}

/** How much longer a data segment with a number, from 1, is on its way than others, at a time since the beginning; Infinity: it is lost. */
type Delay = (number: number, again: boolean, time: number) => number;

/** Host 0 sends segments to host 1, one each microsecond at most. @param way time one way */
function transfer(segments: number, options: Partial<TcpOptions>, way: number, delay: Delay, until = 100 * SECOND): Transfer {
  const net = new TcpNetwork({ congestion: "newreno", initialWindow: 20, ...options }, { delayedAck: 0 });
  net.channel = () => [way];
  const [client, server] = net.hosts;
  const [c] = net.open(80, 4 * way + MILLISECOND);
  let got = 0;
  let last = 0;
  const want = segments * MSS;
  let written = 0;
  const write = (): void => {
    while (written < want) {
      const taken = client.stack.send(c, want - written);
      if (taken === 0) break;
      written += taken;
    }
  };
  server.onReadable = (conn) => {
    got += server.stack.receive(conn, Infinity);
    last = net.time;
  };
  client.onWritable = write;
  const sent = new Set<number>();
  const channel: Channel = (packet, from) => {
    if (from === 1 || net.packets.payloadLength(packet) === 0) return [way];
    const number = 1 + (net.packets.relativeSequence(packet) - 1) / MSS;
    const again = sent.has(number);
    sent.add(number);
    free = Math.max(free, net.time) + MICROSECOND;
    const more = delay(number, again, net.time - start);
    return more === Infinity ? [] : [free - net.time + way + more];
  };
  let free = 0;
  const start = net.time;
  net.channel = channel;
  write();
  net.run(start + until);
  assert.equal(got, want);
  return {
    net, time: last - start, count: (name: TcpCounter) => client.stack.counters[name],
    value: (name) => client.stack.describe(c).find((v) => v.name === name)!.number!,
  };
}

describe("a window that was reduced for no loss", () => {
  /** Segment 5 is overtaken by those behind it. */
  const overtaken: Delay = (number, again) => (number === 5 && !again ? 60 * MICROSECOND : 0);

  it("is restored when the receiver reports what was sent again as a duplicate (D-SACK)", () => {
    const { value, count } = transfer(40, {}, 100 * MICROSECOND, overtaken);
    assert.deepEqual([count("retransmittedFast"), count("dsacksReceived"), count("undoneByDsack"), count("undoneByTimestamp")], [1, 1, 1, 0]);
    assert.ok(value("cwnd") >= 20 * MSS && value("ssthresh") > 20 * MSS, `${value("cwnd")} and ${value("ssthresh")}`);
    assert.equal(value("in_recovery"), 0);
  });

  it("stays reduced without that, as in NetBSD, or where the receiver reports no duplicates", () => {
    for (const options of [{ undo: false }, { ...netbsdTcp, undo: netbsdTcp.undo, dsack: netbsdTcp.dsack, initialWindowBytes: undefined, initialWindow: 20 }]) {
      const { value, count } = transfer(40, options, 100 * MICROSECOND, overtaken);
      assert.equal(count("retransmittedFast"), 1);
      assert.ok(value("ssthresh") < 16 * MSS, `${value("ssthresh")}`);
      assert.equal(count("undoneByDsack") + count("undoneByTimestamp"), 0);
    }
  });

  it("stays reduced after a loss, whatever is sent again for it", () => {
    const { value, count } = transfer(60, {}, 100 * MICROSECOND, (number, again) => ([5, 9, 10].includes(number) && !again ? Infinity : 0));
    assert.equal(count("retransmittedFast") + count("retransmittedBySack"), 3);
    assert.equal(count("undoneByDsack") + count("undoneByTimestamp"), 0);
    assert.ok(value("ssthresh") < 16 * MSS);
  });

  it("is not restored for one duplicate where two segments were sent again, one of which was lost", () => {
    const { count } = transfer(60, {}, 100 * MICROSECOND, (number, again) => (again ? 0 : number === 5 ? 300 * MICROSECOND : number === 9 ? Infinity : 0));
    assert.equal(count("dsacksReceived"), 1);
    assert.equal(count("retransmittedFast") + count("retransmittedBySack"), 2);
    assert.equal(count("undoneByDsack") + count("undoneByTimestamp"), 0);
  });

  it("is restored at once where the echoed timestamp is older than what was sent again (Eifel), in the middle of a recovery", () => {
    const late: Delay = (number, again) => (number === 5 && !again ? 30 * MILLISECOND : 0);
    const { value, count } = transfer(40, {}, 20 * MILLISECOND, late);
    assert.deepEqual([count("retransmittedFast"), count("undoneByTimestamp"), count("undoneByDsack")], [1, 1, 0]);
    assert.ok(value("cwnd") >= 20 * MSS);
  });

  it("is restored where the original comes so late that its timestamp is no longer acceptable (PAWS): the receiver reports it all the same", () => {
    const late: Delay = (number, again) => (number === 5 && !again ? 60 * MILLISECOND : 0);
    const { count, net } = transfer(40, {}, 20 * MILLISECOND, late);
    assert.equal(net.hosts[1].stack.counters.pawsDropped, 1);
    assert.deepEqual([count("retransmittedFast"), count("dsacksReceived"), count("undoneByDsack")], [1, 1, 1]);
  });

  it("is restored after a timeout that came too early, and what was sent before is not sent again", () => {
    // Everything is held up for half a second, longer than the timeout, and arrives in order then.
    const heldUp: Delay = (_number, _again, time) => Math.max(0, 550 * MILLISECOND - time);
    const { value, count } = transfer(60, {}, 20 * MILLISECOND, heldUp);
    assert.ok(count("timeouts") >= 1);
    assert.ok(count("retransmittedByTimeout") <= 2, `${count("retransmittedByTimeout")} segments sent again`);
    assert.equal(count("undoneByTimestamp"), 1);
    assert.ok(value("cwnd") >= 20 * MSS);
    const without = transfer(60, { undo: false }, 20 * MILLISECOND, heldUp);
    assert.ok(without.count("retransmittedByTimeout") >= 5, "it goes back to where the timeout was");
  });

  it("gives back the throughput that overtaking costs: reordering is no loss", () => {
    const reordering = (every: number): Delay => (number, again) => (number % every === 0 && !again ? 600 * MICROSECOND : 0);
    const rate = (options: Partial<TcpOptions>, every: number): number => (3000 * MSS) / transfer(3000, options, 1000 * MICROSECOND, reordering(every)).time;
    for (const congestion of ["newreno", "cubic"] as const) {
      const [calm, undone, reduced] = [rate({ congestion }, 1e9), rate({ congestion }, 97), rate({ congestion, undo: false }, 97)];
      assert.ok(undone > 2 * reduced, `${congestion}: ${(undone / reduced).toFixed(2)} times what it is without`);
      assert.ok(undone <= calm * 1.02 && reduced < calm / 2, `${congestion}: ${(undone / calm).toFixed(2)} and ${(reduced / calm).toFixed(2)} of what it is without reordering`);
    }
  });
});
