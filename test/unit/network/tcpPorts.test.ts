import assert from "node:assert/strict";
import { NO_CONNECTION, linuxTcp, netbsdTcp, rumpTcp } from "../../../engine/network/tcp/tcp";
import { TcpNetwork, type Host } from "../../support/tcpNetwork";

describe("dynamic ports of TCP", () => {
  const remote = TcpNetwork.ip(1);
  const local = TcpNetwork.ip(0);

  const opened = ({ stack }: Host, count: number): number[] => Array.from({ length: count }, () => stack.localPort(stack.connect(local, 0, remote, 80)));

  it("are of the system's range: Linux goes upwards in it, NetBSD downwards", () => {
    for (const [options, ports] of [[linuxTcp, [32768, 32769, 32770]], [netbsdTcp, [65535, 65534, 65533]]] as const) assert.deepEqual(opened(new TcpNetwork(options).hosts[0], 3), ports);
  });

  it("begin at a random one in each life of Linux but its first, and at NetBSD's last in each of its", () => {
    for (const [options, ports] of [[linuxTcp, [60998, 60999, 32768]], [netbsdTcp, [65535, 65534, 65533]]] as const) {
      const [host] = new TcpNetwork(options).hosts;
      host.nextRandomPort = 28_230;
      host.stack.booted();
      assert.deepEqual(opened(host, 3), ports);
    }
  });

  it("begin at a random one for each connection of a rump kernel, and go upwards from there", () => {
    const [host] = new TcpNetwork(rumpTcp).hosts;
    host.nextRandomPort = 16_382;
    assert.deepEqual(opened(host, 3), [65534, 65535, 49152]);
    host.nextRandomPort = 100;
    assert.deepEqual(opened(host, 1), [49252]);
  });

  it("are given in turn but for those in use, until there is none", () => {
    const { stack } = new TcpNetwork({ dynamicPorts: [40000, 40004] }).hosts[0];
    stack.listen(0, 40003, 1);
    const open = (port = 80): number => stack.connect(local, 0, remote, port);
    const kept = open();
    const opened: number[] = [stack.localPort(kept)];
    for (let i = 0; i < 6; i++) {
      const conn = open();
      opened.push(stack.localPort(conn));
      stack.abort(conn);
    }
    assert.deepEqual(opened, [40000, 40001, 40002, 40004, 40001, 40002, 40004]);
    for (let i = 0; i < 3; i++) assert.ok(open() >= 0);
    assert.equal(open(), NO_CONNECTION);
    assert.ok(open(81) >= 0, "to another port of the server they are free");
    stack.abort(kept);
    assert.equal(stack.localPort(open()), 40000);
  });
});
