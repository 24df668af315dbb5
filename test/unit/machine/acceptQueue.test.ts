import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { TcpIp } from "../../../engine/components/tcpip";
import { createEngine } from "../../../engine/create";
import { designOf, runDesign } from "../../support/runDesign";

const byRequest = readFileSync("samples/workloads/http-close.exo.yaml", "utf8");
const linux = readFileSync("samples/placement/monolithic-linux.exo.yaml", "utf8");

/** More connections at once than one worker accepts in time: it serves each request for a millisecond. */
function crowded(text: string, server: RegExp, options: string): ReturnType<typeof runDesign> {
  return runDesign(text.replace(server, `- http-server: { service: 1ms, ${options} }`).replace(/concurrency: \d+, requests: \d+/, "concurrency: 60, requests: 120").replace("until: 100ms", "until: 4s"));
}

/** What its stack counted, of the server's host. */
function overflows({ engine }: ReturnType<typeof runDesign>): number {
  return [...engine.built.machine.components.values()].reduce((sum, model) => sum + (model instanceof TcpIp ? model.tcp.counters.listenOverflows : 0), 0);
}

/** The backlog of the first listener of a design, as soon as there is one. */
function backlogOf(components: string, workload: string): number {
  const text = byRequest.replace("- http-server", components).replace(/^ {2}- http: .*$/m, `  - ${workload}`);
  const engine = createEngine(designOf(text));
  const stack = [...engine.built.machine.components.values()].find((model): model is TcpIp => model instanceof TcpIp && model.tcp["tcp"].listeners.rows.rows > 0);
  if (stack !== undefined) throw new Error("somebody listens before the run begins");
  while (engine.dispatch()) {
    for (const model of engine.built.machine.components.values()) {
      if (model instanceof TcpIp && model.tcp["tcp"].listeners.rows.rows > 0) return model.tcp["tcp"].listeners.rows.backlog[0]!;
    }
  }
  throw new Error("nobody listens");
}

describe("accept queues", () => {
  it("in NetBSD: each segment that finds one full is a row and in the report, under the counter's name", () => {
    const run = crowded(byRequest, /- http-server/, "backlog: 16");
    const { drops, workloads: [web] } = run.report;
    const [syn, ack] = [drops["accept queue full, SYN"] ?? 0, drops["accept queue full, ACK (tcps_sc_aborted)"] ?? 0];
    assert.ok(syn > 0 && ack > 0);
    assert.equal(syn + ack, overflows(run));
    assert.ok(web!.errors > 0 && web!.errors <= ack, "who was reset counts as an error, unless it had nothing left to ask");
    assert.equal(web!.completed + web!.errors, 120);
  });

  it("in Linux: nobody is reset, and all are served, late", () => {
    const run = crowded(linux, /- http-server: .*$/m, "backlog: 16");
    const { drops, workloads: [web] } = run.report;
    const [syn, ack] = [drops["accept queue full, SYN (ListenOverflows)"] ?? 0, drops["accept queue full, ACK (ListenOverflows)"] ?? 0];
    assert.ok(syn + ack > 0);
    assert.equal(syn + ack, overflows(run));
    assert.equal(web!.errors, 0);
    assert.equal(web!.completed, 120);
  });

  it("nothing is dropped where the backlog has room for all", () => {
    const { report: { drops, workloads: [web] } } = crowded(byRequest, /- http-server/, "backlog: 60");
    assert.deepEqual(drops, {});
    assert.equal(web!.completed, 120);
  });

  it("each server asks for its own, and gets at most kern.somaxconn", () => {
    const servers = {
      "http-server": "http: { from: client, to: web }", "key-value-store": "key-value: { from: client, to: web }", "memcached": "memcached: { from: client, to: web }",
      "echo": "open-loop: { from: client, to: web }", "discard": "tcp-stream: { from: client, to: web }", "netpipe-server": "netpipe: { from: client, to: web }",
    };
    const asked = Object.entries(servers).map(([type, workload]) => {
      const { hosts: [host] } = designOf(byRequest.replace("- http-server", `- ${type}`).replace(/^ {2}- http: .*$/m, `  - ${workload}`));
      return host!.domains[0]!.components.find((c) => c.type === type)!.options["backlog"];
    });
    assert.deepEqual(asked, [511, 511, 1024, 10, 10, 5]);
    assert.deepEqual(Object.entries(servers).map(([type, workload]) => backlogOf(`- ${type}`, workload)), [128, 128, 128, 10, 10, 5]);
    assert.equal(backlogOf("- memcached: { backlog: 64 }", servers["memcached"]), 64);
  });
});
