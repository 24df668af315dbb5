import assert from "node:assert/strict";
import { report } from "../../../engine/analysis/report";
import type { Ixgbe } from "../../../engine/components/ixgbe";
import type { NicTransmit } from "../../../engine/components/nicTransmit";
import type { TcpIp } from "../../../engine/components/tcpip";
import { createEngine, type MachineEngine } from "../../../engine/create";
import type { Nic } from "../../../engine/machine/nic/nic";
import { linuxTcp } from "../../../engine/network/tcp/tcp";
import { truesize } from "../../../engine/network/tcp/smallQueues";
import { act, rowsOf } from "../../support/act";
import { designText } from "../../support/designText";
import { designOf } from "../../support/runDesign";

/** A Linux guest that sends 3 MiB by each of some connections, whose slow start nothing ends but the receiver's window of 1 MiB, over a link of 1 Gb/s. */
function bulk(connections: number): MachineEngine {
  const text = designText(
    { domains: { web: ["http-server", "libc", "tcpip: { congestion: newreno }", "ixgbe: { bind: nic0.vf0 }"] } },
    `workloads:\n  - http: { from: client, to: web, size: 3MiB, requests: ${connections}, concurrency: ${connections} }\n`,
  ).replace("to: server.nic0 }", "to: server.nic0, rate: 1Gbps }").replace("      web:\n", "      web:\n        kind: vm\n        system: linux\n");
  return createEngine(designOf(text));
}

const LIMIT = linuxTcp.smallQueues!.limit;
/** The longest segment that an interface cuts (64 KiB with headers), in frames of 1,448 B. */
const LONGEST = truesize(Math.floor((65536 - 80) / 1448) * 1448);

function run(connections: number, without = false) {
  const engine = bulk(connections);
  const { machine } = engine.built;
  const { tcp } = machine.placed("server/web/tcpip") as TcpIp;
  const { nic, f } = machine.placed("server/web/ixgbe") as Ixgbe;
  const core = tcp["tcp"];
  if (without) Object.assign(core, { smallQueues: undefined });
  const { rows } = core.smallQueues ?? { rows: undefined };
  let [below, descriptors, dispatches] = [0, 0, 0];
  while (engine.dispatch()) {
    if (rows !== undefined && dispatches++ % 256 === 0) assert.deepEqual([...rows.below.subarray(0, rows.rows)], held(engine, rows.rows));
    for (let conn = 0; rows !== undefined && conn < rows.rows; conn++) below = Math.max(below, rows.below[conn]!);
    descriptors = Math.max(descriptors, nic.transmitQueues.state.used[nic.rowOf(f, 0)]!);
  }
  return { engine, tcp, left: core.numbers.all().map((conn: number) => rows?.below[conn]), below, descriptors, report: report(engine) };
}

/** What connections have on the ring of the guest's queue, and in its queueing discipline, by looking there. */
function held(engine: MachineEngine, connections: number): number[] {
  const { machine } = engine.built;
  const { packets } = machine;
  const { tcp } = machine.placed("server/web/tcpip") as TcpIp;
  const { nic, f, sending } = machine.placed("server/web/ixgbe") as unknown as { nic: Nic; f: number; sending: NicTransmit };
  const found: number[] = [];
  const { state } = nic["transmitQueues"];
  const watched = nic["transmitQueues"]["watched"];
  for (let row = state.first[nic.functions[f]!.queues[0]!.row]! - 1; row >= 0; row = watched.next[row]! - 1) found.push(watched.packet[row]!);
  const { queue, frame } = sending["discipline"] as unknown as { queue: { first: Int32Array }; frame: { packet: Int32Array; next: Int32Array } };
  for (let row = queue.first[0]! - 1; row >= 0; row = frame.next[row]! - 1) found.push(frame.packet[row]!);
  const bytes = new Array<number>(connections).fill(0);
  for (const packet of found) {
    const conn = tcp["tcp"].connections.find(packets.sourceIp(packet), packets.sourcePort(packet), packets.destinationIp(packet), packets.destinationPort(packet));
    if (conn >= 0 && packets.payloadLength(packet) > 0) bytes[conn]! += truesize(packets.payloadLength(packet));
  }
  return bytes;
}

