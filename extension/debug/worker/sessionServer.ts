import type { Search, Stop } from "../../../engine/session/search";
import type { Session } from "../../../engine/session/session";
import { threadOfContext } from "../../../engine/session/threads";
import type { Work } from "../../../engine/session/work";
import { Breakpoint } from "../../../engine/session/breakpoints";
import type { Arrival, CallName, Destination, FromWorker, OpenParams, OpenResult, Request, Response, SessionCalls, Step, ToWorker } from "../../../protocol/session";
import type { TimelineIndex } from "../../../engine/trace/timelineIndex";
import type { TimelineQuery, TimelineResult } from "../../../engine/trace/timelineQuery";
import { BreakpointGroups } from "./breakpointGroups";
import { JobCancelled, Jobs, type Clock } from "./jobs";

/** A design made ready to run. */
export interface OpenedDesign {
  readonly session: Session;
  /** End of simulated time, picoseconds. */
  readonly until: number;
  readonly timeline: Pick<TimelineIndex, "rows" | "update" | "query">;
  /** The packets recorded so far as a pcapng file. */
  capture(): Uint8Array;
}

/** Reads a design's text and makes its machine, or opens a recorded run; never throws for what the text of a design says. */
export type Open = (params: OpenParams) => OpenedDesign | { readonly errors: readonly { readonly line: number; readonly message: string }[] };

/** How far the recorder runs ahead of the row asked for last: 2 M rows take about 100 MB, nearly all of it the timeline's index. */
const ROWS_AHEAD = 1 << 21;
const DISPATCHES_AT_A_TIME = 256;
/** Rows that the timeline's index absorbs between two looks at the clock: a few milliseconds. */
const INDEXED_AT_A_TIME = 8192;
/** Milliseconds between two reports of growth. */
const GROWTH_INTERVAL = 100;

/** Steps that stay with the thread that was stepped, be it a context or a packet, as long as that goes on. */
const staying: ReadonlySet<Step> = new Set<Step>(["next", "back"]);

type Handlers = { [K in CallName]: (params: SessionCalls[K]["params"]) => Work<SessionCalls[K]["result"]> };

/** The worker's end: answers calls about one simulation, and records ahead while nobody asks. */
export class SessionServer {
  private opened: OpenedDesign | undefined;
  private readonly jobs: Jobs;
  private readonly breakpoints = new BreakpointGroups();
  private search: { readonly version: number; readonly search: Search } | undefined;
  private paused = false;
  private farthest = 0;
  private reported = { length: -1, complete: false, at: 0 };

  constructor(private readonly send: (message: FromWorker) => void, private readonly clock: Clock, private readonly openAny: Open) {
    this.jobs = new Jobs(clock, () => this.recordAhead(), () => this.reportGrowth(false));
  }

  receive(message: ToWorker): void {
    if ("cancel" in message) return this.jobs.cancel(message.cancel);
    const { id } = message;
    this.jobs.run(id, this.answer(message)).then(
      (response) => {
        this.reportGrowth(true);
        this.send(response);
        this.jobs.wake();
      },
      (error: unknown) => this.send({
        id, ok: false, cancelled: error instanceof JobCancelled, message: error instanceof Error ? error.message : String(error),
      }),
    );
  }

  private *answer(request: Request): Work<Response> {
    const { id, call } = request;
    // Indexing both by `call` keeps them together; the compiler sees a union of pairs and cannot.
    const handler = this.handlers[call] as (params: Request["params"]) => Work<SessionCalls[CallName]["result"]>;
    return { id, call, ok: true, result: yield* handler(request.params) } as Response;
  }

  private readonly handlers: Handlers = {
    open: (params) => now(() => this.open(params)),
    setBreakpoints: ({ group, requests }) => now(() => this.breakpoints.set(group, requests, this.session)),
    run: (params) => this.run(params),
    step: ({ row, thread, step }) => this.step(row, thread, step),
    goTo: (destination) => this.goTo(destination),
    pause: () => now(() => {
      this.paused = true;
      return null;
    }),
    targets: ({ row, thread }) => this.targets(row, thread),
    threads: ({ row, packets }) => now(() => this.session.threads.at(row, packets)),
    stack: ({ row, thread, start, count }) => now(() => {
      const place = this.session.threads.placeOf(thread, row);
      return place === undefined ? { frames: [], total: 0 } : this.session.stack(place, start, count);
    }),
    scopes: ({ row }) => this.session.scopes(row),
    evaluate: ({ row, text }) => this.evaluate(row, text),
    timeline: (query) => this.timeline(query),
    capture: () => now(() => this.design.capture()),
  };

  private get design(): OpenedDesign {
    if (!this.opened) throw new Error("No design has been opened.");
    return this.opened;
  }

  private get session(): Session { return this.design.session; }

  private open(params: OpenParams): OpenResult {
    const result = this.openAny(params);
    if ("errors" in result) return { ok: false, errors: result.errors };
    this.opened = result;
    const { session, until } = result;
    return { ok: true, names: session.names, parts: session.lines.placedParts(), until, rowsOnly: session.recording.rowsOnly };
  }

