import type { Kernel } from "../kernel/kernel";
import type { CostProfile } from "../profiles/profile";
import type { Charges } from "./charges";
import type { Crossings } from "./crossing";
import type { InterruptLines } from "./interruptLines";
import type { Ipc } from "./ipc";
import type { Locks } from "./locks";
import type { Threads } from "./threads";
import type { Vcpus } from "./vcpus";
import type { WorkSlots } from "./work";

/** Work of the CPUs' own, as ops of their component. */
export const CpuOp = { workEnd: 0, idlePoll: 1, kick: 2, deliver: 3, tick: 4, halt: 5 } as const;

/** A vCPU or a pCPU that makes no progress burns its time in pieces of this length, picoseconds: each is a row. */
export const HUNG_PIECE = 1e9;

/** What the parts of the CPUs' component share: each works on the same tables. */
export interface CpuParts {
  readonly id: number;
  readonly kernel: Kernel;
  readonly costs: CostProfile;
  readonly vcpus: Vcpus;
  readonly threads: Threads;
  readonly contextOfThread: readonly number[];
  readonly work: WorkSlots;
  readonly lines: InterruptLines;
  readonly locks: Locks;
  readonly charges: Charges;
  readonly crossings: Crossings;
  readonly ipc: Ipc;
}
