import type { Engine } from "../engine";
import { NO_VCPU, NONE, type ContextInfo, type Trace } from "../trace/trace";
import { RowIndex, type RowList } from "./rowIndex";

/** A thread of the debugger: an execution context, or a packet that is being followed. */
export interface ThreadInfo {
  readonly id: number;
  /** A path, since the debugger's threads are flat: `pcpu0/vcpu nginx.1/thread worker-3`. */
  readonly name: string;
}

/** Thread ids from here on are packets; below are contexts, from 1. */
const PACKETS = 1 << 20;

export function threadOfContext(context: number): number { return context + 1; }
export function threadOfPacket(packet: number): number { return PACKETS + packet; }
/** The packet that a thread id follows; undefined for a context. */
export function packetOfThread(thread: number): number | undefined { return thread >= PACKETS ? thread - PACKETS : undefined; }

/** The rows of each context and packet, and what they are called at a given row. */
export class Threads {
  private readonly byContext: RowIndex;
  private readonly byPacket: RowIndex;

  /** @param machine The host that needs no naming, since its threads are what the design is about; the others' names begin with the host. */
  constructor(private readonly engine: Engine, private readonly trace: Trace, private readonly machine: string | undefined) {
    this.byContext = new RowIndex(trace, (t, row) => t.context(row));
    this.byPacket = new RowIndex(trace, (t, row) => t.packet(row));
  }

  rowsOf(thread: number): RowList {
    const packet = packetOfThread(thread);
    return packet === undefined ? this.byContext.of(thread - 1) : this.byPacket.of(packet);
  }

  /** The latest row before `row` of a packet; of one that has none, of the packet that it was made of. */
  rowOfPacketBefore(packet: number, row: number): number | undefined {
    for (let p = packet; p !== NONE; p = this.engine.parentOfPacket(p)) {
      const before = this.rowsOf(threadOfPacket(p)).before(row);
      if (before !== undefined) return before;
    }
    return undefined;
  }

  /** Where a thread stands when the cursor is at `row`: its latest row up to there. */
  placeOf(thread: number, row: number): number | undefined {
    return this.rowsOf(thread).before(row + 1);
  }

  /** The contexts in the machine's order, then the packets followed. A device or link to which nothing has happened is none of them. */
  at(row: number, followed: readonly number[]): ThreadInfo[] {
    const { contexts } = this.trace.names;
    const running = this.runningOn(row);
    return [
      ...contexts.filter(({ kind, id }) => kind === "pcpu" || kind === "thread" || this.placeOf(threadOfContext(id), row) !== undefined).map((context) => ({ id: threadOfContext(context.id), name: this.nameOf(context, row, running) })),
      ...followed.map((packet) => ({ id: threadOfPacket(packet), name: `packet ${packet}: ${this.engine.summarizePacket(packet)}` })),
    ];
  }

  /** Which pCPU each vCPU is on: the latest switch of every pCPU decides. */
  private runningOn(row: number): Map<number, ContextInfo> {
    const running = new Map<number, ContextInfo>();
    for (const context of this.trace.names.contexts) {
      if (context.kind !== "pcpu") continue;
      const latest = this.placeOf(threadOfContext(context.id), row);
      if (latest !== undefined && this.trace.vcpu(latest) !== NO_VCPU) running.set(this.trace.vcpu(latest), context);
    }
    return running;
  }

  private nameOf(context: ContextInfo, row: number, running: ReadonlyMap<number, ContextInfo>): string {
    const machine = context.host === this.machine ? "" : `${context.host}/`;
    const own = lastStep(context.path);
    if (context.kind === "pcpu") return machine + own;
    if (context.kind !== "thread") return `${machine}${context.kind} ${own}`;
    const latest = this.placeOf(threadOfContext(context.id), row);
    const vcpu = latest === undefined ? undefined : this.trace.names.vcpus[this.trace.vcpu(latest)];
    const domain = lastStep(context.domain ?? context.host);
    if (!vcpu) return `${machine}${domain}/thread ${own}`;
    const pcpu = running.get(vcpu.id);
    const place = `vcpu ${lastStep(vcpu.domain)}.${/\d+$/.exec(vcpu.path)?.[0] ?? lastStep(vcpu.path)}`;
    return `${machine}${pcpu ? `${lastStep(pcpu.path)}/` : ""}${place}/thread ${own}`;
  }
}

function lastStep(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}
