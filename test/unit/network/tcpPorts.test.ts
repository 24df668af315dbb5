import assert from "node:assert/strict";
import { NO_CONNECTION, linuxTcp, netbsdTcp } from "../../../engine/network/tcp/tcp";
import { TcpNetwork } from "../../support/tcpNetwork";

describe("dynamic ports of TCP", () => {
  const remote = TcpNetwork.ip(1);
  const local = TcpNetwork.ip(0);

  it("are of the system's range", () => {
    for (const [options, first] of [[linuxTcp, 32768], [netbsdTcp, 49152]] as const) {
      const { stack } = new TcpNetwork(options).hosts[0];
      assert.equal(stack.localPort(stack.connect(local, 0, remote, 80)), first);
    }
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
