import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createEngine } from "../../../engine/create";
import { parseDesign } from "../../../engine/design/parse";
import { Breakpoint } from "../../../engine/session/breakpoints";
import { Recording } from "../../../engine/session/recording";
import { Session } from "../../../engine/session/session";
import { finish } from "../../../engine/session/work";

const text = readFileSync("samples/librettos/librettos.exo.yaml", "utf8");

/** The sample with the real engine, recorded for so many dispatches. */
function record(dispatches: number): Session {
  const { design } = parseDesign(text);
  assert.ok(design);
  const session = new Session(new Recording(createEngine(design)), design, text);
  session.recording.record(dispatches);
  return session;
}

describe("session: the LibrettOS sample", () => {

  it("shows the same state at 500 random rows reached going back as when they were reached forwards", () => {
    const session = record(20_000);
    const { length } = session.trace;
    assert.ok(length > 20_000);
    let seed = 20;
    const rows = Array.from({ length: 500 }, () => {
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      return Math.floor((seed / 2 ** 32) * length);
    }).sort((left, right) => left - right);
    const everything = (row: number): string => {
      const engine = finish(session.playback.seek(row));
      const components = session.names.components.map(({ id }) => engine.describeComponent(id));
      const domains = [...new Set(session.names.components.flatMap(({ domain }) => domain ?? []))].map((path) => engine.describeDomain(path));
      return JSON.stringify([components, domains, finish(session.scopes(row))]);
    };
    const forwards = rows.map(everything);
    assert.ok(new Set(forwards).size > 300, "the state must differ from row to row for the test to mean anything");
    for (let i = rows.length - 1; i >= 0; i--) assert.equal(everything(rows[i]!), forwards[i], `row ${rows[i]}`);
    // And in no order at all.
    for (let i = 0; i < 100; i++) {
      const at = (i * 193) % rows.length;
      assert.equal(everything(rows[at]!), forwards[at], `row ${rows[at]}`);
    }
  });

  it("shows at row 0 a machine that was built and has done nothing: the first row belongs to the first dispatch", () => {
    const session = record(50);
    assert.ok(session.trace.isFirst(0));
    const fresh = createEngine(parseDesign(text).design!);
    assert.equal(fresh.rows, 0);
    const state = (engine: { describeComponent(id: number): unknown }): string => JSON.stringify(session.names.components.map(({ id }) => engine.describeComponent(id)));
    const before = state(fresh);
    assert.equal(state(finish(session.playback.seek(0))), before);
    const second = Array.from({ length: session.trace.length }, (_, row) => row).find((row) => row > 0 && session.trace.isFirst(row))!;
    fresh.dispatch();
    assert.equal(state(finish(session.playback.seek(second))), state(fresh));
    assert.notEqual(state(fresh), before);
    assert.equal(state(finish(session.playback.seek(0))), before);
  });

  it("shows what the recording engine itself showed at that moment", () => {
    const { design } = parseDesign(text);
    assert.ok(design);
    const engine = createEngine(design);
    const session = new Session(new Recording(engine), design, text);
    const seen = new Map<number, string>();
    const describeAll = (from: typeof engine | ReturnType<typeof engine.replayer>): string => JSON.stringify(session.names.components.map(({ id }) => from.describeComponent(id)));
    while (session.trace.length < 12_000) {
      seen.set(session.trace.length, describeAll(engine));
      session.recording.record(97);
    }
    for (const [row, state] of [...seen].reverse()) assert.equal(describeAll(finish(session.playback.seek(row))), state, `row ${row}`);
  });

  it("places every component that the file spells, and stops on its line", () => {
    const session = record(20_000);
    const line = text.split("\n").findIndex((entry) => entry.includes("- tcpip"));
    const components = session.lines.componentsOn(line);
    assert.deepEqual(components.map((id) => session.names.components[id]?.path), ["server/nginx/tcpip"]);
    const stop = finish(session.search([new Breakpoint(1, "breakpoint", session.names, { components }, {})]).forward(0, () => undefined));
    assert.equal(stop.reason, "breakpoint");
    assert.equal(session.lines.positionOf(session.trace.component(stop.row))?.line, line);
  });

  it("names a thread by where it runs, and only foreign hosts by name", () => {
    const session = record(20_000);
    const names = session.threads.at(session.trace.length - 1, []).map(({ name }) => name);
    assert.ok(names.some((name) => /^(pcpu\d\/)?vcpu nginx\.\d\/thread worker-0$/.test(name)), names.join(", "));
    assert.ok(names.includes("pcpu0"));
    assert.ok(names.some((name) => name.startsWith("client/")));
  });

  it("explains a reply by a stack that goes back to its request", () => {
    const session = record(20_000);
    // The first answers' stacks begin with their connections: a later one.
    const output = session.names.functions.find((fn) => fn.name === "tcp_output");
    assert.ok(output);
    const stop = finish(session.search([new Breakpoint(1, "function breakpoint", session.names, { functions: [output.id], components: session.names.components.filter((c) => c.path === "server/nginx/tcpip").map((c) => c.id) }, { hitCondition: "40" })]).forward(0, () => undefined));
    assert.equal(stop.reason, "function breakpoint");
    const { frames } = session.stack(stop.row, 0, 1000);
    const described = frames.map((frame) => `${frame.fn} ${frame.component}`).join("\n");
    assert.equal(frames[0]?.component, "server/nginx/tcpip", described);
    assert.equal(frames[frames.length - 1]?.component, "client/os/load-generator", described);
    assert.equal(frames.filter((frame) => frame.component === "server/nginx/http-server").length > 0, true, described);
    assert.ok(frames.length < 100, "one request, not all before it");
  });
});
