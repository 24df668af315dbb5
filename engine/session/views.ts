import type { Engine } from "../engine";
import { NONE, type Trace } from "../trace/trace";
import type { Position, DesignLines } from "./designLines";
import { threadOfPacket, type Threads } from "./threads";

/** One step of the chain of causes: a frame of the debugger's stack. */
export interface CauseFrame {
  readonly row: number;
  /** e.g. `tcp_output`, and its file in the system's own source tree; undefined for hardware. */
  readonly fn: string;
  readonly file: string | undefined;
  /** Path of the component in the design. */
  readonly component: string;
  readonly context: string;
  /** Picoseconds. */
  readonly time: number;
  /** The component's name in the design file; undefined where the file does not spell it. */
  readonly position: Position | undefined;
}

/** The chain of causes from a row back to the origin of its request, a page of it. */
export function causeFrames(trace: Trace, threads: Threads, lines: DesignLines, row: number, start: number, count: number): { frames: CauseFrame[]; total: number } {
  const frames: CauseFrame[] = [];
  let depth = 0;
  for (const at of causesOf(trace, threads, row)) {
    if (depth >= start && frames.length < count) frames.push(frameOf(trace, lines, at));
    depth++;
  }
  return { frames, total: depth };
}

/**
 * The row, its cause, and so on up to the origin of its request: where the workload acts. In a closed loop the causes
 * go on to the request before; that one is over. Two things more are not what a reader asks for:
 *
 * * Who handles frames in turn comes to one from the one before. A frame is there because it was sent, so where the causes
 *   go over to another frame, the stack goes on where this one was before, or the one that it was made of.
 * * Of a loop that goes round without a frame (polls that find nothing, a computation) one turn is shown.
 */
function* causesOf(trace: Trace, threads: Threads, row: number): Generator<number> {
  /** The frame that the chain is about. */
  let packet = NONE;
  const turn = new Set<string>();
  for (let at = row; at !== NONE;) {
    if (trace.packet(at) !== NONE) {
      packet = trace.packet(at);
      turn.clear();
    } else if (!switches.has(kindOf(trace, at) ?? "")) {
      const place = `${trace.fn(at)} ${trace.component(at)} ${trace.context(at)}`;
      if (turn.has(place)) return;
      turn.add(place);
    }
    yield at;
    if (isWorkload(trace, at) && (at !== row || goesOnFromWorkload(trace, at))) return;
    const cause = trace.cause(at);
    const other = cause !== NONE && packet !== NONE && trace.packet(cause) !== NONE && trace.packet(cause) !== packet;
    at = (other ? threads.rowOfPacketBefore(packet, at) : undefined) ?? cause;
  }
}

/** Kinds of rows in which a thread or a vCPU only gives way to another: not the turn of a loop. */
const switches: ReadonlySet<string> = new Set(["thread", "interrupt", "hypervisor", "kernel"]);

/** Whether what the workload did before is all that led to this row: the next row up its own thread, or the workload itself. */
function goesOnFromWorkload(trace: Trace, row: number): boolean {
  let at = trace.cause(row);
  if (isWorkload(trace, at)) return true;
  while (at !== NONE && trace.context(at) === trace.context(row) && !isWorkload(trace, at)) at = trace.cause(at);
  return isWorkload(trace, at) && trace.context(at) === trace.context(row);
}

function kindOf(trace: Trace, row: number): string | undefined {
  return trace.names.functions[trace.fn(row)]?.kind;
}

/** Whether the workload acts: it writes and reads, or opens another connection where one has failed. */
function isWorkload(trace: Trace, row: number): boolean {
  return row !== NONE && (kindOf(trace, row) === "workload" || trace.names.components[trace.component(row)]?.type === "load-generator");
}

function frameOf(trace: Trace, lines: DesignLines, row: number): CauseFrame {
  const { names } = trace;
  const fn = names.functions[trace.fn(row)];
  return {
    row, fn: fn?.name ?? "?", file: fn?.file, component: names.components[trace.component(row)]?.path ?? "?",
    context: names.contexts[trace.context(row)]?.path ?? "?", time: trace.time(row), position: lines.positionOf(trace.component(row)),
  };
}

/** What every view needs to show a row as the cursor; the shape of the protocol's `CursorView`. */
export function describeCursor(engine: Engine, trace: Trace, threads: Threads, row: number): {
  row: number; time: number; component: string; context: string; fn: string; file: string | undefined;
  packet: number; packetSummary: string; trail: string[];
} {
  const { names } = trace;
  const fn = names.functions[trace.fn(row)];
  const packet = trace.packet(row);
  return {
    row, time: trace.time(row), component: names.components[trace.component(row)]?.path ?? "?",
    context: names.contexts[trace.context(row)]?.path ?? "?", fn: fn?.name ?? "?", file: fn?.file, packet,
    packetSummary: packet === NONE ? "" : engine.summarizePacket(packet), trail: trailOf(trace, threads, row),
  };
}

/** Longest way shown: a request crosses a few dozen components. */
const TRAIL = 256;

/** Paths of the components that the row's packet, or without one its chain of causes, passed up to the row. */
function trailOf(trace: Trace, threads: Threads, row: number): string[] {
  const rows: number[] = [];
  const packet = trace.packet(row);
  if (packet === NONE) {
    for (const at of causesOf(trace, threads, row)) if (rows.push(at) === TRAIL) break;
    rows.reverse();
  } else {
    const passed = threads.rowsOf(threadOfPacket(packet));
    const count = passed.countBefore(row + 1);
    for (let i = Math.max(0, count - TRAIL); i < count; i++) rows.push(passed.at(i) ?? row);
  }
  const paths = rows.map((at) => trace.names.components[trace.component(at)]?.path ?? "?");
  return paths.filter((path, i) => path !== paths[i - 1]);
}
