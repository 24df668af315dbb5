import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { WorkloadSummary } from "../../../engine/analysis/report";
import { summary } from "../../../engine/cli/summary";
import { designText } from "../../support/designText";
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

  it("fairness is among clients, whichever connections they have had", () => {
    // Each connection gets one answer, and two of the clients a second one, on another connection.
    const { completed, fairness } = http("service: 1ms", "concurrency: 4, requests: 6, keepalive: off", "100ms");
    assert.deepEqual([completed, fairness], [6, 36 / (4 * (4 + 4 + 1 + 1))]);
    // 20 answers to four clients, of whom each loses the connection once: five to each, give or take those that were lost.
    const text = web.replace("requests: 200, keepalive: off", "requests: 40").replace("- http-server", "- http-server: { service: 1ms }").replace("until: 100ms", "until: 3s");
    const crashed = measured(`${text}\nfaults:\n  - { at: 18ms, crash: web, restart: 30ms }\n`);
    assert.ok(crashed.errors > 0 && crashed.fairness! > 0.9, `${crashed.errors} errors, ${crashed.fairness}`);
  });

  it("fairness is not said of an open loop, which picks the connection for each request", () => {
    const text = readFileSync("samples/workloads/listed.exo.yaml", "utf8").replace("concurrency: 2", "concurrency: 16");
    assert.equal(measured(text).fairness, undefined);
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

  describe("of a workload that is not complete when the run ends", () => {
    const start = 10 * ms;
    /** A second's worth of what there was, over the run. */
    const over = (n: number, until: number): number => (n * 1e12) / (until - start);

    it("requests and goodput are divided by the time until then, also where nothing has come for long", () => {
      const dead = measured(`${web.replace("requests: 200", "requests: 20000").replace("until: 100ms", "until: 200ms")}\nfaults:\n  - { at: 20ms, crash: web }\n`);
      assert.ok(dead.completed > 20 && dead.completed < 1000);
      assert.equal(dead.throughput, over(dead.completed, 200 * ms));
      // An answer is a file of 1 KiB with its header.
      assert.ok(dead.goodput / dead.throughput > 8 * 1024 && dead.goodput / dead.throughput < 8 * 1500);
      assert.ok(dead.silence > 179 * ms && dead.silence < 181 * ms, `${dead.silence / ms} ms`);
      const cut = measured(readFileSync("samples/workloads/sysbench.exo.yaml", "utf8").replace(/until: \w+/, "until: 50ms"));
      assert.ok(cut.completed > 0 && cut.completed < cut.requests);
      assert.equal(cut.throughput, (cut.completed * 1e12) / (50 * ms));
    });

    it("and where it is, by the time until the last answer", () => {
      const whole = (until: string): WorkloadSummary => http("", "concurrency: 4, requests: 200", until);
      assert.equal(whole("100ms").completed, 200);
      assert.deepEqual(whole("100ms"), whole("300ms"));
    });

    it("and where requests are lost with their connections, by the time until the last of them", () => {
      // All four are under way when the process dies; a kernel closes its connections, and the next ones find a new one.
      const text = web.replace("requests: 200", "requests: 20").replace("- http-server", "- http-server: { service: 5ms }").replace("until: 100ms", "until: 5s");
      const { completed, errors, throughput } = measured(`${text}\nfaults:\n  - { at: 18ms, crash: web, restart: 30ms }\n`);
      assert.ok(completed < 20 && errors > 0);
      assert.ok(throughput > over(completed, 4999 * ms), "not until the end");
    });
  });

  describe("errors are told apart by their reasons", () => {
    const reasons = (text: string, files?: Readonly<Record<string, string>>): Readonly<Record<string, number>> => {
      const { report } = runDesign(text, files);
      const { errors, failures } = report.workloads[0]!;
      assert.equal(Object.values(failures).reduce((sum, n) => sum + n, 0), errors);
      for (const [why, n] of Object.entries(failures)) assert.ok(summary(report).includes(`${n.toLocaleString("en-GB")} × ${why}`));
      return failures;
    };
    const text = web.replace("requests: 200, keepalive: off", "requests: 60").replace("- http-server", "- http-server: { service: 1ms }").replace("until: 100ms", "until: 1s");

    it("a server that went and came back resets its connections; of one that never was ARP finds no address", () => {
      const reset = reasons(`${text}\nfaults:\n  - { at: 18ms, crash: web, restart: 30ms }\n`);
      assert.deepEqual(Object.keys(reset), ["connection reset"]);
      const never = reasons(`${text.replace("until: 1s", "until: 20s")}\nfaults:\n  - { at: 0ms, crash: web }\n`);
      assert.deepEqual(Object.keys(never), ["no route to host"]);
    });

    it("a datagram that is too long", () => {
      // Sizes of a file are not known before the run.
      const echo = designText({ domains: { q: ["echo: { protocol: udp }", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"] } }, "workloads:\n  - open-loop: { from: client, to: q, arrivals: file, file: a.csv }\n");
      assert.deepEqual(reasons(echo, { "a.csv": "0, 1472\n0.001, 1473\n0.002, 9000\n" }), { "message too long": 2 });
    });
  });

  describe("the longest silence", () => {
    const answers = readFileSync("samples/workloads/listed.exo.yaml", "utf8");

    it("begins with the first connection that is asked for", () => {
      const { completed, silence, throughput } = measured(`${web}\nfaults:\n  - { at: 0ms, crash: web }\n`);
      assert.deepEqual([completed, throughput], [0, 0]);
      assert.equal(silence, 90 * ms);
    });

    it("is none where nothing is asked for", () => {
      const { completed, requests, silence } = measured(answers.replace(/list: .*/, "list: [[0, 64B], [50ms, 64B]]").replace(/until: \w+/, "until: 300ms"));
      assert.deepEqual([completed, requests], [2, 2]);
      assert.ok(silence < 5 * ms, `${silence / ms} ms`);
    });

    it("is none while clients think", () => {
      const { completed, silence } = http("", "concurrency: 1, requests: 5, think: 40ms", "1s");
      assert.equal(completed, 5);
      assert.ok(silence < 5 * ms, `${silence / ms} ms`);
    });

    it("of datagrams ends when the answer of the last one would have been there", () => {
      const text = datagrams.replace("discard: { protocol: udp }", "echo: { protocol: udp }").replace(/udp-stream: .*/, "open-loop: { from: client, to: sink, arrivals: periodic, interval: 1ms, size: 100, requests: 20 }").replace("until: 50ms", "until: 300ms");
      const lost = measured(`${text}\nfaults:\n  - { at: 19500us, crash: sink }\n`);
      assert.equal(lost.completed, 10);
      // The last one that is answered comes 9 ms after the beginning, the last of all 19 ms.
      assert.ok(lost.silence > 9 * ms && lost.silence <= 10 * ms + lost.latency.max, `${lost.silence / ms} ms`);
      assert.ok(lost.throughput > 500 && lost.throughput < 530, `${lost.throughput}`);
    });

    it("of a TCP stream lasts until it is over; what it has written and nobody has read is not completed", () => {
      const stream = readFileSync("samples/workloads/tcp-stream.exo.yaml", "utf8").replace(/until: \w+/, "until: 300ms");
      const dead = measured(`${stream}\nfaults:\n  - { at: 0ms, crash: sink }\n`);
      assert.deepEqual([dead.completed, dead.silence], [0, 290 * ms]);
      const died = measured(`${stream}\nfaults:\n  - { at: 12ms, crash: sink }\n`);
      assert.ok(died.completed > 0 && died.completed < died.requests, `${died.completed} of ${died.requests}`);
      assert.ok(died.silence > 287 * ms);
      assert.equal(died.throughput, (died.completed * 1e12) / (290 * ms));
    });
  });

  describe("of a workload whose client dies and runs again", () => {
    const struck = (text: string, ...faults: readonly string[]): WorkloadSummary => measured(`${text}\nfaults:\n${faults.map((fault) => `  - ${fault}\n`).join("")}`);
    const kept = web.replace(", keepalive: off", "").replace("until: 100ms", "until: 3s");

    it("what it had done before it died stays in the books, and it does all of it again", () => {
      const once = measured(web);
      const twice = struck(web.replace("until: 100ms", "until: 3s"), "{ at: 60ms, crash: client, restart: 400ms }");
      assert.deepEqual([once.completed, once.requests, once.beganAgain], [200, 200, []]);
      assert.deepEqual([twice.completed, twice.requests, twice.errors], [400, 400, 0]);
      assert.deepEqual(twice.beganAgain, [470 * ms]);
      // It had nothing to do in between, and waited for nothing.
      assert.ok(Math.abs(twice.throughput / once.throughput - 1) < 0.05, `${twice.throughput}, ${once.throughput}`);
      assert.ok(twice.silence < 2 * once.silence, `${twice.silence}, ${once.silence}`);
      assert.ok(twice.fairness! > 0.9);
    });

    it("so does what befell it before", () => {
      const text = kept.replace("requests: 200", "requests: 20000").replace("- http-server", "- http-server: { service: 1ms }");
      const server = "{ at: 18ms, crash: web, restart: 100ms }";
      const before = struck(text.replace("until: 3s", "until: 1500ms"), server);
      const { completed, errors, failures, latency, throughput } = struck(text, server, "{ at: 1500ms, crash: client, restart: 100ms }");
      assert.ok(before.errors > 0 && before.latency.max > 4 * ms);
      assert.deepEqual([errors, failures], [before.errors, before.failures]);
      assert.ok(completed > before.completed + 100 && latency.max >= before.latency.max);
      assert.equal(throughput, (completed * 1e12) / (2990 * ms), "where it was not over, the time in which its client was away counts");
    });

    it("what it waited for when it died is waited for until there is an answer again, also where it dies once more before it begins", () => {
      const text = kept.replace("requests: 200", "requests: 20000").replace("- http-server", "- http-server: { service: 1ms }");
      const before = measured(text.replace("until: 3s", "until: 50ms"));
      const first = "{ at: 50ms, crash: client, restart: 100ms }";
      const second = "{ at: 155ms, crash: client, restart: 100ms }";
      const once = struck(text.replace("until: 3s", "until: 400ms"), first);
      assert.ok(once.completed > before.completed + 100, `${once.completed} after ${before.completed}`);
      assert.ok(once.silence > 110 * ms && once.silence < 120 * ms, `${once.silence / ms} ms`);
      const { completed, requests, beganAgain, silence } = struck(text, first, second, "{ at: 1400ms, crash: client }");
      assert.ok(completed > before.completed + 100 && requests === 40_000, `${completed}`);
      assert.deepEqual(beganAgain, [265 * ms]);
      assert.ok(silence > 1599 * ms && silence < 1605 * ms, `${silence / ms} ms, without its client until the end`);
      assert.ok(struck(text.replace("until: 3s", "until: 290ms"), first, second).silence > 210 * ms);
      // The report of a moment in which the client runs, and has not begun.
      const between = struck(text.replace("until: 3s", "until: 155ms"), first);
      assert.deepEqual([between.completed, between.requests, between.throughput], [before.completed, 20_000, (before.completed * 1e12) / (145 * ms)]);
    });

    it("what TCP sent again before is in the report", () => {
      const lossy = readFileSync("samples/links/loss.exo.yaml", "utf8").replace(/until: \w+/, "until: 60ms");
      const { retransmissions } = runDesign(lossy).report;
      assert.ok(retransmissions > 20, `${retransmissions}`);
      const crash = lossy.replace(/^faults:\n/m, (line) => `${line}  - { at: 60ms, crash: web, restart: 50ms }\n`).replace("until: 60ms", "until: 260ms");
      assert.ok(runDesign(crash).report.retransmissions >= retransmissions);
    });

    it("the report says when it began again", () => {
      const { report } = runDesign(`${web.replace("until: 100ms", "until: 1s")}\nfaults:\n  - { at: 60ms, crash: client, restart: 400ms }\n`);
      assert.match(summary(report), /400 of 400/);
      assert.match(summary(report), /Began again, .*: workloads\/http-client-web at 470\.0 ms\./);
    });

    it("of a UDP stream all that arrived counts, and its silence lasts from the last datagram before to the first one after", () => {
      const stream = datagrams.replace("duration: 5ms", "interval: 100us, duration: 300ms").replace("until: 50ms", "until: 800ms");
      const cut = struck(stream, "{ at: 50ms, crash: client, restart: 100ms }");
      assert.ok(cut.completed > 3300 && cut.completed <= cut.requests, `${cut.completed} of ${cut.requests}`);
      assert.ok(cut.silence > 109 * ms && cut.silence < 112 * ms, `${cut.silence / ms} ms`);
      const done = struck(stream, "{ at: 350ms, crash: client, restart: 100ms }");
      assert.ok(done.completed > 5800 && done.silence < 1 * ms, `${done.completed}, ${done.silence / ms} ms`);
    });

    it("of NetPIPE each message size has the messages of both", () => {
      const netpipe = readFileSync("samples/workloads/netpipe.exo.yaml", "utf8").replace(/until: \w+/, "until: 2s");
      const [once, twice] = [measured(netpipe), struck(netpipe, "{ at: 1s, crash: client, restart: 10ms }")];
      assert.deepEqual(twice.sizes!.map(({ messages }) => messages), once.sizes!.map(({ messages }) => 2 * messages));
    });

    it("of sysbench as well, whose client is its domain", () => {
      const sysbench = readFileSync("samples/workloads/sysbench.exo.yaml", "utf8");
      const [once, twice] = [measured(sysbench), struck(sysbench, "{ at: 500ms, crash: cpu1, restart: 10ms }")];
      assert.equal(once.completed, 200);
      assert.deepEqual([twice.completed, twice.requests, twice.beganAgain], [400, 400, [510 * ms]]);
      assert.ok(twice.silence < 100 * ms, `${twice.silence / ms} ms`);
      const cut = struck(sysbench, "{ at: 50ms, crash: cpu1, restart: 100ms }");
      assert.ok(cut.completed > 220 && cut.completed < 400 && cut.silence > 100 * ms, `${cut.completed}, ${cut.silence / ms} ms`);
    });
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
