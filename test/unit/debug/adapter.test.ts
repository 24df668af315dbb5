import assert from "node:assert/strict";
import type { DebugProtocol } from "@vscode/debugprotocol";
import { Recording } from "../../../engine/session/recording";
import { Session } from "../../../engine/session/session";
import { TimelineIndex } from "../../../engine/trace/timelineIndex";
import { TokenEngine, tokenDesign, tokenText } from "../session/tokenEngine";
import { AdapterClient, openTokens, program } from "./adapterClient";

type Bodies = {
  threads: DebugProtocol.ThreadsResponse["body"];
  stack: DebugProtocol.StackTraceResponse["body"];
  scopes: DebugProtocol.ScopesResponse["body"];
  variables: DebugProtocol.VariablesResponse["body"];
  breakpoints: DebugProtocol.SetBreakpointsResponse["body"];
  evaluate: DebugProtocol.EvaluateResponse["body"];
};

const lineOf = (text: string): number => tokenText.split("\n").findIndex((line) => line.includes(text)) + 1;

describe("debug adapter", () => {
  let client: AdapterClient;
  beforeEach(() => { client = new AdapterClient(); });
  afterEach(() => client.adapter.dispose());

  const top = async (thread: number): Promise<DebugProtocol.StackFrame> => {
    const { stackFrames } = await client.ask<Bodies["stack"]>("stackTrace", { threadId: thread, startFrame: 0, levels: 1 });
    assert.ok(stackFrames[0]);
    return stackFrames[0];
  };
  const variables = async (frameId: number): Promise<string> => {
    const { scopes } = await client.ask<Bodies["scopes"]>("scopes", { frameId });
    const read = async (reference: number): Promise<unknown> => {
      const children = (await client.ask<Bodies["variables"]>("variables", { variablesReference: reference })).variables;
      return Promise.all(children.map(async (child) => [child.name, child.value, child.variablesReference ? await read(child.variablesReference) : null]));
    };
    return JSON.stringify(await Promise.all(scopes.map(async (scope) => [scope.name, await read(scope.variablesReference)])));
  };

  it("stops at the first event, with the design's text in view", async () => {
    const stopped = await client.launch();
    assert.equal(stopped.reason, "entry");
    assert.equal(client.row, 0);
    assert.equal(client.reveals, 1);
    const frame = await top(stopped.threadId ?? 0);
    assert.equal(frame.source?.path, program);
    assert.ok(tokenText.split("\n")[frame.line - 1]?.slice(frame.column - 1, (frame.endColumn ?? 0) - 1).length);
  });

  it("steps over, in, out and back", async () => {
    let { threadId = 0 } = await client.launch();
    const path: number[] = [client.row];
    for (let i = 0; i < 30; i++) {
      ({ threadId = 0 } = await client.move(["next", "stepIn", "stepOut"][i % 3] ?? "next", { threadId }));
      path.push(client.row);
    }
    path.forEach((row, i) => i > 0 && assert.ok(row > path[i - 1]!, "steps go forwards"));
    const at = client.row;
    const stopped = await client.move("stepBack", { threadId });
    assert.equal(stopped.reason, "step");
    assert.ok(client.row < at);
    await client.move("next", { threadId });
    assert.equal(client.row, at, "next undoes step back");
  });

  it("steps on in the caller where a thread has ended, and stops at the end of the run, and back at its start", async () => {
    await client.launch({ noDebug: true });
    const end = client.row;
    // Whatever thread is stepped, at the end of the run nothing comes after it.
    for (const threadId of [1, 2, 3]) {
      const stopped = await client.move("next", { threadId });
      assert.deepEqual([client.row, stopped.description], [end, "Stopped at the end of the run"]);
    }
    let { threadId = 0 } = await client.move("stepBack", { threadId: 2 });
    const thread = threadId;
    assert.equal(thread, 2);
    let last = client.row;
    // The last rows of the run are of other threads: this one's last row is not the end, and what comes after it is another's.
    assert.ok(last < end);
    let stopped = await client.move("next", { threadId });
    while (stopped.description === undefined) {
      assert.ok(client.row > last);
      last = client.row;
      ({ threadId = 0 } = stopped);
      assert.notEqual(threadId, thread);
      stopped = await client.move("next", { threadId });
    }
    assert.deepEqual([client.row, stopped.description], [end, "Stopped at the end of the run"]);
    stopped = await client.move("reverseContinue", { threadId });
    stopped = await client.move("stepBack", { threadId: stopped.threadId });
    assert.deepEqual([client.row, stopped.description], [0, "Stopped at the first event of the run"]);
  });

  it("shows the same variables going back as going forwards", async () => {
    let { threadId = 0 } = await client.launch();
    const seen = new Map<number, string>();
    for (let i = 0; i < 40; i++) {
      const frame = await top(threadId);
      seen.set(client.row, await variables(frame.id));
      ({ threadId = 0 } = await client.move("next", { threadId }));
    }
    for (let i = 0; i < 40; i++) {
      await client.move("stepBack", { threadId });
      assert.equal(await variables((await top(threadId)).id), seen.get(client.row));
    }
    assert.equal(client.row, 0);
    const stopped = await client.move("stepBack", { threadId });
    assert.equal(client.row, 0);
    assert.equal(stopped.description, "Stopped at the first event of the run");
  });

  it("puts breakpoints on design lines, moves them to a component, and says where there is none", async () => {
    let answer: Bodies["breakpoints"] | undefined;
    await client.launch({}, async () => {
      answer = await client.ask("setBreakpoints", {
        source: { path: program }, breakpoints: [{ line: lineOf("- tcpip") }, { line: lineOf("left:") }, { line: 1000 }, { line: lineOf("client"), condition: "a >" }],
      });
    });
    assert.deepEqual(answer?.breakpoints.map(({ verified, line }) => ({ verified, line })), [
      { verified: true, line: lineOf("- tcpip") }, { verified: true, line: lineOf("- http-server") },
      { verified: false, line: undefined }, { verified: false, line: undefined },
    ]);
    assert.equal(answer?.breakpoints[2]?.message, "No component stands on this line or after it.");
    assert.ok(answer?.breakpoints[3]?.message);
    const stopped = await client.move("continue", { threadId: 1 });
    assert.equal(stopped.reason, "breakpoint");
    const hit = answer?.breakpoints.find(({ id }) => stopped.hitBreakpointIds?.includes(id ?? -1));
    assert.equal((await top(stopped.threadId ?? 0)).line, hit?.line);
  });

  it("continues in reverse through the same stops", async () => {
    await client.launch({}, () => client.ask("setFunctionBreakpoints", { breakpoints: [{ name: "ring_overflow" }, { name: "no_such" }] }));
    const rows: number[] = [];
    for (;;) {
      const stopped = await client.move("continue", { threadId: 1 });
      if (stopped.reason !== "function breakpoint") break;
      rows.push(client.row);
    }
    assert.ok(rows.length > 10);
    const back: number[] = [];
    for (;;) {
      const stopped = await client.move("reverseContinue", { threadId: 1 });
      if (stopped.reason !== "function breakpoint") break;
      back.push(client.row);
    }
    assert.deepEqual(back.reverse(), rows);
    assert.equal(client.row, 0);
  });

  it("stops at exceptions that were asked for", async () => {
    await client.launch({}, () => client.ask("setExceptionBreakpoints", { filters: ["refusal"] }));
    const stopped = await client.move("continue", { threadId: 1 });
    assert.equal(stopped.reason, "exception");
    assert.equal((await client.ask<DebugProtocol.ExceptionInfoResponse["body"]>("exceptionInfo", { threadId: stopped.threadId })).exceptionId, "iommu_fault");
  });

  it("watches a variable of the Variables view", async () => {
    const { threadId = 0 } = await client.launch();
    const { scopes } = await client.ask<Bodies["scopes"]>("scopes", { frameId: (await top(threadId)).id });
    const component = scopes.find((scope) => scope.name.startsWith("Component"));
    const event = scopes.find((scope) => scope.name === "Event");
    const group = (await client.ask<Bodies["variables"]>("variables", { variablesReference: component?.variablesReference })).variables.find(({ name }) => name === "Counters");
    const info = await client.ask<DebugProtocol.DataBreakpointInfoResponse["body"]>("dataBreakpointInfo", { variablesReference: group?.variablesReference, name: "visits" });
    assert.ok(info.dataId);
    assert.equal((await client.ask<DebugProtocol.DataBreakpointInfoResponse["body"]>("dataBreakpointInfo", { variablesReference: event?.variablesReference, name: "row" })).dataId, null);
    await client.ask("setDataBreakpoints", { breakpoints: [{ dataId: info.dataId, accessType: "write" }, { dataId: "nonsense" }] });
    const stopped = await client.move("continue", { threadId });
    assert.equal(stopped.reason, "data breakpoint");
    assert.match(stopped.text ?? "", /^Counters\.visits: \d+ → \d+$/);
  });

  it("writes log points to the console", async () => {
    await client.launch({}, () => client.ask("setBreakpoints", { source: { path: program }, breakpoints: [{ line: lineOf("- tcpip"), logMessage: "visits {visits}" }] }));
    await client.move("continue", { threadId: 1 });
    const output = client.events.filter(({ event }) => event === "output");
    assert.ok(output.length > 10);
    assert.match(String(output[0]?.body?.output), /^visits \d+\n$/);
  });

  it("evaluates in the frame, with children to open", async () => {
    const { threadId = 0 } = await client.launch();
    const frameId = (await top(threadId)).id;
    const group = await client.ask<Bodies["evaluate"]>("evaluate", { expression: "server.left.tcpip", frameId, context: "hover" });
    assert.ok(group.variablesReference > 0);
    assert.equal((await client.ask<Bodies["evaluate"]>("evaluate", { expression: "row + 1", frameId })).result, "1");
    assert.equal((await client.request("evaluate", { expression: "nowhere", frameId })).success, false);
    assert.equal((await client.request("evaluate", { expression: "1 +", frameId })).success, false);
  });

  it("names threads by path, and follows a packet as one", async () => {
    const { threadId = 0 } = await client.launch();
    await client.move("next", { threadId });
    const packet = client.adapter.cursor?.packet ?? -1;
    await client.adapter.toggleFollow(packet);
    const { threads } = await client.ask<Bodies["threads"]>("threads");
    assert.ok(threads.some(({ name }) => name === "pcpu0"));
    const followed = threads.find(({ name }) => name === `packet ${packet}: token ${packet}`);
    assert.ok(followed);
    const stopped = await client.move("next", { threadId: followed.id });
    assert.equal(stopped.threadId, followed.id);
    assert.equal(client.adapter.cursor?.packet, packet);
    assert.equal((await top(followed.id)).id, client.row + 1);
  });

  it("offers the effects of an event as step-in targets", async () => {
    let { threadId = 0 } = await client.launch();
    for (let i = 0; i < 200; i++) {
      const { targets } = await client.ask<DebugProtocol.StepInTargetsResponse["body"]>("stepInTargets", { frameId: (await top(threadId)).id });
      const last = targets[targets.length - 1];
      if (last && targets.length > 0) {
        await client.move("stepIn", { threadId, targetId: last.id });
        assert.equal(client.row, last.id - 1);
        return;
      }
      ({ threadId = 0 } = await client.move("next", { threadId }));
    }
    assert.fail("no event had an effect");
  });

  it("jumps to the next event of a line", async () => {
    const { threadId = 0 } = await client.launch();
    const line = lineOf("- ixgbe");
    const { targets } = await client.ask<DebugProtocol.GotoTargetsResponse["body"]>("gotoTargets", { source: { path: program }, line });
    const stopped = await client.move("goto", { threadId, targetId: targets[0]?.id });
    assert.equal(stopped.reason, "goto");
    assert.equal(client.adapter.cursor?.component, "server/right/ixgbe");
  });

  it("moves the cursor for another view, and tells every view who moved it", async () => {
    await client.launch();
    const stopped = client.next("stopped");
    await client.adapter.moveTo({ kind: "row", row: 250 }, "timeline");
    assert.equal((await stopped).reason, "goto");
    const { view, origin } = client.moves[client.moves.length - 1]!;
    assert.deepEqual([view.row, origin], [250, "timeline"]);
    assert.equal(view.trail[view.trail.length - 1], view.component);
    view.trail.forEach((path, i) => assert.notEqual(path, view.trail[i - 1]));
  });

  it("opens a frame in the simulated system's own source where there is a checkout", async () => {
    client = new AdapterClient(undefined, new Map([["sys/tcp_output.c", { path: "/src/sys/tcp_output.c", line: 41 }]]));
    await client.launch({}, () => client.ask("setFunctionBreakpoints", { breakpoints: [{ name: "tcp_output" }] }));
    const stopped = await client.move("continue", { threadId: 1 });
    const frame = await top(stopped.threadId ?? 0);
    assert.deepEqual([frame.name, frame.source?.path, frame.line], ["tcp_output (sys/tcp_output.c)", "/src/sys/tcp_output.c", 42]);
  });

  it("pauses a run that nothing stops", async () => {
    client = new AdapterClient((params) => {
      const endless = new TokenEngine(1, Infinity);
      const opened = openTokens(params);
      return "errors" in opened ? opened : { ...opened, session: new Session(new Recording(endless), tokenDesign(), tokenText), timeline: new TimelineIndex(endless.trace) };
    });
    await client.launch();
    const stopped = client.next("stopped");
    await client.ask("continue", { threadId: 1 });
    await client.ask("pause", { threadId: 1 });
    assert.equal((await stopped).reason, "pause");
  });

  it("runs to the end without stopping when started without debugging", async () => {
    const stopped = await client.launch({ noDebug: true }, () => client.ask("setFunctionBreakpoints", { breakpoints: [{ name: "tcp_output" }] }));
    assert.equal(stopped.description, "Stopped at the end of the run");
    assert.equal((await client.request("launch", { program, until: "soon" })).success, false);
  });

  it("refuses a design with errors, and points to the Problems panel", async () => {
    client.text = "broken";
    await client.ask("initialize", { adapterID: "exoscope" });
    const response = await client.request("launch", { program });
    assert.equal(response.success, false);
    assert.equal(response.message, "The design cannot run: line 3: There is no host. The Problems panel lists what is wrong.");
    assert.equal(client.port.terminated, true);
  });

  it("ends the session with a plain message when the worker ends, and answers what was pending", async () => {
    await client.launch();
    const terminated = client.next("terminated");
    const pending = client.request("scopes", { frameId: 1 });
    client.port.crash();
    await terminated;
    assert.equal((await pending).success, false);
    assert.deepEqual(client.ends, ["The engine stopped unexpectedly."]);
    assert.equal((await client.request("threads")).success, false);
  });

  it("answers a request that it does not know, and one that comes too early", async () => {
    assert.equal((await client.request("readMemory")).success, false);
    assert.equal((await client.request("threads")).success, true);
    assert.equal((await client.request("scopes", { frameId: 1 })).success, false);
  });
});
