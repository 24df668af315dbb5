import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { WorkloadSummary } from "../../../engine/analysis/report";
import { summary } from "../../../engine/cli/summary";
import { runDesign } from "../../support/runDesign";

const ms = 1e9;
const web = readFileSync("samples/workloads/http-close.exo.yaml", "utf8");
const datagrams = readFileSync("samples/workloads/udp-stream.exo.yaml", "utf8");

/** The first workload of a run. */
function measured(text: string): WorkloadSummary {
  return runDesign(text).report.workloads[0]!;
}

/** With these options of the server, the workload and the run. */
function http(server: string, workload: string, until: string, delay = "2us"): WorkloadSummary {
  return measured(web.replace("- http-server", `- http-server: { ${server} }`).replace(/concurrency: 4.*\}/, `${workload} }`).replace("until: 100ms", `until: ${until}`).replace("delay: 2us", `delay: ${delay}`));
}

describe("what a workload measures", () => {
  it("fairness counts connections that got nothing", () => {
    // A request takes 32 ms, and so two of eight are answered 70 ms after the clients have begun, at 10 ms.
    const { completed, fairness } = http("service: 32ms", "concurrency: 8, requests: 8", "80ms");
    assert.equal(completed, 2);
    assert.equal(fairness, (1 + 1) ** 2 / (8 * (1 + 1)));
  });

  it("fairness is said of what is shared only: not of one connection, a UDP socket, sysbench", () => {
    assert.equal(http("", "concurrency: 1, requests: 5", "100ms").fairness, undefined);
    const { report } = runDesign(datagrams);
    assert.equal(report.workloads[0]!.fairness, undefined);
    assert.match(summary(report), / – /);
    assert.equal(measured(readFileSync("samples/workloads/sysbench.exo.yaml", "utf8")).fairness, undefined);
  });

  it("the latency of a request for which a connection is opened includes that, as ab's total does; of a further one on the connection it does not", () => {
    // Two round trips of 20 ms: SYN and SYN,ACK, request and response; the first connection waits for ARP besides.
    const { latency } = http("", "concurrency: 1, requests: 10, keepalive: off", "1s", "10ms");
    assert.ok(latency.p50 > 40 * ms && latency.p90 < 41 * ms && latency.max > 60 * ms && latency.max < 61 * ms);
    const kept = http("", "concurrency: 1, requests: 10, keepalive: on", "1s", "10ms").latency;
    assert.ok(kept.p50 > 20 * ms && kept.p90 < 20.5 * ms && kept.max > 60 * ms);
    // redis-benchmark counts from writing.
    const redis = measured(web.replace("- http-server", "- key-value-store").replace(/http: .*/, "key-value: { from: client, to: web, requests: 10 }").replace("until: 100ms", "until: 1s").replace("delay: 2us", "delay: 10ms"));
    assert.ok(redis.completed === 10 && redis.latency.max < 20.5 * ms);
  });

  describe("the longest silence of a UDP stream", () => {
    const stream = datagrams.replace("duration: 5ms", "interval: 100us, duration: 100ms").replace("until: 50ms", "until: 150ms");
    const struck = (fault: string): WorkloadSummary => measured(`${stream}\nfaults:\n  - ${fault}\n`);

    it("is as long as the time between two datagrams", () => {
      const { silence, completed } = measured(stream);
      assert.ok(completed > 950);
      assert.ok(silence >= 0.1 * ms && silence < 1 * ms, `${silence / ms} ms`);
    });

    it("is as long as the server is away, which keeps what came before", () => {
      const { silence, completed } = struck("{ at: 50ms, crash: sink, restart: 40ms }");
      assert.ok(silence > 39 * ms && silence < 55 * ms, `${silence / ms} ms`);
      assert.ok(completed > 500);
    });

    it("lasts until the end of the stream where the server does not come back", () => {
      const { silence } = struck("{ at: 50ms, crash: sink }");
      assert.ok(silence > 59 * ms && silence < 61 * ms, `${silence / ms} ms`);
    });

    it("begins with the stream where nothing ever comes", () => {
      const { silence } = struck("{ at: 1ms, crash: sink }");
      assert.equal(silence, 100 * ms);
    });
  });
});
