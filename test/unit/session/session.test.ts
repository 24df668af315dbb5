import assert from "node:assert/strict";
import { Breakpoint, HitConditionError, type BreakpointOptions, type RowFilter } from "../../../engine/session/breakpoints";
import { ExpressionError } from "../../../engine/session/expression";
import type { WatchTarget } from "../../../engine/session/inspection";
import { Recording } from "../../../engine/session/recording";
import { Session } from "../../../engine/session/session";
import { threadOfContext, threadOfPacket } from "../../../engine/session/threads";
import { finish } from "../../../engine/session/work";
import { NONE } from "../../../engine/trace/trace";
import { TokenEngine, tokenDesign, tokenText } from "./tokenEngine";

const keyframes = { interval: 64, maxCount: 64, maxBytes: 1 << 20 };

function makeSession(dispatches = 2000, seed = 7): Session<Recording> {
  return new Session(new Recording(new TokenEngine(seed, dispatches), keyframes), tokenDesign(), tokenText);
}

function recorded(dispatches = 2000): Session<Recording> {
  const session = makeSession(dispatches);
  while (session.recording.record(100));
  return session;
}

const nothing = (): void => undefined;

describe("session: state at a row", () => {
  it("shows the same at 500 random rows, however they are reached, as when they were reached forwards", () => {
    const session = recorded();
    const forwards = Array.from({ length: session.trace.length }, (_, row) => JSON.stringify(finish(session.scopes(row))));
    assert.ok(new Set(forwards).size > 500, "the states must differ for the test to mean anything");
    let seed = 1;
    for (let i = 0; i < 500; i++) {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      const row = (seed >>> 4) % session.trace.length;
      assert.equal(JSON.stringify(finish(session.scopes(row))), forwards[row], `row ${row}`);
    }
  });

  it("is before the effect of the row's dispatch, for all its rows", () => {
    const session = recorded(300);
    const { trace } = session;
    for (let row = 1; row < trace.length; row++) {
      if (trace.isFirst(row)) continue;
      assert.deepEqual(session.stack(row, 0, 1).frames[0]?.time, trace.time(row - 1));
      const visits = (at: number): string | undefined => finish(session.read(at, { root: "server/left/tcpip", names: ["Counters", "visits"] }));
      assert.equal(visits(row), visits(row - 1));
    }
  });

  it("survives another computation that moves the replayer in the middle of a replay", () => {
    const session = new Session(new Recording(new TokenEngine(7, 3000), { interval: 1 << 20, maxCount: 8, maxBytes: 1 << 20 }), tokenDesign(), tokenText);
    while (session.recording.record(100));
    const far = session.scopes(session.trace.length - 1);
    far.next();
    const near = finish(session.scopes(10));
    assert.deepEqual(finish(far), finish(session.scopes(session.trace.length - 1)));
    assert.deepEqual(near, finish(session.scopes(10)));
  });

  it("keeps a bounded number of keyframes", () => {
    const session = recorded(20_000);
    assert.ok(session.recording.keyframeCount <= keyframes.maxCount);
    assert.ok(session.recording.keyframeCount >= keyframes.maxCount / 4);
    assert.equal(session.recording.keyframeBefore(0).row, 0);
  });
});

