import type { Design } from "./design/model";
import type { Engine, Snapshot } from "./engine";
import { fingerprint } from "./trace/fingerprint";
import type { Scope } from "./inspect";
import type { StoreSnapshot } from "./kernel/state";
import { build, type Built } from "./machine/build";
import type { DomainPlace } from "./machine/machine";
import { describeDomain } from "./scheduling/cpuVariables";
import { NONE, Trace, type TraceNames } from "./trace/trace";
import type { PacketColumns } from "./network/packetColumns";

/** A snapshot of a {@link MachineEngine}. */
export interface Keyframe extends Snapshot {
  readonly state: StoreSnapshot;
}

/** Bytes that V8 keeps for a keyframe beside its delta. */
const KEYFRAME_OBJECTS = 320;

/** A keyframe of what was read back from somewhere. */
export function keyframeOf(row: number, state: StoreSnapshot): Keyframe {
  return { row, state, get bytes() { return state.delta.length + KEYFRAME_OBJECTS; } };
}

/** Builds the machine of a design and switches it on. @throws Error where the design asks for what no model offers */
export function createEngine(design: Design): MachineEngine {
  return new MachineEngine(design);
}

/** The engine over the machine that `build` makes. */
export class MachineEngine implements Engine {
  readonly built: Built;
  readonly trace: Trace;
  private readonly domainByPath = new Map<string, DomainPlace>();

  /**
   * @param columns packets of an engine that has recorded, to replay it
   * @param trace what that engine recorded, where it is to be read
   */
  constructor(readonly design: Design, columns?: PacketColumns, trace?: Trace) {
    this.built = build(design, columns);
    const { kernel } = this.built.machine;
    this.trace = kernel.trace ?? trace ?? new Trace(kernel.names);
    for (const domain of this.built.domains) this.domainByPath.set(domain.path, domain);
  }

  get names(): TraceNames {
    return this.built.machine.kernel.names;
  }

  get time(): number {
    return this.built.machine.kernel.now;
  }

  get rows(): number {
    return this.built.machine.kernel.rows;
  }

  /** Dispatches so far. */
  get dispatches(): number {
    return this.built.machine.kernel.dispatches;
  }

  get done(): boolean {
    const { queue } = this.built.machine.kernel;
    const next = queue.peek();
    return next === NONE || queue.events.time[next]! > this.design.run.until;
  }

  /** Until when the machine has been simulated, picoseconds: after its last event nothing happens until the end that was asked for. */
  get simulated(): number {
    return this.done ? Math.max(this.time, this.design.run.until) : this.time;
  }

  /** Nothing is left to happen, ever. */
  get drained(): boolean {
    return this.built.machine.kernel.queue.peek() === NONE;
  }

  dispatch(): boolean {
    return this.built.machine.kernel.dispatch(this.design.run.until);
  }

  snapshot(base?: Snapshot): Keyframe {
    const state = this.built.machine.kernel.store.snapshot((base as Keyframe | undefined)?.state);
    return keyframeOf(this.rows, state);
  }

  restore(snapshot: Snapshot): void {
    this.built.machine.kernel.store.restore((snapshot as Keyframe).state);
  }

  replayer(): Engine {
    return new MachineEngine(this.design, this.built.machine.packets.columns);
  }

  describeComponent(component: number): Scope[] {
    return this.built.machine.kernel.models[component]?.describe?.() ?? [];
  }

  describeDomain(path: string): Scope[] {
    const domain = this.domainByPath.get(path);
    if (domain === undefined) return [];
    const { cpus, grants } = this.built.machine;
    const table = grants.get(domain.host)?.describe(domain.id);
    return [{ name: "Scheduling", variables: describeDomain(cpus, domain.id) }, ...(table === undefined ? [] : [{ name: "Memory", variables: [table] }])];
  }

  activeUplinks(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.built.toolstacks.flatMap((toolstack) => toolstack.activeUplinks()));
  }

  describePacket(packet: number): Scope {
    return this.built.machine.packets.describe(packet);
  }

  parentOfPacket(packet: number): number {
    return this.built.machine.packets.parentOf(packet);
  }

  summarizePacket(packet: number): string {
    return this.built.machine.packets.summarize(packet);
  }

  fingerprint(): string {
    return fingerprint(this.trace, this.built.machine.packets.written());
  }
}
