import assert from "node:assert/strict";
import type { Table } from "../../../engine/kernel/state";
import { tcbSchema } from "../../../engine/network/tcp/tcb";
import { MILLISECOND, TcpNetwork } from "../../support/tcpNetwork";

describe("TCP connections", () => {
  const blocks = (net: TcpNetwork): Table<typeof tcbSchema> => net.store.shared("TCP connections", tcbSchema);

  it("are numbered by their stack, though all stacks have rows of one table", () => {
    const net = new TcpNetwork();
    const pairs = [80, 81, 82].map((port) => net.open(port));
    assert.deepEqual(pairs, [[0, 0], [1, 1], [2, 2]]);
    const [a, b] = net.hosts;
    a.stack.send(pairs[1]![0], 1000);
    net.run(net.time + MILLISECOND);
    assert.deepEqual(pairs.map(([, s]) => b.stack.available(s)), [0, 1000, 0]);
    // Six, and the one that stands for none.
    assert.equal(blocks(net).rows, 7);
  });

  it("stand for closed ones when they are over, never for another stack's", () => {
    const net = new TcpNetwork();
    const [a, b] = net.hosts;
    const [c, s] = net.open();
    a.stack.abort(c);
    net.run(net.time + MILLISECOND);
    b.stack.close(s);
    assert.deepEqual([a.stack.stateName(c), b.stack.stateName(s)], ["CLOSED", "CLOSED"]);
    // The other way round: who gave his number back first, takes one first.
    a.stack.listen(TcpNetwork.ip(0), 90, 16);
    const first = b.stack.connect(TcpNetwork.ip(1), 0, TcpNetwork.ip(0), 90);
    assert.equal(first, s);
    assert.deepEqual([a.stack.stateName(c), a.stack.outputReady(c)], ["CLOSED", false]);
    net.run(net.time + MILLISECOND);
    assert.equal(a.stack.accept(TcpNetwork.ip(0), 90), c);
    assert.deepEqual([-1, 7, 1000].map((none) => [a.stack.stateName(none), a.stack.outputReady(none)]), Array(3).fill(["CLOSED", false]));
  });

  it("are gone with the memory of their stack: those of others go on, and find their rows as they were", () => {
    const net = new TcpNetwork();
    const [a, b] = net.hosts;
    const start = net.store.copyScope(b.scope);
    const open = (): readonly [number, number] => {
      const pair = net.open();
      // Not read, not acknowledged, beyond a gap.
      const from = net.sent.length;
      net.channel = (_packet, _from, i) => (i === from + 1 ? [] : [MILLISECOND]);
      for (const [stack, conn] of [[a.stack, pair[0]], [b.stack, pair[1]]] as const) for (let i = 0; i < 6; i++) stack.send(conn, 1000);
      net.run(net.time + 1.5 * MILLISECOND);
      net.channel = () => [1];
      return pair;
    };
    const [, gap] = open();
    const beyond = ({ stack }: TcpNetwork["hosts"][number], conn: number): string => stack.describe(conn).find(({ name }) => name === "out of order")!.value;
    assert.equal(beyond(b, gap), "2896 B in 1 blocks");
    const tables = (): number[] => {
      const all = (net.store as unknown as { readonly tables: readonly { readonly tableName: string; readonly rows: number }[] }).tables;
      return all.filter(({ tableName }) => tableName.startsWith("TCP")).map(({ rows }) => rows);
    };
    for (let boot = 0, after: number[] | undefined; boot < 3; boot++) {
      const before = net.store.copyScope(a.scope);
      net.store.restoreScope(b.scope, start);
      assert.deepEqual(net.store.copyScope(b.scope), start);
      assert.deepEqual(net.store.copyScope(a.scope), before);
      assert.equal(b.stack.describeAll().variables.filter(({ name }) => name.includes("↔")).length, 0);
      b.timers.clear();
      const [c, s] = net.open(80 + boot);
      assert.deepEqual([c, s], [1 + boot, 0]);
      assert.deepEqual([beyond(a, c), beyond(b, s)], Array(2).fill("0 B in 0 blocks"));
      b.stack.send(s, 1000);
      net.run(net.time + MILLISECOND);
      assert.equal(a.stack.receive(c, 5000), 1000);
      after ??= tables().map((rows) => rows + 2);
      tables().forEach((rows, t) => assert.ok(rows <= after![t]!, `${rows} rows, ${after![t]!} expected`));
    }
  });
});