describe("session: steps", () => {
  const session = recorded();
  const { trace } = session;
  const rows = Array.from({ length: trace.length }, (_, row) => row);

  /** The row, its cause, and so on. */
  const causes = (row: number): number[] => (row === NONE ? [] : [row, ...causes(trace.cause(row))]);
  /** Where a thread that has ended returns to: the nearest context up the causes that goes on. */
  const returned = (row: number): number | undefined => {
    for (const cause of causes(row)) {
      const next = rows.find((later) => later > row && trace.context(later) === trace.context(cause));
      if (next !== undefined) return next;
    }
    return undefined;
  };

  it("next is the next row of the context, step back its inverse", () => {
    for (let context = 0; context < trace.names.contexts.length; context++) {
      const own = rows.filter((row) => trace.context(row) === context);
      assert.ok(own.length > 10);
      own.forEach((row, i) => {
        assert.equal(finish(session.stepping.next(row, threadOfContext(context))), own[i + 1] ?? returned(row));
        if (i > 0) assert.equal(session.stepping.previous(row, threadOfContext(context)), own[i - 1]);
      });
    }
  });

  it("follows a packet from row to row, and then the thread that took it", () => {
    let taken = 0;
    for (const packet of [0, 1, 2, 3, 4, 5]) {
      const own = rows.filter((row) => trace.packet(row) === packet);
      own.forEach((row, i) => assert.equal(finish(session.stepping.next(row, threadOfPacket(packet))), own[i + 1] ?? returned(row)));
      if (returned(own.at(-1)!) !== undefined) taken++;
    }
    assert.ok(taken > 0, "some packet arrives before the run ends");
  });

  it("next of a thread's last row is the caller's next row, as of a function that returns", () => {
    let ended = 0;
    for (let context = 0; context < trace.names.contexts.length; context++) {
      const last = rows.findLast((row) => trace.context(row) === context)!;
      const next = finish(session.stepping.next(last, threadOfContext(context)));
      assert.equal(next, returned(last));
      if (next === undefined) continue;
      ended++;
      assert.ok(causes(last).some((cause) => trace.context(cause) === trace.context(next)));
    }
    assert.ok(ended > 0, "some thread ends before the run does");
    assert.equal(finish(session.stepping.next(trace.length - 1, threadOfContext(trace.context(trace.length - 1)))), undefined);
  });

  it("step back of a thread's first row is what caused it", () => {
    let begun = 0;
    for (const packet of [0, 1, 2, 3, 4, 5]) {
      const first = rows.find((row) => trace.packet(row) === packet)!;
      const cause = trace.cause(first);
      if (cause !== NONE) begun++;
      assert.equal(session.stepping.previous(first, threadOfPacket(packet)), cause === NONE ? undefined : cause);
    }
    for (let context = 0; context < trace.names.contexts.length; context++) {
      const first = rows.find((row) => trace.context(row) === context)!;
      const cause = trace.cause(first);
      if (cause !== NONE) begun++;
      assert.equal(session.stepping.previous(first, threadOfContext(context)), cause === NONE ? undefined : cause);
    }
    assert.ok(begun > 0);
  });

  it("step in takes the first effect and offers the others; without an effect it is next", () => {
    let withEffects = 0;
    for (const row of rows.slice(0, 600)) {
      const thread = threadOfContext(trace.context(row));
      const effects = rows.filter((effect) => trace.cause(effect) === row);
      assert.deepEqual(finish(session.stepping.targets(row, thread)), effects);
      if (effects.length > 0) withEffects++;
      assert.equal(finish(session.stepping.stepIn(row, thread)), effects[0] ?? finish(session.stepping.next(row, thread)));
    }
    assert.ok(withEffects > 100);
  });

  it("step out goes to the caller's next row, or on where there is no caller", () => {
    let out = 0;
    for (const row of rows.slice(0, 600)) {
      const context = trace.context(row);
      let caller = trace.cause(row);
      while (caller !== NONE && trace.context(caller) === context) caller = trace.cause(caller);
      const target = caller === NONE ? undefined : rows.find((later) => later > row && trace.context(later) === trace.context(caller));
      if (target !== undefined) out++;
      assert.equal(finish(session.stepping.stepOut(row, threadOfContext(context))), target ?? finish(session.stepping.next(row, threadOfContext(context))));
    }
    assert.ok(out > 100);
  });

  it("records on where the trace does not reach far enough, and ends at the end of the run", () => {
    const fresh = makeSession();
    assert.equal(finish(fresh.recordTo(0)), true);
    let row = 0;
    for (let steps = 0; ; steps++) {
      const next = finish(fresh.stepping.nextOfAny(row));
      if (next === undefined) break;
      assert.equal(next, row + 1);
      row = next;
    }
    assert.equal(row, trace.length - 1);
  });

  it("the stack is the chain of causes down to its origin, in pages", () => {
    const row = rows.find((at) => session.stack(at, 0, 1).total > 8);
    assert.ok(row !== undefined);
    const { frames, total } = session.stack(row, 0, 1000);
    assert.equal(frames.length, total);
    frames.forEach((frame, i) => assert.equal(frame.row, i === 0 ? row : trace.cause(frames[i - 1]!.row)));
    assert.equal(trace.cause(frames[total - 1]!.row), NONE);
    assert.deepEqual(session.stack(row, 3, 2).frames, frames.slice(3, 5));
  });

  it("names threads by the pCPU and vCPU that they are on", () => {
    const row = rows.find((at) => at > 100 && trace.context(at) === 1);
    assert.ok(row !== undefined);
    const switched = rows.filter((at) => at <= row && trace.context(at) === 0).pop();
    assert.ok(switched !== undefined);
    const name = session.threads.at(row, [2]).find(({ id }) => id === threadOfContext(1))?.name;
    assert.equal(name, `${trace.vcpu(switched) === 0 ? "pcpu0/" : ""}vcpu left.0/thread worker-0`);
    assert.equal(session.threads.at(row, [2]).find(({ id }) => id === threadOfPacket(2))?.name, "packet 2: token 2");
  });
});

