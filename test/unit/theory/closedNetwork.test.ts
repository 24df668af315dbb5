import assert from "node:assert/strict";
import { runDesign } from "../../support/runDesign";
import { meanAndError } from "./confidence";

const SEEDS = [1, 2, 3, 4, 5];
/** Student's t for five replications, two-sided, 99 %. */
const T_99 = 4.604;
const SERVICE = 1e9;

/** Clients that think and ask a server with one thread, beside a vCPU for the stack: two stations, a delay and a queue. */
function measure(clients: number, think: number, distribution: string, requests: number, seed: number): { throughput: number; latency: number } {
  const { report } = runDesign(`exoscope: 1
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
          - http-server: { service: ${SERVICE}ps, distribution: ${distribution} }
          - libc
          - tcpip
          - ixgbe: { bind: nic0.vf0 }
  client: { model: load-generator, link: { to: server.nic0 } }
workloads:
  - http: { from: client, to: queue, size: 100B, concurrency: ${clients}, requests: ${requests}, think: ${think}ps }
run: { until: 100s, seed: ${seed} }
`);
  const [w] = report.workloads;
  assert.equal(w!.completed, requests);
  return { throughput: w!.throughput, latency: w!.latency.mean };
}

/** Exact mean-value analysis (Reiser and Lavenberg, 1980) of a delay and one queue. Times in picoseconds. @returns requests a second, and the mean time of one */
function meanValues(clients: number, think: number, service: number, besides: number): { throughput: number; latency: number } {
  let [queue, rate, response] = [0, 0, 0];
  for (let n = 1; n <= clients; n++) {
    response = service * (1 + queue);
    rate = n / (think + besides + response);
    queue = rate * response;
  }
  return { throughput: rate * 1e12, latency: response + besides };
}

describe("a closed network", () => {

  // What a request takes that never waits: the server's thread, and all that is not the queue.
  const alone = measure(1, 0, "fixed", 200, 1).latency;

  for (const [clients, think] of [[3, 4e9], [6, 4e9], [12, 6e9]] as const) {
    it(`of ${clients} clients that think for ${think / 1e9} ms gives the throughput and the latency of mean-value analysis, within the 99 % confidence interval and 2 %`, () => {
      const runs = SEEDS.map((seed) => measure(clients, think, "exponential", 1000, seed));
      // The server's own work for a request is part of its service; it is small against it, so that it may stand on either side.
      const expected = meanValues(clients, think, SERVICE, alone - SERVICE);
      for (const of of ["throughput", "latency"] as const) {
        const { mean, error } = meanAndError(runs.map((run) => run[of]), T_99);
        assert.ok(Math.abs(mean - expected[of]) <= error + 0.02 * expected[of], `${of}: ${mean} instead of ${expected[of]} ± ${error}`);
        assert.ok(error < 0.25 * expected[of], "an interval that says something");
      }
    });
  }

  it("is bounded by its slowest station and by the time of one round (Denning and Buzen, 1978)", () => {
    for (const clients of [1, 2, 8]) {
      const { throughput } = measure(clients, 4e9, "fixed", 400, 1);
      assert.ok(throughput <= Math.min(1e12 / SERVICE, (clients * 1e12) / (4e9 + alone)) * 1.05);
    }
  });
});
