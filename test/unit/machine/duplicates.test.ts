import assert from "node:assert/strict";
import * as fc from "fast-check";
import { summary } from "../../../engine/cli/summary";
import { DatagramCounts } from "../../../engine/components/datagramCounts";
import type { LoadGenerator } from "../../../engine/components/loadGenerator";
import { createEngine, type MachineEngine } from "../../../engine/create";
import type { WorkloadReport } from "../../../engine/machine/machine";
import { Store } from "../../../engine/kernel/state";
import { rowsOf } from "../../support/act";
import { designOf, runDesign } from "../../support/runDesign";

function design(link: string, workload: string): string {
  return `
exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599, sriov: { vfs: 1 } } }
    hypervisor: { model: xen }
    domains: { web: { components: [${workload.startsWith("udp-stream") ? "discard" : "echo"}: { protocol: udp }, libc, tcpip, ixgbe: { bind: nic0.vf0 }] } }
  client: { model: load-generator, cpu: { cores: 4 }, link: { to: server.nic0, ${link} } }
workloads: [${workload}]
run: { until: 400ms, seed: 3 }
`;
}

/** One workload over a link that doubles and loses packets. `arrivals`: which request, or datagram of a stream, each is that came to where it is counted. */
function over(link: string, workload: string): { w: WorkloadReport; arrivals: number[]; printed: string; inspected: Record<string, number | undefined>; server: Record<string, number | undefined> } {
  const isStream = workload.startsWith("udp-stream");
  const { engine, report } = runDesign(design(link, workload));
  const { machine } = engine.built;
  const client = machine.placed("client/os/load-generator") as LoadGenerator;
  const numbers = (id: number): Record<string, number | undefined> => Object.fromEntries(engine.describeComponent(id)[0]!.variables.map(({ name, number }) => [name, number]));
  const arrivals = rowsOf(engine, isStream ? "udp_input" : workload.startsWith("ping") ? "icmp_rcv" : "udp_rcv")
    .filter((row) => engine.names.components[engine.trace.component(row)]!.path === (isStream ? "server/web/tcpip" : "client/os/tcpip"))
    .map((row) => machine.transcript.at(machine.packets.stream(engine.trace.packet(row)), machine.packets.offset(engine.trace.packet(row))))
    .map((message) => (isStream ? message : machine.transcript.valueOf(message)));
  const server = isStream ? machine.placed("server/web/discard").id : machine.placed("server/web/echo").id;
  return { w: client.reports()[0]!, arrivals, printed: summary(report), inspected: numbers(client.id), server: numbers(server) };
}

