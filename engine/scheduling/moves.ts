import { NONE } from "../trace/trace";
import type { CpuParts } from "./cpuParts";
import { Resched } from "./vcpus";
import { COUNT } from "./workSlot";

/** IPIs that one piece of work pays for; what a vCPU that was held up owes beyond that, its next pieces pay. */
const MOST_IPIS = 8;

/** Functions that work goes through because of where it is. */
interface MoveFunctions {
  readonly "VM exit: ICR write": number;
  readonly "cold cache": number;
  readonly "cache-line transfer": number;
}

/** What it costs that work is on another CPU than what it needs was on, or that another thread was there: said before what the work itself does. */
export class Moves {
  constructor(private readonly cpus: CpuParts, private readonly fn: MoveFunctions) {}

  /** What comes before a thread's work: IPIs that its vCPU owes, the switch, cold caches, and lines that are in another core's cache. */
  spend(w: number, v: number, thread: number, from: number, switching: number, switched: boolean): void {
    const { vcpus, threads, charges, crossings } = this.cpus;
    const { vcpu: c } = vcpus;
    if (c.owed[v]! > 0) this.payIpis(v);
    if (switching !== NONE) charges.overhead(switching);
    if (switched) crossings.load(v, thread, w);
    if (c.cold[v]! > 0) {
      charges.overheadTime(this.fn["cold cache"], c.cold[v]!, vcpus.entry(v).topology.workingSet);
      c.cold[v] = 0;
    }
    const here = c.pcpu[v]!;
    const { pcpu } = threads.thread;
    const was = pcpu[thread]!;
    if (was !== here) {
      pcpu[thread] = here;
      if (was !== NONE) this.spendLines(v, was, here, vcpus.entry(v).topology.threadLines);
    }
    if (from === NONE || from === here) return;
    this.spendLines(v, from, here, 1);
    if (vcpus.entry(v).policy.fed?.(v) === true) c.resched[v] = Resched.afterJob;
  }

  /** Work that is half done goes on elsewhere: what that costs comes first. @returns how many functions that are */
  lead(w: number, v: number, thread: number, switching: number, switched: boolean): number {
    const { charges, work, crossings } = this.cpus;
    const before = work.get(w, COUNT);
    charges.open(w, v);
    this.spend(w, v, thread, NONE, switching, switched);
    charges.current = NONE;
    const added = work.get(w, COUNT) - before;
    if (added > 0) work.bringForward(w, added);
    if (switched) work.startOver(w, added, switching, crossings.spaceSwitchOf(thread));
    return added;
  }

  /** Lines that were written on one pCPU are read on another. */
  spendLines(v: number, from: number, to: number, lines: number): void {
    const time = this.cpus.vcpus.entry(v).topology.transfer(from, to, lines);
    if (time > 0) this.cpus.charges.overheadTime(this.fn["cache-line transfer"], time, lines, from);
  }

  payIpis(v: number): void {
    const { vcpus, charges } = this.cpus;
    const { vcpu: c } = vcpus;
    const d = vcpus.entry(v);
    const fn = d.virtual ? this.fn["VM exit: ICR write"] : d.fn.ipi;
    for (let n = 0; c.owed[v]! > 0 && n < MOST_IPIS; n++, c.owed[v]!--) charges.overhead(fn);
  }
}