describe("session: breakpoints", () => {
  const session = recorded();
  const { trace, names } = session;
  const rows = Array.from({ length: trace.length }, (_, row) => row);
  const make = (filter: RowFilter, options: BreakpointOptions = {}, watch?: WatchTarget): Breakpoint =>
    new Breakpoint(1, watch ? "data breakpoint" : "breakpoint", names, filter, options, watch);

  /** All stops going forwards from row 0, and all going backwards from the end. */
  function sweep(breakpoints: Breakpoint[]): { forwards: number[]; backwards: number[] } {
    const search = session.search(breakpoints);
    const forwards: number[] = [];
    for (let row = 0; ;) {
      const stop = finish(search.forward(row, nothing));
      if (stop.reason === "end") break;
      forwards.push((row = stop.row));
    }
    const backwards: number[] = [];
    const back = session.search(breakpoints);
    for (let row = trace.length; ;) {
      const stop = finish(back.backward(row, nothing));
      if (stop.reason === "start") break;
      backwards.push((row = stop.row));
    }
    return { forwards, backwards };
  }

  function check(breakpoint: Breakpoint, expected: (row: number) => boolean): void {
    const { forwards, backwards } = sweep([breakpoint]);
    assert.ok(forwards.length > 3, "too few hits to mean anything");
    assert.deepEqual(forwards, rows.filter((row) => row > 0 && expected(row)));
    assert.deepEqual(backwards.reverse().filter((row) => row > 0), forwards);
  }

  it("stop at the rows of a component, forwards and backwards alike", () => {
    check(make({ components: [1] }), (row) => trace.component(row) === 1);
  });

  it("stop at functions", () => {
    check(make({ functions: [3, 5] }), (row) => trace.fn(row) === 3 || trace.fn(row) === 5);
  });

  it("honour a condition on the row", () => {
    check(make({ components: [1] }, { condition: "a > 700 && packet == 2" }),
      (row) => trace.component(row) === 1 && trace.packet(row) === 2 && trace.a(row) > 700);
  });

  it("honour a condition on the state", () => {
    const visits = rows.map((row) => Number(finish(session.read(row, { root: "server/right/netserver", names: ["Counters", "visits"] }))));
    check(make({ components: [1] }, { condition: "server.right.netserver.visits % 7 == 3" }),
      (row) => trace.component(row) === 1 && visits[row]! % 7 === 3);
  });

  it("count hits from the start of the run", () => {
    const own = rows.filter((row) => trace.component(row) === 1 && trace.packet(row) === 2);
    check(make({ components: [1] }, { condition: "packet == 2", hitCondition: "% 5" }), (row) => own.includes(row) && (own.indexOf(row) + 1) % 5 === 0);
    assert.deepEqual(sweep([make({ components: [1] }, { hitCondition: "12" })]).forwards, [rows.filter((row) => trace.component(row) === 1)[11]]);
  });

  it("stop at the dispatch that changes a watched variable", () => {
    const watch = { root: "server/left/tcpip", names: ["Counters", "visits"] };
    const visits = rows.map((row) => finish(session.read(row, watch)));
    const last = finish(session.read(trace.length, watch));
    const changing = rows.filter((row) => {
      const start = trace.dispatchStart(row);
      let end = start + 1;
      while (end < trace.length && !trace.isFirst(end)) end++;
      const first = Array.from({ length: end - start }, (_, i) => start + i).find((at) => trace.component(at) === 1) ?? start;
      return row === first && visits[start] !== (end < trace.length ? visits[end] : last);
    });
    check(make({}, {}, watch), (row) => changing.includes(row));
    const stop = finish(session.search([make({}, {}, watch)]).forward(changing[3]!, nothing));
    assert.equal(stop.text, `Counters.visits: 4 → 5`);
    const third = finish(session.search([make({}, { hitCondition: "3" }, watch)]).forward(0, nothing));
    assert.equal(third.row, changing[2]);
  });

  it("write log points without stopping", () => {
    const logs: string[] = [];
    const stop = finish(session.search([make({ functions: [4] }, { logMessage: "at {row}: {left.tcpip.visits} visits, {nothing}" })]).forward(0, (text) => logs.push(text)));
    assert.equal(stop.reason, "end");
    const own = rows.filter((row) => row > 0 && trace.fn(row) === 4);
    assert.equal(logs.length, own.length);
    assert.match(logs[0] ?? "", new RegExp(`^at ${own[0]}: \\d+ visits, not available$`));
  });

  it("say what is wrong with a condition or a hit count", () => {
    assert.throws(() => make({}, { condition: "a >" }), ExpressionError);
    assert.throws(() => make({}, { condition: "process.exit()" }), ExpressionError);
    assert.throws(() => make({}, { hitCondition: "often" }), HitConditionError);
  });

  it("find the same first stop whether the run is recorded already or not", () => {
    const fresh = makeSession();
    const breakpoint = make({ functions: [5] }, { condition: "time > 2 * us" });
    assert.deepEqual(finish(fresh.search([breakpoint]).forward(0, nothing)), finish(session.search([breakpoint]).forward(0, nothing)));
    assert.ok(fresh.trace.length < trace.length);
  });
});