describe("packets that the network doubles", () => {
  const REQUESTS = [
    "open-loop: { from: client, to: web, arrivals: periodic, interval: 1ms, requests: 100 }",
    "ping: { from: client, to: web, interval: 1ms, requests: 100 }",
  ];

  for (const workload of REQUESTS) {
    it(`answer no request twice: each counts once, with the latency of the first answer (${workload.split(":")[0]})`, () => {
      const { w, arrivals, printed, inspected } = over("duplicate: 100%", workload);
      // Both copies of a request are answered, and each answer comes twice.
      assert.deepEqual([w.completed, w.duplicates, w.latency.count, arrivals.length], [100, 300, 100, 400]);
      assert.equal(w.bytes, over("delay: 1us", workload).w.bytes);
      assert.match(printed, /100 of 100/);
      assert.match(printed, /Duplicates, which are not among what is completed: workloads\/\S+: 300\./);
      assert.deepEqual([inspected["completed"], inspected["duplicates"]], [100, 300]);
    });

    it(`do not stand for those that are lost (${workload.split(":")[0]})`, () => {
      const { w, arrivals } = over("duplicate: 80%, loss: 30%", workload);
      assert.ok(w.completed < 100 && arrivals.length > 100, `${w.completed}, ${arrivals.length}`);
      assert.deepEqual([w.completed, w.duplicates], [new Set(arrivals).size, arrivals.length - new Set(arrivals).size]);
    });
  }

  it("are told apart by the server that counts a stream", () => {
    const workload = "udp-stream: { from: client, to: web, size: 1000B, interval: 100us, duration: 20ms }";
    const { w, arrivals, inspected, server } = over("duplicate: 100%", workload);
    assert.ok(w.sent > 100);
    assert.deepEqual([w.completed, w.duplicates, w.bytes, arrivals.length], [w.sent, w.sent, w.sent * 1000, 2 * w.sent]);
    assert.deepEqual([inspected["completed"], inspected["duplicates"]], [w.sent, w.sent]);
    assert.deepEqual([server["datagrams received"], server["duplicates among them"]], [2 * w.sent, w.sent]);
    const lossy = over("duplicate: 80%, loss: 30%", workload);
    assert.ok(lossy.w.completed < lossy.w.sent && lossy.arrivals.length > lossy.w.sent);
    assert.deepEqual([lossy.w.completed, lossy.w.duplicates], [new Set(lossy.arrivals).size, lossy.arrivals.length - new Set(lossy.arrivals).size]);
  });

  it("are known as before when a run goes back", () => {
    for (const workload of ["ping: { from: client, to: web, interval: 500us, requests: 30 }", "udp-stream: { from: client, to: web, size: 1000B, interval: 100us, duration: 15ms }"]) {
      for (const keyframeAt of [5e9, 15e9]) {
        const engine = createEngine(designOf(design("duplicate: 80%, loss: 30%", workload)));
        const until = (time: number): void => { while (engine.time < time && engine.dispatch()); };
        until(keyframeAt);
        const replayer = engine.replayer();
        replayer.restore(engine.snapshot());
        until(30e9);
        while (replayer.rows < engine.rows && replayer.dispatch());
        assert.equal(replayer.rows, engine.rows);
        assert.deepEqual((replayer as MachineEngine).built.machine.kernel.store.snapshot().delta, engine.built.machine.kernel.store.snapshot().delta);
      }
    }
  });

  it("are not spoken of where there are none", () => {
    assert.doesNotMatch(over("delay: 1us", REQUESTS[1]!).printed, /[Dd]uplicate/);
  });
});

describe("the window of a stream's datagrams", () => {
  const WINDOW = 65536;
  const LENGTH = 7;
  const told = (numbers: readonly number[]): boolean[] => {
    const counts = new DatagramCounts(new Store(), "server");
    return numbers.map((number, i) => counts.book(4, number * LENGTH, LENGTH, i));
  };

  it("knows each of them that is not further behind than it reaches, in any order", () => {
    fc.assert(fc.property(fc.array(fc.nat(300), { maxLength: 400 }), fc.nat(3 * WINDOW), (steps, from) => {
      const had = new Set<number>();
      const numbers = steps.map((step) => from + step);
      const expected = numbers.map((number) => {
        const isNew = !had.has(number);
        had.add(number);
        return isNew;
      });
      assert.deepEqual(told(numbers), expected);
    }));
  });

  it("forgets what it has left behind, and takes that for copies", () => {
    assert.deepEqual(told([0, WINDOW - 1, 0, 1]), [true, true, false, true]);
    assert.deepEqual(told([0, WINDOW, 0, 1, WINDOW, 2 * WINDOW]), [true, true, false, true, false, true]);
    assert.deepEqual(told([5, 10 * WINDOW + 5, 9 * WINDOW + 6, 9 * WINDOW + 5]), [true, true, true, false]);
  });

  it("keeps streams apart", () => {
    const counts = new DatagramCounts(new Store(), "server");
    assert.deepEqual([counts.book(0, 0, LENGTH, 1), counts.book(2, 0, LENGTH, 2), counts.book(0, 0, LENGTH, 3)], [true, true, false]);
    assert.deepEqual(counts.on(0), { messages: 1, bytes: LENGTH, duplicates: 1, first: 1, last: 1, silence: 0 });
    assert.equal(counts.on(100).messages, 0);
  });
});
