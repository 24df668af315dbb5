import assert from "node:assert/strict";
import { linuxTcp, netbsdTcp, type TcpOptions } from "../../../engine/network/tcp/tcp";
import { MICROSECOND, MILLISECOND, SECOND, TcpNetwork } from "../../support/tcpNetwork";

/** Where the two systems differ here, with times and buffers that are the same. */
const receiver = ({ windowUpdates }: TcpOptions, receiveBuffer: number): Partial<TcpOptions> => ({ windowUpdates, receiveBuffer, delayedAck: 100 * MILLISECOND, quickAcks: 0 });

/** Acknowledgement numbers and windows, in order, of the segments without data that host 1 has sent from the given one on. */
function pureAcks(net: TcpNetwork, from: number): { readonly ack: number; readonly window: number }[] {
  return net.sent.slice(from).filter((s) => s.from === 1).map(({ packet }) => ({ ack: net.packets.acknowledgement(packet), window: net.packets.window(packet) }));
}

describe("TCP window updates", () => {
  /** A download whose segments come in sevens, as where a receiver takes them in together (GRO), and are read a little later. @returns ACKs, and how many of them tell a window only */
  function download(system: TcpOptions, segments: number): readonly [number, number] {
    const net = new TcpNetwork({ initialWindow: 14 }, receiver(system, 1 << 20));
    const [c, s] = net.open();
    const from = net.sent.length;
    let [sent, at] = [0, 0];
    net.channel = (_packet, host) => {
      if (host === 1) return [20 * MICROSECOND];
      if (sent++ % 7 === 0) at = Math.max(at, net.time) + 10 * MICROSECOND;
      return [Math.max(at, net.time) - net.time + 20 * MICROSECOND];
    };
    net.hosts[1].onReadable = () => void net.at(net.time + 5 * MICROSECOND, () => void net.hosts[1].stack.receive(s, Infinity));
    net.hosts[0].stack.send(c, segments * 1448);
    net.run(net.time + SECOND);
    const acks = pureAcks(net, from);
    return [acks.length, acks.filter(({ ack }, i) => i > 0 && ack === acks[i - 1]!.ack).length];
  }

  it("are none of a Linux receiver whose buffer is read soon: it sends one ACK for what comes together, and no more", () => {
    assert.deepEqual(download(linuxTcp, 2100), [300, 0]);
  });

  it("are sent by a NetBSD receiver whenever the window has opened by two segments", () => {
    assert.deepEqual(download(netbsdTcp, 2100), [600, 300]);
  });

  /** 60,000 bytes wait in a buffer of 65,536 and are read by the thousand. @returns the windows that are told */
  function drain(system: TcpOptions): number[] {
    const net = new TcpNetwork({}, receiver(system, 65536));
    const [c, s] = net.open();
    net.hosts[0].stack.send(c, 60_000);
    net.run(net.time + SECOND);
    const from = net.sent.length;
    for (let i = 0; i < 60; i++) {
      net.hosts[1].stack.receive(s, 1000);
      net.run(net.time + MILLISECOND);
    }
    return pureAcks(net, from).map(({ window }) => window << linuxTcp.windowScale);
  }

  it("wait, where the system is Linux, until the window can be doubled, and are needless where half of it is left", () => {
    // 5,536 are left at first; windows are multiples of 128.
    assert.deepEqual(drain(linuxTcp), [11_520, 23_424, 47_488]);
    assert.equal(drain(netbsdTcp).length, 20, "after three reads: two segments of 1,460");
  });

  it("say nothing of a window that is too small to be used", () => {
    const windows = (system: TcpOptions): number[] => {
      const net = new TcpNetwork({}, receiver(system, 65536));
      const [c, s] = net.open();
      net.hosts[0].stack.send(c, 100_000);
      net.run(net.time + 100 * MILLISECOND);
      const from = net.sent.length;
      for (let i = 0; i < 10 && pureAcks(net, from).length === 0; i++) {
        net.hosts[1].stack.receive(s, 700);
        net.run(net.time + MICROSECOND);
      }
      return pureAcks(net, from).map(({ window }) => window << linuxTcp.windowScale);
    };
    // 376 bytes are left at first, and reads are of 700. Linux: a sixteenth of the buffer is 4,096. BSD: two segments of 1,460 more than before.
    assert.deepEqual([windows(linuxTcp), windows(netbsdTcp)], [[4480], [3840]]);
  });

  it("come with the ACK of more than a segment that a Linux receiver had delayed", () => {
    const acked = (system: TcpOptions): number => {
      const net = new TcpNetwork({ nagle: false }, receiver(system, 65535));
      const [c, s] = net.open();
      const from = net.sent.length;
      const start = net.time;
      net.hosts[1].onReadable = () => void net.at(net.time + 5 * MICROSECOND, () => void net.hosts[1].stack.receive(s, Infinity));
      net.hosts[0].stack.send(c, 2000);
      net.run(start + SECOND);
      assert.equal(pureAcks(net, from).length, 1);
      return net.sent.at(-1)!.time - start;
    };
    assert.equal(acked(linuxTcp), 15 * MICROSECOND);
    assert.equal(acked(netbsdTcp), 100 * MILLISECOND + 10 * MICROSECOND);
  });
});