describe("session: the design's lines", () => {
  const session = makeSession(1);
  const lineOf = (text: string): number => tokenText.split("\n").findIndex((line) => line.includes(text));

  it("map a line to the components on it", () => {
    assert.deepEqual(session.lines.componentsOn(lineOf("- tcpip")), [1]);
    assert.deepEqual(session.lines.componentsOn(lineOf("ports: 4")), [2]);
    assert.deepEqual(session.lines.componentsOn(lineOf("client:")), [4]);
    assert.deepEqual(session.lines.componentsOn(lineOf("left:")), []);
  });

  it("move on to the next line that holds one", () => {
    assert.equal(session.lines.nextComponentLine(lineOf("left:")), lineOf("- http-server"));
    assert.equal(session.lines.nextComponentLine(1000), undefined);
  });

  it("place a component at its name", () => {
    const position = session.lines.positionOf(1);
    assert.deepEqual(position && { line: position.line, text: tokenText.split("\n")[position.line]?.slice(position.column, position.endColumn) }, { line: lineOf("- tcpip"), text: "tcpip" });
  });
});

describe("session: expressions", () => {
  const session = recorded(500);
  const row = Array.from({ length: session.trace.length }, (_, at) => at).find((at) => at > 400 && session.trace.component(at) === 1) ?? 0;
  const evaluate = (text: string): string | undefined => finish(session.evaluate(row, text))?.text;

  it("see the row, its component, the ones beside it and the packet", () => {
    assert.equal(evaluate("component"), "server/left/tcpip");
    assert.equal(evaluate("row + 1"), String(row + 1));
    assert.equal(evaluate("visits"), finish(session.read(row, { root: "server/left/tcpip", names: ["Counters", "visits"] })));
    assert.equal(evaluate("http_server.visits"), finish(session.read(row, { root: "server/left/http-server", names: ["Counters", "visits"] })));
    assert.equal(evaluate("server.right.netserver.bytes_sent"), finish(session.read(row, { root: "server/right/netserver", names: ["Counters", "bytes sent"] })));
    assert.equal(evaluate("packet.TCP.seq / 1000 == packet"), "true");
    assert.equal(evaluate("state == 'ESTABLISHED' && state == 4"), "true");
    assert.equal(evaluate("server.left.work"), finish(session.read(row, { root: "server/left", names: ["work"] })));
  });

  it("take what is not there as not available and every comparison with it as false", () => {
    assert.equal(finish(session.evaluate(row, "nowhere.at_all[3]")), undefined);
    assert.equal(evaluate("nowhere > 1 || nowhere <= 1"), "false");
    assert.equal(evaluate("constructor"), undefined);
  });

  it("index into tables by position", () => {
    const table = finish(session.evaluate(row, "connections"));
    if (table && table.variables.length > 0) assert.equal(evaluate("connections[0].last"), table.variables[0]?.children?.[0]?.value);
    assert.equal(evaluate("connections[99]"), undefined);
  });
});
