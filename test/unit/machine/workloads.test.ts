import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { report, type RunReport, type WorkloadSummary } from "../../../engine/analysis/report";
import type { TcpIp } from "../../../engine/components/tcpip";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { parseDesign } from "../../../engine/design/parse";
import { powersOfTwo } from "../../../engine/workloads/clients/netpipe";
import { designText } from "../../support/designText";
import { designOf, runDesign } from "../../support/runDesign";

const sample = (name: string): string => readFileSync(`samples/workloads/${name}.exo.yaml`, "utf8");

function run(text: string): { engine: MachineEngine; report: RunReport; first: WorkloadSummary; second: WorkloadSummary } {
  const { engine, report } = runDesign(text);
  return { engine, report, first: report.workloads[0]!, second: report.workloads[1]! };
}

function complete(w: WorkloadSummary): void {
  assert.equal(w.completed, w.requests, w.workload);
  assert.equal(w.errors, 0, w.workload);
}

/** Packets of a run, one line each. */
function packets(engine: MachineEngine): string[] {
  return Array.from({ length: engine.built.machine.packets.length }, (_, p) => engine.summarizePacket(p));
}

describe("workloads", () => {
  it("NetPIPE: each size as often as asked for; the throughput is the size over half a round trip; the network server costs time", () => {
    const { first, second } = run(sample("netpipe"));
    for (const w of [first, second]) {
      complete(w);
      assert.deepEqual(w.sizes!.map(({ size }) => size), powersOfTwo(64, 262144));
      let total = 0;
      for (const { size, messages, oneWay, throughput } of w.sizes!) {
        assert.equal(messages, 4);
        assert.ok(Math.abs(throughput - (8e12 * size) / oneWay) < 1);
        total += 2 * oneWay * messages;
      }
      assert.ok(Math.abs(total - w.latency.mean * w.completed) < 1e-6 * total);
    }
    // Both share the wire, and the one that is done last has it alone for its largest messages.
    first.sizes!.slice(0, -1).forEach(({ oneWay }, i) => assert.ok(oneWay < second.sizes![i]!.oneWay));
    // 64 B one way cannot be faster than the wire: 2 µs of propagation and two frames' headers.
    assert.ok(first.sizes![0]!.oneWay > 2e6);
  });

  it("NetPIPE's sizes double up to the largest", () => {
    assert.deepEqual(powersOfTwo(1, 6), [1, 2, 4, 6]);
    assert.deepEqual(powersOfTwo(8, 8), [8]);
  });

  it("TCP stream: all that was written arrives, over losses, at no more than the link carries", () => {
    const { engine, first, report } = run(sample("tcp-stream"));
    complete(first);
    const bytes = (first.goodput * (first.completed / first.throughput)) / 8;
    assert.ok(Math.abs(bytes - first.completed * 65536) < 1);
    assert.ok(first.goodput > 1e9 && first.goodput < 9.42e9);
    assert.ok(report.drops["lost on the link"]! > 0 && report.retransmissions > 0);
    assert.ok(engine.done);
  });

  it("TCP stream: in a recovery the Linux client's window comes down by proportional rate reduction, and the state view says how far", () => {
    const engine = createEngine(designOf(sample("tcp-stream")));
    const client = engine.names.components.find(({ id, host }) => host === "client" && engine.describeComponent(id).some(({ name }) => name === "TCP"))!.id;
    let [seen, between] = [0, 0];
    for (let i = 0; engine.dispatch(); i++) {
      if (i % 20 !== 0) continue;
      const connection = engine.describeComponent(client).find(({ name }) => name === "TCP")!.variables.find(({ value }) => value === "ESTABLISHED")?.children ?? [];
      const value = (name: string): number => connection.find((v) => v.name === name)?.number ?? 0;
      if (value("in_recovery") === 0 || value("prr_delivered") === 0) continue;
      seen++;
      const share = Math.ceil((value("prr_delivered") * value("ssthresh")) / value("recover_fs") / value("mss")) * value("mss");
      if (value("cwnd") > value("ssthresh") + value("mss")) {
        between++;
        assert.ok(value("prr_out") <= share, `${value("prr_out")} of ${share}`);
      }
    }
    assert.ok(seen > 20 && between > 20, `${seen} times in recovery, ${between} of them above ssthresh`);
  });

  it("UDP stream: what was sent has arrived or was dropped, by cause", () => {
    const { report, first } = run(sample("udp-stream"));
    const dropped = Object.values(report.drops).reduce((x, y) => x + y, 0);
    assert.equal(first.completed + dropped, first.requests);
    assert.equal(first.errors, 0);
    assert.ok(dropped > 0, "a sender that never waits is faster than a server with a receive path");
  });

  it("UDP stream: at a distance that the server can follow, everything arrives", () => {
    const { report, first } = run(sample("udp-stream").replace("size: 1KiB,", "size: 1KiB, interval: 50us,"));
    assert.deepEqual(report.drops, {});
    assert.ok(first.requests > 95 && first.requests <= 100);
    complete(first);
  });

  it("refuses datagrams longer than the MTU allows, and says so: nothing is copied, nothing leaves", () => {
    const server = ["echo: { protocol: udp }", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"];
    const text = designText({ domains: { q: server } }, "workloads:\n  - open-loop: { from: client, to: q, arrivals: file, file: a.csv }\n");
    const { engine, report: { workloads: [first], incidents, copiedBytes } } = runDesign(text, { "a.csv": "0, 1472\n0.001, 1473\n0.002, 9000\n" });
    assert.equal(first!.completed, 1);
    assert.equal(first!.errors, 2);
    assert.equal(incidents["sendto failed: EMSGSIZE"], 2);
    assert.equal(copiedBytes, 4 * 1472, "there and back, in and out");
    assert.equal(packets(engine).filter((line) => line.startsWith("UDP")).length, 2);
  });

  /** A run into which the client's stack is made to send `n` datagrams to a port that nobody has. @returns how often the socket was told */
  function toNobody(text: string, address: number, n: number): { engine: MachineEngine; told: number } {
    const engine = createEngine(designOf(text));
    while (engine.time < 15e9 && engine.dispatch());
    const { machine } = engine.built;
    const client = machine.placed("client/os/tcpip") as TcpIp;
    let told = 0;
    const none = (): void => {};
    const user = client.addUser({ onAcceptable: none, onEstablished: none, onReadable: none, onWritable: none, onClosed: none, onUnreachable: () => told++ });
    const socket = client.datagrams.open(user, 0);
    assert.ok(typeof socket === "number");
    for (let i = 0; i < n; i++) client.datagrams.send(socket, address, 4242, machine.packets.openStreams(), 0, 10);
    while (engine.dispatch());
    return { engine, told };
  }

  it("tells the sender of a datagram for a port that nobody has, by ICMP and not more often than NetBSD's 100 a second", () => {
    const { engine, told } = toNobody(sample("http-close"), 0x0a000001, 3);
    assert.equal(told, 3);
    assert.equal(report(engine).drops["no socket on the port"], 3);
    const line = packets(engine).find((text) => text.includes("unreachable"));
    assert.equal(line, "ICMP 10.0.0.1 → 10.0.0.2 port 4242 unreachable");
    assert.equal(toNobody(sample("http-close"), 0x0a000001, 150).told, 100);
  });

  it("tells the sender of a datagram for a port that nobody has in the network server's portmap, by the server's own stack, and no more often", () => {
    const { engine, told } = toNobody(sample("udp-stream"), 0x0a000001, 3);
    assert.equal(told, 3);
    assert.equal(report(engine).drops["no owner of the port"], 3);
    assert.equal(packets(engine).find((text) => text.includes("unreachable")), "ICMP 10.0.0.1 → 10.0.0.2 port 4242 unreachable");
    assert.equal(toNobody(sample("udp-stream"), 0x0a000001, 150).told, 100);
  });

  it("HTTP without keep-alive: a connection a request", () => {
    const { engine, first } = run(sample("http-close"));
    complete(first);
    assert.equal(packets(engine).filter((line) => line.includes("[SYN]")).length, first.requests);
  });

  it("and none for a request that was lost with its connection, which is not asked for again", () => {
    const text = sample("http-close").replace("requests: 200", "requests: 60").replace("- http-server", "- http-server: { service: 1ms }").replace("until: 100ms", "until: 10s");
    const { engine, first } = run(`${text}\nfaults: [{ at: 18ms, crash: web, restart: 30ms }]\n`);
    assert.ok(first.errors > 0);
    assert.equal(first.completed, first.requests - first.errors, "each of these had asked");
    // A call of write for each request; a connection that had none would be closed in its place.
    assert.equal(calls(engine, "client/os/load-generator").get("write request")!.count, first.requests);
  });

  /** How often the functions were called in a component, and the most bytes that one call was told. */
  function calls({ trace, names }: MachineEngine, component: string): Map<string, { count: number; most: number }> {
    const found = new Map<string, { count: number; most: number }>();
    for (let row = 0; row < trace.length; row++) {
      const { fn, a, component: c } = trace.row(row);
      if (names.components[c]!.path !== component) continue;
      const { name } = names.functions[fn]!;
      const { count, most } = found.get(name) ?? { count: 0, most: 0 };
      found.set(name, { count: count + 1, most: Math.max(most, a) });
    }
    return found;
  }

  it("Redis: a pipeline's commands are read together, at most 16 KiB at once, and their replies written together", () => {
    const { engine, first, second, report } = run(sample("redis"));
    complete(first);
    complete(second);
    assert.ok(first.throughput > second.throughput, "the network server costs time");
    const store = calls(engine, "server/direct/key-value-store");
    const libc = calls(engine, "server/direct/libc");
    assert.equal(store.get("processCommand")!.count, 2000);
    // 10 pipelines of 200 commands, half of them SETs of 169 bytes, half GETs of 36: 41 kB each.
    assert.equal(libc.get("rump___sysimpl_recvfrom")!.most, 16384);
    const reads = store.get("readQueryFromClient")!.count;
    assert.ok(reads >= 10 * Math.ceil((100 * 169 + 100 * 36) / 16384) && reads < 100, `${reads} reads`);
    const writes = store.get("writeToClient")!.count;
    assert.ok(writes <= reads && writes === libc.get("rump___sysimpl_sendto")!.count, `${writes} writes`);
    const one = run(sample("redis").replaceAll("pipeline: 200", "pipeline: 1").replace("until: 50ms", "until: 1s"));
    complete(one.first);
    assert.equal(calls(one.engine, "server/direct/key-value-store").get("writeToClient")!.count, 2000);
    assert.ok(first.throughput > 5 * one.first.throughput);
    assert.equal(report.retransmissions, 0);
  });

  it("Redis: the last pipeline is as long as there are requests, values may be longer than all buffers, and losses are made good", () => {
    for (const [options, link] of [["value: 64KiB", "loss: 0%"], ["value: 1KiB", "loss: 1%"], ["value: 128B", "loss: 2%"]] as const) {
      const text = sample("redis").replaceAll("value: 128B", options).replaceAll("requests: 2000", "requests: 450").replace("delay: 2us", `delay: 2us, ${link}`).replace("until: 50ms", "until: 60s");
      const { engine, first, second, report } = run(text);
      complete(first);
      complete(second);
      assert.equal(calls(engine, "server/direct/key-value-store").get("processCommand")!.count, 450);
      assert.equal(report.retransmissions > 0, link !== "loss: 0%", link);
    }
  });

  it("memcached: each command is read and answered by itself, on as many threads as it has, SETs and GETs by functions of their own", () => {
    const { engine, first, second, report } = run(sample("memcached"));
    complete(first);
    complete(second);
    assert.ok(first.throughput > second.throughput, "the network server costs time");
    const cache = calls(engine, "server/direct/memcached");
    const of = (name: string): number => cache.get(name)!.count;
    // Ten GETs to a SET: 1000 draws have a standard deviation of 9.
    assert.ok(of("process_bin_update") > 1000 / 11 - 40 && of("process_bin_update") < 1000 / 11 + 40);
    assert.equal(of("process_bin_update"), of("complete_update_bin"));
    assert.equal(of("process_bin_update") + of("process_bin_get_or_touch"), 1000);
    assert.deepEqual([of("transmit"), of("dispatch_bin_command")], [1000, 1000]);
    const workers = report.domains.find(({ domain }) => domain === "server/direct")!.threads.filter(({ thread, busy }) => thread.includes("worker") && busy > 0);
    assert.equal(workers.length, 4);
    const alone = run(sample("memcached").replaceAll("- memcached\n", "- memcached: { threads: 1 }\n"));
    complete(alone.first);
    assert.equal(alone.report.domains.find(({ domain }) => domain === "server/direct")!.threads.filter(({ thread, busy }) => thread.includes("worker") && busy > 0).length, 1);
  });

  it("memcached: values longer than one read and than all buffers, and losses", () => {
    for (const [value, loss] of [["100KiB", "0%"], ["4KiB", "2%"]] as const) {
      const { first, second, report } = run(sample("memcached").replaceAll("value: 32B", `value: ${value}, sets: 1, gets: 1`).replaceAll("requests: 1000", "requests: 200").replace("delay: 2us", `delay: 2us, loss: ${loss}`).replace("until: 50ms", "until: 60s"));
      complete(first);
      complete(second);
      assert.equal(report.retransmissions > 0, loss !== "0%");
    }
  });

  it("a client's threads are as many as asked for, on the last CPUs of its host, and share its connections", () => {
    const busy = (threads: string): string[] => {
      const { report } = run(sample("redis").replaceAll("concurrency: 2", `concurrency: 8${threads}`));
      complete(report.workloads[0]!);
      return report.domains.find(({ domain }) => domain === "client/os")!.threads.filter((t) => t.busy > 0 && t.thread.includes("client-")).map((t) => t.thread.replace("client/os/", "")).sort();
    };
    assert.deepEqual(busy(", threads: 1"), ["client-7"]);
    assert.deepEqual(busy(", threads: 3"), ["client-5", "client-6", "client-7"]);
    assert.equal(busy("").length, 8);
    assert.equal(busy(", threads: 200").length, 8);
  });

  it("a client's adapter has as many queues as asked for, each with its interrupt on a CPU of its own", () => {
    for (const queues of [1, 4]) {
      const { engine: { trace, names }, first } = run(sample("redis").replaceAll("concurrency: 2", "concurrency: 16").replace("load-generator,", `load-generator, queues: ${queues},`));
      complete(first);
      const taken = new Set<number>();
      for (let i = 0; i < trace.length; i++) {
        const row = trace.row(i);
        if (names.components[row.component]!.path === "client/os/ixgbe" && names.functions[row.fn]!.name === "do_IRQ") taken.add(row.context);
      }
      assert.equal(taken.size, queues);
    }
  });

  it("open loop: every request is answered; bursts have the longer tail at the same load", () => {
    const { first, second } = run(sample("open-loop"));
    complete(first);
    complete(second);
    assert.ok(second.latency.p99 > 2 * first.latency.p99);
    // 50 µs of service, and no answer sooner.
    assert.ok(first.latency.p50 > 50e6 && second.latency.p50 > 50e6);
  });

  it("open loop: a list is followed to the picosecond, sizes included", () => {
    const { engine, first } = run(sample("listed"));
    complete(first);
    assert.equal(first.requests, 6);
    const { trace, names } = engine;
    const times: number[] = [];
    let start = 0;
    for (let row = 0; row < trace.length; row++) {
      const { name } = names.functions[trace.fn(row)]!;
      if (name === "start workload") start = trace.time(row);
      else if (name === "next arrival") times.push(trace.time(row) - start);
    }
    assert.deepEqual(times, [0, 5e6, 10e6, 200e6, 201e6, 900e6]);
    const bytes = (first.goodput * (first.completed / first.throughput)) / 8;
    assert.ok(Math.abs(bytes - (3 * 64 + 4096 + 1024 + 102400)) < 1e-3);
  });

  it("ping: one reply a request, from the domain's own stack, or from the network server, which lets none pass", () => {
    const { engine, first, second } = run(sample("ping"));
    complete(first);
    complete(second);
    const lines = packets(engine).filter((line) => line.startsWith("ICMP"));
    assert.equal(lines.filter((line) => line.includes("echo request")).length, 40);
    assert.equal(lines.filter((line) => line.includes("echo reply")).length, 40);
    const { trace, names } = engine;
    for (let row = 0; row < trace.length; row++) {
      if (names.components[trace.component(row)]!.domain === "server/served" && trace.packet(row) >= 0) {
        assert.ok(!engine.summarizePacket(trace.packet(row)).startsWith("ICMP"));
      }
    }
  });

  it("sysbench: the events that were asked for, in the time that the shares of CPU allow", () => {
    const { first, second, report } = run(sample("sysbench"));
    complete(first);
    complete(second);
    for (const w of [first, second]) assert.equal(report.domains.find((d) => w.workload.startsWith(d.domain))!.busy / 200e9 - 1 < 1e-3, true);
    // Twice the weight, and 400 ms of CPU time on two pCPUs: the heavier is done sooner, the whole takes 200 ms.
    assert.ok(second.throughput > first.throughput);
    assert.ok(200 / first.throughput >= 0.2 && 200 / first.throughput < 0.21);
  });

  it("an answer longer than one read is read to its end", () => {
    const text = sample("http-close").replace("size: 1KiB", "size: 100KiB").replace("requests: 200, keepalive: off", "requests: 15").replace("until: 100ms", "until: 10s");
    for (const delay of ["0us", "2us", "20us"]) complete(run(text.replace("delay: 2us", `delay: ${delay}`)).first);
  });

  it("a server that is told several times of room in its socket writes once, and no call of send sends nothing", () => {
    const { engine: { trace, names } } = run(readFileSync("samples/offloads/tso.exo.yaml", "utf8"));
    const sends: number[] = [];
    for (let row = 0; row < trace.length; row++) {
      const { fn, a } = trace.row(row);
      if (names.functions[fn]!.name === "rump___sysimpl_sendto") sends.push(a);
    }
    assert.ok(sends.length > 100);
    assert.equal(sends.filter((bytes) => bytes === 0).length, 0);
  });

  it("going back to a keyframe and on again gives the same state, for every workload", () => {
    for (const name of ["netpipe", "redis", "memcached", "tcp-stream", "udp-stream", "open-loop", "listed", "ping", "sysbench"]) {
      const { engine } = run(sample(name));
      const replayer = engine.replayer();
      const start = replayer.snapshot();
      for (let i = 0; i < 500 && replayer.dispatch(); i++);
      const middle = replayer.snapshot();
      while (replayer.dispatch());
      const describe = (e: typeof replayer): unknown => engine.names.components.map(({ id }) => e.describeComponent(id));
      const end = describe(engine);
      assert.deepEqual(describe(replayer), end, name);
      replayer.restore(middle);
      while (replayer.dispatch());
      assert.deepEqual(describe(replayer), end, name);
      replayer.restore(start);
      while (replayer.dispatch());
      assert.deepEqual(describe(replayer), end, name);
    }
  });
});

describe("endpoints", () => {
  const text = sample("http-close");
  const workload = /^ {2}- http: .*$/m.exec(text)![0];

  it("have one row in each table by endpoint, whichever workload's they are: many workloads take memory in proportion", () => {
    const rowsOf = (workloads: number): number => {
      const one = workload.replace(/concurrency: \d+/, "concurrency: 2").replace(/requests: \d+/, "requests: 4");
      const { engine, report: { workloads: all } } = run(text.replace(workload, Array<string>(workloads).fill(one).join("\n")));
      all.forEach(complete);
      const { tables } = engine.built.machine.kernel.store as unknown as { readonly tables: readonly { readonly tableName: string; readonly rows: number }[] };
      return tables.filter(({ tableName }) => /^(endpoints|pipelines|requests under way)/.test(tableName)).reduce((sum, { rows }) => sum + rows, 0);
    };
    const [few, many] = [rowsOf(10), rowsOf(40)];
    assert.ok(few >= 3 * 2 * 10, `${few} rows of 10 workloads`);
    assert.ok(many <= 4.5 * few, `${many} rows of 40 workloads, ${few} of 10`);
  });
});

describe("designs of workloads", () => {
  const codes = (text: string): string[] => parseDesign(text).problems.map((p) => `${p.severity} ${p.code}`);

  it("a UDP stream needs a server that serves UDP", () => {
    assert.deepEqual(codes(sample("udp-stream").replace("discard: { protocol: udp }", "discard")), ["error workload-without-server"]);
    assert.deepEqual(codes(sample("tcp-stream").replace("- discard", "- discard: { protocol: udp }")), ["error workload-without-server"]);
  });

  it("a server is named as a component; of a domain it is the first of the type whose protocol fits, with a warning where several do", () => {
    const to = (servers: readonly string[], workload: string): { codes: string[]; server: string | undefined; messages: string[] } => {
      const { design, problems } = parseDesign(designText({ domains: { s: [...servers, "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"] } }, `workloads:\n  - ${workload}\n`));
      return { codes: problems.map(({ severity, code }) => `${severity} ${code}`), server: design?.workloads[0]?.server, messages: problems.map(({ message }) => message) };
    };
    const both = ["discard: { id: d2, protocol: udp }", "discard"];
    for (const servers of [both, both.toReversed()]) {
      for (const target of ["s", "s.discard", "server.s.discard"]) {
        const { codes, server } = to(servers, `tcp-stream: { from: client, to: ${target} }`);
        assert.deepEqual([codes, server], [[], "server/s/discard"]);
      }
      const udp = to(servers, "udp-stream: { from: client, to: s }");
      assert.deepEqual([udp.codes, udp.server], [[], "server/s/d2"]);
    }
    const unfit = to(both, "tcp-stream: { from: client, to: s.d2 }");
    assert.deepEqual(unfit.codes, ["error workload-without-server"]);
    assert.match(unfit.messages[0]!, /^The discard server\/s\/d2 serves UDP\./);
    const another = to(both, "tcp-stream: { from: client, to: s.libc }");
    assert.deepEqual([another.codes, another.server], [["error workload-without-server"], undefined]);
    assert.match(another.messages[0]!, /“s\.libc” is no discard/);
    const several = to(["http-server: { id: a }", "http-server: { id: b, port: 81 }"], "http: { from: client, to: server.s }");
    assert.deepEqual([several.codes, several.server], [["warning server-unclear"], "server/s/a"]);
    assert.match(several.messages[0]!, /a is asked\. Say which with to: server\.s\.a or server\.s\.b\.$/);
    // Over connections or datagrams, as the server's protocol says.
    const inetd = ["echo", "echo: { id: datagrams, protocol: udp }"];
    assert.deepEqual(to(inetd, "open-loop: { from: client, to: s }").codes, ["warning server-unclear"]);
    const named = to(inetd, "open-loop: { from: client, to: s.datagrams }");
    assert.deepEqual([named.codes, named.server], [[], "server/s/datagrams"]);
  });

  it("each of two servers of a type in a domain is asked by the workload that names it", () => {
    const syns = ([a, b]: readonly [string, string]): number[] => {
      const { engine, first, second } = run(designText({ domains: { s: ["http-server: { id: a, port: 80 }", "http-server: { id: b, port: 81 }", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"] } }, [
        "workloads:", `  - http: { from: client, to: ${a}, requests: 10, concurrency: 3, size: 1KiB }`, `  - http: { from: client, to: ${b}, requests: 10, concurrency: 2, size: 1KiB }`, "run: { until: 100ms }\n",
      ].join("\n")));
      complete(first);
      complete(second);
      const { packets } = engine.built.machine;
      const asked = new Set(Array.from({ length: packets.length }, (_, p) => engine.summarizePacket(p)).filter((line) => /\bSYN\b/.test(line) && !/ACK/.test(line)));
      return [80, 81].map((port) => [...asked].filter((line) => line.includes(`:${port} `)).length);
    };
    assert.deepEqual(syns(["s.a", "s.b"]), [3, 2]);
    assert.deepEqual(syns(["s.b", "s.a"]), [2, 3]);
    assert.deepEqual(syns(["s", "s.b"]), [3, 2]);
  });

  it("streams over TCP and UDP each find the one of two discards that serves them", () => {
    const { first, second } = run(designText({ domains: { s: ["discard: { id: d2, protocol: udp }", "discard", "libc", "tcpip", "ixgbe: { bind: nic0.vf0 }"] } }, [
      "workloads:", "  - tcp-stream: { from: client, to: s, duration: 1ms }", "  - udp-stream: { from: client, to: s, interval: 100us, duration: 1ms }", "run: { until: 1s }\n",
    ].join("\n")));
    complete(first);
    complete(second);
    assert.ok(first.completed > 0 && second.completed > 0);
  });

  it("a list of arrivals is in order, with units, and there where it is named", () => {
    assert.deepEqual(codes(sample("listed")), []);
    assert.deepEqual(codes(sample("listed").replace("[5us, 64B]", "[300us, 64B]")), ["error wrong-type", "error missing-key"].sort());
    assert.deepEqual(codes(sample("listed").replace("[5us, 64B]", "[5us, many]")).length, 2);
    assert.deepEqual(codes(sample("listed").replace(/\n +list: .*\n/, "\n")), ["error missing-key"]);
  });

  it("TCP and UDP ports are spaces of their own", () => {
    const both = sample("udp-stream").replace("- discard: { protocol: udp }", "- discard: { protocol: udp }\n          - echo: { port: 9 }");
    assert.deepEqual(codes(both), []);
    assert.deepEqual(codes(both.replace("echo: { port: 9 }", "echo: { port: 9, protocol: udp }")), ["error port-taken"]);
  });
});
