import assert from "node:assert/strict";
import { report, type RunReport } from "../../../engine/analysis/report";
import type { SocketUser } from "../../../engine/components/socketUser";
import type { TcpIp } from "../../../engine/components/tcpip";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { inDispatch } from "../../support/inDispatch";
import { designOf } from "../../support/runDesign";

const text = (workload: string): string => `
exoscope: 1
name: ports
hosts:
  server:
    cpu: { cores: 2 }
    iommu: on
    devices:
      nic0: { model: intel-82599, mtu: 1500, sriov: { vfs: 2 } }
    hypervisor: { model: xen }
    domains:
      web: { kind: vm, components: [ http-server, echo, libc, tcpip, ixgbe: { bind: nic0.vf0 } ] }
  client: { model: load-generator, cpu: { cores: 2 }, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }
workloads:
  - ${workload}
run: { until: 100ms }
`;
const CLOSED = "http: { from: client, to: web, concurrency: 4, requests: 50, size: 10, keepalive: false }";
const OPEN = "open-loop: { from: client, to: web, concurrency: 4, requests: 50, size: 10, interval: 50us }";

const clientOf = (engine: MachineEngine): TcpIp => engine.built.machine.placed("client/os/tcpip") as TcpIp;

/** Runs with a stack that has no port for the connections that `fails` says, counted from 0. */
function runWith(workload: string, fails: (attempt: number) => boolean): { readonly result: RunReport; readonly attempts: number; readonly rows: number } {
  const engine = createEngine(designOf(text(workload)));
  const stack = clientOf(engine);
  const open = stack.open.bind(stack);
  let attempts = 0;
  stack.open = (user, ip, port) => (fails(attempts++) ? "EADDRNOTAVAIL" : open(user, ip, port));
  while (engine.dispatch());
  const result = report(engine);
  return { result, attempts, rows: result.incidents["connect failed: EADDRNOTAVAIL"] ?? 0 };
}

describe("a connection for which there is no port", () => {
  for (const workload of [CLOSED, OPEN]) {
    it(`is a row that says so, and is tried again: ${workload.split(":")[0]}`, () => {
      const { result, rows } = runWith(workload, (attempt) => attempt >= 2 && attempt < 7);
      assert.equal(rows, 5);
      assert.deepEqual(result.workloads.map(({ completed, errors }) => [completed, errors]), [[50, 5]]);
    });

    it(`is given up in the end: ${workload.split(":")[0]}`, () => {
      const { result, rows, attempts } = runWith(workload, () => true);
      // The four that are asked for at first, and ten more.
      assert.deepEqual([rows, attempts], [14, 14]);
      assert.deepEqual(result.workloads.map(({ completed, errors }) => [completed, errors]), [[0, 14]]);
    });
  }

  it("is none as long as another port is free: Linux' are 28,232 and are given in turn", () => {
    const engine = createEngine(designOf(text(OPEN)));
    const { machine } = engine.built;
    const stack = clientOf(engine);
    const { ip } = machine.placed("server/web/tcpip") as TcpIp;
    const nobody: SocketUser = { onAcceptable: () => {}, onReadable: () => {}, onWritable: () => {}, onEstablished: () => {}, onClosed: () => {} };
    inDispatch(machine.kernel, () => {
      const user = stack.addUser(nobody);
      const open = (): number => {
        const conn = stack.open(user, ip, 7);
        assert.ok(typeof conn === "number", String(conn));
        return conn;
      };
      const ports: number[] = [];
      assert.equal(stack.tcp.localPort(open()), 32768);
      for (let i = 0; i < 28_233; i++) {
        const conn = open();
        ports.push(stack.tcp.localPort(conn));
        stack.tcp.abort(conn);
      }
      assert.deepEqual([Math.min(...ports), Math.max(...ports)], [32769, 60999]);
      assert.deepEqual(ports.slice(-3), [60999, 32769, 32770]);
    });
  });
});
