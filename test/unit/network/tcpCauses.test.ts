import assert from "node:assert/strict";
import { TcpFlag } from "../../../engine/network/packets";
import { MILLISECOND, TcpNetwork } from "../../support/tcpNetwork";

const SEGMENT = 1448;

/** Segments of host 0 from `from` on: first byte, length, and the call that each goes back to. */
function segments(net: TcpNetwork, from: number): { readonly offset: number; readonly length: number; readonly fin: boolean; readonly call: string; readonly number: number }[] {
  return net.sent.slice(from).filter((sent) => sent.from === 0).map(({ packet, cause }) => ({
    offset: net.packets.columns.offset[packet]!, length: net.packets.payloadLength(packet), fin: (net.packets.flags(packet) & TcpFlag.fin) !== 0,
    call: net.calls[cause]!.name, number: cause,
  }));
}

describe("TCP: who asked for a segment", () => {
  it("is the call that wrote its first byte, however many ACKs had to open the window", () => {
    const net = new TcpNetwork();
    const [c, s] = net.open();
    net.hosts[1].onReadable = () => net.hosts[1].stack.receive(s, 1e9);
    const from = net.sent.length;
    const sizes = [100 * SEGMENT, 300, 40 * SEGMENT];
    const writes: { readonly number: number; readonly end: number }[] = [];
    let end = 0;
    for (const size of sizes) {
      writes.push({ number: net.calls.length, end: (end += size) });
      assert.equal(net.hosts[0].stack.send(c, size), size);
    }
    net.run();
    const found = segments(net, from).filter(({ length }) => length > 0);
    assert.equal(found.reduce((sum, { length }) => sum + length, 0), end);
    for (const { offset, number } of found) assert.equal(number, writes.find((write) => offset < write.end)!.number, `the segment from byte ${offset} on`);
  });

  it("is close for a FIN, whenever it may leave", () => {
    const net = new TcpNetwork();
    const [c, s] = net.open();
    net.hosts[1].onReadable = () => net.hosts[1].stack.receive(s, 1e9);
    const from = net.sent.length;
    net.hosts[0].stack.send(c, 64 * SEGMENT);
    net.run(net.time + 1);
    const close = net.calls.length;
    net.hosts[0].stack.close(c);
    net.run(net.time + 100 * MILLISECOND);
    const fins = segments(net, from).filter(({ fin }) => fin);
    // It goes with the last bytes, or after them.
    assert.equal(fins.length, 1);
    const [fin] = fins;
    assert.ok(fin!.length > 0 ? fin!.call === "send" : fin!.number === close, fin!.call);
    // Nothing is left to wait for: alone, at once.
    const again = new TcpNetwork();
    const [d] = again.open();
    const first = again.sent.length;
    again.hosts[0].stack.close(d);
    again.run(again.time + MILLISECOND);
    assert.deepEqual(segments(again, first).filter(({ fin: is }) => is).map(({ call }) => call), ["close"]);
  });

  it("is the duplicate ACK that showed the loss, for all that is sent again in this recovery", () => {
    for (const sack of [true, false]) {
      const net = new TcpNetwork({ sack }, { sack });
      const [c, s] = net.open();
      net.hosts[1].onReadable = () => net.hosts[1].stack.receive(s, 1e9);
      net.hosts[0].stack.send(c, 8 * SEGMENT);
      net.run(net.time + MILLISECOND);
      const from = net.sent.length;
      // Three holes in one window, whose segments come one by one: each is answered by an ACK of its own.
      const lost = new Set([from + 1, from + 3, from + 5]);
      net.channel = (_packet, _host, index) => (lost.has(index) ? [] : [10e6 + (index - from) * 1000]);
      net.hosts[0].stack.send(c, 16 * SEGMENT);
      net.run(net.time + 100 * MILLISECOND);
      const again = segments(net, from).filter(({ offset, length }, i, all) => length > 0 && all.slice(0, i).some((other) => other.length > 0 && other.offset === offset));
      assert.equal(again.length, 3, `SACK ${sack}`);
      assert.deepEqual([...new Set(again.map(({ call }) => call))], ["input"]);
      assert.equal(new Set(again.map(({ number }) => number)).size, 1, "one loss, one cause");
    }
  });

  it("is the timeout for what goes again after it", () => {
    const net = new TcpNetwork();
    const [c, s] = net.open();
    net.hosts[1].onReadable = () => net.hosts[1].stack.receive(s, 1e9);
    const from = net.sent.length;
    net.channel = (_packet, _host, index) => (index < from + 4 ? [] : [10e6]);
    net.hosts[0].stack.send(c, 4 * SEGMENT);
    net.run();
    const again = segments(net, from).slice(4).filter(({ length }) => length > 0);
    assert.equal(again.length, 4);
    assert.deepEqual(again.map(({ call }) => call), again.map(() => "timeout"));
    assert.equal(new Set(again.map(({ number }) => number)).size, 1);
  });

  it("is the segment that an ACK answers", () => {
    const net = new TcpNetwork();
    const [c, s] = net.open();
    net.hosts[1].onReadable = () => net.hosts[1].stack.receive(s, 1e9);
    const from = net.sent.length;
    net.hosts[0].stack.send(c, 20 * SEGMENT);
    net.run();
    const acks = net.sent.slice(from).filter((sent) => sent.from === 1);
    assert.ok(acks.length > 1);
    for (const { cause } of acks) assert.equal(net.calls[cause]!.name, "input");
  });
});