describe("small queues below TCP of Linux", () => {
  it("one connection has no more on the ring than the limit and a segment, and the link is as busy as without", () => {
    const { engine, tcp, left, below, descriptors, report: { workloads: [first], drops } } = run(1);
    assert.ok(below > LIMIT / 2 && below <= LIMIT + LONGEST, `${below} B`);
    assert.deepEqual(left, [0], "all is freed in the end");
    assert.deepEqual(drops, {});
    assert.equal(tcp.counters.retransmittedBySack + tcp.counters.timeouts, 0);
    const resumed = rowsOf(engine, "tcp_tsq_handler");
    assert.ok(resumed.length > 20, `${resumed.length} times`);
    assert.equal(rowsOf(engine, "tcp_tasklet_func").length, resumed.length);
    for (const row of resumed) {
      const tasklet = engine.trace.cause(row);
      assert.equal(engine.names.functions[engine.trace.fn(tasklet)]!.name, "tcp_tasklet_func");
      assert.equal(engine.names.functions[engine.trace.fn(engine.trace.cause(tasklet))]!.name, "ixgbe_clean_tx_irq", "a frame is freed, and the tasklet runs");
    }
    const { descriptors: most, engine: other, report: { workloads: [same] } } = run(1, true);
    assert.equal(rowsOf(other, "tcp_tsq_handler").length, 0);
    assert.ok(most > 3 * descriptors, `${most} and ${descriptors} descriptors`);
    assert.ok(Math.abs(same!.goodput / first!.goodput - 1) < 0.001);
  });

  it("two connections have as much each, and are freed by the same interrupts", () => {
    const { left, below, descriptors } = run(2);
    assert.ok(below <= LIMIT + LONGEST, `${below} B`);
    assert.deepEqual(left, [0, 0]);
    assert.ok(descriptors > 0 && run(2, true).descriptors > 3 * descriptors);
  });

  it("count nothing any more when the driver has reset its adapter", () => {
    const engine = bulk(1);
    const { tcp } = engine.built.machine.placed("server/web/tcpip") as TcpIp;
    const driver = engine.built.machine.placed("server/web/ixgbe") as Ixgbe;
    const { smallQueues, numbers } = tcp["tcp"];
    const below = (): number => smallQueues!.rows.below[numbers.row(0)]!;
    act(engine, 20e9, () => {
      assert.ok(below() > LIMIT / 2, `${below()} B are below`);
      driver.down(driver.threads[0]!);
    });
    while (engine.dispatch());
    assert.ok(rowsOf(engine, "function-level reset").length > 0);
    assert.equal(below(), 0);
  });

  it("leave it to the process that owns the socket to go on", () => {
    const engine = createEngine(designOf(designText(
      { domains: { sink: ["discard", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"] } },
      `workloads:\n${"  - tcp-stream: { from: client, to: sink, duration: 10ms, write: 256KiB }\n".repeat(3)}run: { until: 100ms }\n`,
    ).replace("to: server.nic0 }", "to: server.nic0 }, cpu: { cores: 2 }").replace("      sink:\n", "      sink:\n        kind: vm\n        system: linux\n")));
    const { tcp } = engine.built.machine.placed("client/os/tcpip") as TcpIp;
    Object.assign(tcp["tcp"], { hystart: false });
    while (engine.dispatch());
    const caller = (row: number): string => engine.names.functions[engine.trace.fn(engine.trace.cause(row))]!.name;
    const [tasklets, handlers, left] = ["tcp_tasklet_func", "tcp_tsq_handler", "sk_free"].map((name) => rowsOf(engine, name)) as [number[], number[], number[]];
    assert.ok(left.length > 0, "found owned");
    assert.ok(left.every((row) => caller(row) === "tcp_tasklet_func"));
    const byOwner = handlers.filter((row) => caller(row) !== "tcp_tasklet_func");
    assert.ok(byOwner.length > 0 && byOwner.length <= left.length);
    assert.equal(handlers.length - byOwner.length, tasklets.length - left.length);
  });

  it("are told of by the inspector, of Linux alone", () => {
    const { tcp } = run(1);
    const names = tcp.describe(0).map(({ name }) => name);
    assert.ok(["wmem_alloc", "tsq_limit", "tsq_throttled", "pacing_rate"].every((name) => names.includes(name)));
    const engine = createEngine(designOf(designText({ domains: { web: ["http-server", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"] } }, "workloads:\n  - http: { from: client, to: web, requests: 1 }\n")));
    while (engine.dispatch());
    const netbsd = engine.built.machine.placed("server/web/tcpip") as TcpIp;
    assert.equal(netbsd.tcp.describe(0).some(({ name }) => name === "tsq_limit"), false);
    assert.equal(netbsd.tcp["tcp"].smallQueues, undefined);
  });
});