  private *run({ row, direction, ignoreBreakpoints }: SessionCalls["run"]["params"]): Work<Arrival> {
    this.paused = false;
    for (let from = row; ;) {
      const { search, version } = ignoreBreakpoints ? { search: this.session.search([]), version: this.breakpoints.version } : this.currentSearch();
      const log = (text: string): void => this.send({ event: "log", text });
      const work = direction === "forward" ? search.forward(from, log) : search.backward(from, log);
      for (let step = work.next(); ; step = work.next()) {
        if (step.done) return yield* this.arrival(step.value.row, step.value);
        yield;
        this.farthest = Math.max(this.farthest, search.position);
        if (this.paused) return yield* this.arrival(Math.max(0, search.position), { reason: "pause" });
        // Breakpoints changed on the way: the rest of the way counts the new ones.
        if (version !== this.breakpoints.version && !ignoreBreakpoints) break;
      }
      from = search.position;
    }
  }

  /** The search keeps its counts of hits until the breakpoints change. */
  private currentSearch(): { readonly version: number; readonly search: Search } {
    const { version } = this.breakpoints;
    if (this.search?.version !== version) this.search = { version, search: this.session.search(this.breakpoints.all()) };
    return this.search;
  }

  private *step(row: number, thread: number, step: Step): Work<Arrival> {
    this.paused = false;
    const { stepping } = this.session;
    const work = {
      next: () => stepping.next(row, thread), in: () => stepping.stepIn(row, thread), out: () => stepping.stepOut(row, thread),
      back: () => now(() => stepping.previous(row, thread)),
      nextEvent: () => stepping.nextOfAny(row), previousEvent: () => now(() => (row > 0 ? row - 1 : undefined)),
    }[step]();
    for (let result = work.next(); ; result = work.next()) {
      if (result.done) return yield* this.stepped(result.value, thread, step);
      yield;
      if (this.paused) return yield* this.arrival(row, { reason: "pause" }, staying.has(step) ? thread : undefined);
    }
  }

  /** @param row where the step has led; undefined: to an end of the run */
  private *stepped(row: number | undefined, thread: number, step: Step): Work<Arrival> {
    const { threads, trace } = this.session;
    if (row !== undefined) return yield* this.arrival(row, { reason: "moved" }, staying.has(step) && threads.placeOf(thread, row) === row ? thread : undefined);
    const isBack = step === "back" || step === "previousEvent";
    return yield* isBack ? this.arrival(0, { reason: "start" }) : this.arrival(trace.length - 1, { reason: "end" });
  }

  private *goTo(destination: Destination): Work<Arrival> {
    const { session } = this;
    if (destination.kind === "line") {
      const components = session.lines.componentsOn(destination.line);
      const there = new Breakpoint(0, "breakpoint", session.names, { components }, {});
      const stop = yield* session.search([there]).forward(destination.after, () => undefined);
      return yield* this.arrival(stop.row, { reason: stop.reason === "end" ? "end" : "moved" });
    }
    if (destination.kind === "time") return yield* this.arrival(yield* session.recordToTime(destination.time), { reason: "moved" });
    const exists = yield* session.recordTo(destination.row);
    return yield* this.arrival(exists ? destination.row : session.trace.length - 1, { reason: exists ? "moved" : "end" });
  }

  private *targets(row: number, thread: number): Work<SessionCalls["targets"]["result"]> {
    const rows = yield* this.session.stepping.targets(row, thread);
    return rows.flatMap((target) => this.session.stack(target, 0, 1).frames);
  }

  private *evaluate(row: number, text: string): Work<SessionCalls["evaluate"]["result"]> {
    return (yield* this.session.evaluate(row, text)) ?? null;
  }

  private *timeline(query: TimelineQuery): Work<TimelineResult> {
    const { timeline, session } = this.design;
    for (const { length } = session.trace; timeline.rows < length;) {
      timeline.update(INDEXED_AT_A_TIME);
      yield;
    }
    return timeline.query(query);
  }

  /** @param thread the one that stands there; if not given, the row's context */
  private *arrival(row: number, why: { reason: Arrival["reason"] } & Partial<Omit<Stop, "reason">>, thread?: number): Work<Arrival> {
    if (row < 0 || this.session.trace.length === 0) throw new Error("The simulation has no events.");
    this.farthest = Math.max(this.farthest, row);
    const { session } = this;
    return {
      reason: why.reason, view: { ...session.cursor(row), uplinks: yield* session.uplinks(row) }, thread: thread ?? threadOfContext(session.trace.context(row)),
      breakpoints: why.breakpoints ?? [], text: why.text,
    };
  }

  private recordAhead(): boolean {
    const recording = this.opened?.session.recording;
    if (!recording || recording.length >= this.farthest + ROWS_AHEAD) return false;
    const more = recording.record(DISPATCHES_AT_A_TIME);
    this.opened?.timeline.update(INDEXED_AT_A_TIME);
    return more;
  }

  private reportGrowth(atOnce: boolean): void {
    const recording = this.opened?.session.recording;
    if (!recording) return;
    const { length, time, complete } = recording;
    if (length === this.reported.length && complete === this.reported.complete) return;
    const at = this.clock.now();
    if (!atOnce && !complete && at - this.reported.at < GROWTH_INTERVAL) return;
    this.reported = { length, complete, at };
    this.send({ event: "grown", length, time, complete });
  }
}

/** An answer that takes no time worth pausing for. */
function* now<T>(compute: () => T): Work<T> {
  return compute();
}
