import assert from "node:assert/strict";
import { runDesign } from "../../support/runDesign";
import { meanAndError } from "./confidence";

const SERVICE = 1e9;
const REQUESTS = 1200;
const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];
/** Student's t for eight replications, two-sided, 99 %. */
const T_99 = 3.499;

/**
 * Requests by datagram to a server with one thread, beside a vCPU for the stack: a queue with one server. Service is long against
 * interrupt moderation, so that arrivals at the server are those at the client.
 */
function design(arrivals: string, interval: number, distribution: string, requests: number, seed: number): string {
  return `exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    iommu: on
    devices: { nic0: { model: intel-82599, sriov: { vfs: 1 } } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      queue:
        vcpus: 2
        components:
          - echo: { protocol: udp, service: 1ms, distribution: ${distribution} }
          - libc
          - tcpip
          - ixgbe: { bind: nic0.vf0 }
  client: { model: load-generator, link: { to: server.nic0 } }
workloads:
  - open-loop: { from: client, to: queue, arrivals: ${arrivals}, interval: ${interval}ps, requests: ${requests} }
run: { until: 100s, seed: ${seed} }
`;
}

interface Measured {
  readonly latency: number;
  /** CPU time of the server's thread for one request. */
  readonly service: number;
}

function measure(text: string): Measured {
  const { engine, report } = runDesign(text);
  const [w] = report.workloads;
  assert.equal(w!.completed, w!.requests);
  const { trace, names } = engine;
  let busy = 0;
  for (let row = 0; row < trace.length; row++) if (names.contexts[trace.context(row)]!.path.includes("inetd")) busy += trace.cost(row);
  return { latency: w!.latency.mean, service: busy / w!.completed };
}

describe("queueing theory", () => {

  // What a request takes that never waits, besides its service: the two stacks, the adapters, the wire.
  const alone = measure(design("periodic", 5e9, "fixed", 50, 1));
  const rest = alone.latency - alone.service;

  for (const [name, distribution, variation] of [
    ["M/D/1", "fixed", 0], ["M/M/1", "exponential", 1], ["M/G/1", "uniform", 1 / 3], ["M/G/1", "bimodal", 2.25], ["M/G/1", "hyperexponential", 4],
  ] as const) {
    it(`${name}, ${distribution} service: the mean wait is Pollaczek and Khinchine's, within its 99 % confidence interval and 2 %`, () => {
      const interval = SERVICE / 0.6;
      const runs = SEEDS.map((seed) => measure(design("poisson", interval, distribution, REQUESTS, seed)));
      const overhead = alone.service - SERVICE;
      const service = SERVICE + overhead;
      const load = service / interval;
      // W = λ·E[S²] / (2·(1 − ρ)).
      const expected = (variation * SERVICE ** 2 + service ** 2) / interval / (2 * (1 - load));
      const { mean, error } = meanAndError(runs.map((run) => run.latency - run.service - rest), T_99);
      assert.ok(Math.abs(mean - expected) <= error + 0.02 * expected, `${mean / 1e6} µs instead of ${expected / 1e6} µs, ± ${error / 1e6} µs`);
      assert.ok(error < (variation > 1 ? 0.5 : 0.25) * expected, "an interval that says something");
    });
  }
});
