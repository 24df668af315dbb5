import type { FunctionInfo } from "../trace/trace";
import type { CostProfile } from "../profiles/profile";
import { NONE } from "../trace/trace";
import type { Crossings } from "./crossing";
import type { Vcpus } from "./vcpus";
import type { WorkSlots } from "./work";

/** What a function counts as, by its tally in the trace's names. */
const Counted = { nothing: 0, exit: 1, hypercall: 2, notification: 3 } as const;

/**
 * Numbers of a function: picoseconds a call, −1 where that is not known or is not all: most functions count as nothing, and are looked up once;
 * picoseconds a byte; what it counts as; picoseconds a call whatever it counts as, −1: not known.
 */
const CALL = 0;
const BYTE = 1;
const COUNTED = 2;
const COUNTED_CALL = 3;
/** A function's numbers are at `fn << NUMBERS_BITS`. */
const NUMBERS_BITS = 2;

/**
 * What the work that begins now costs: the functions that it names, each by the cost profile, and what it costs besides that it is
 * where it is. Between `open` and `close`, within one dispatch; it keeps nothing from one to the next.
 */
export class Charges {
  /** The work whose `begin` or `end` runs at this moment, or −1. */
  current: number = NONE;
  /** The component that `spend` charges: the job's own, or one that it calls into. */
  spending = 0;
  /** The locks under which the work goes through what it spends from now on, and what a soft interrupt does instead of waiting; −1: none. */
  private lock: number = NONE;
  private second: number = NONE;
  private instead: number = NONE;
  private remote = false;
  /** Time of this work in bytes of memory on the other node, as if it were near. */
  private far = 0;
  private domain = 0;
  /** Of each function the numbers above: all that is looked up when it is spent. */
  private numbers = new Float64Array(0);

  constructor(
    private readonly costs: CostProfile, private readonly functions: readonly FunctionInfo[], private readonly work: WorkSlots, private readonly vcpus: Vcpus,
    private readonly crossings: Crossings, private readonly remoteFn: number,
  ) {}

  /** Work begins on a vCPU. */
  open(w: number, v: number): void {
    const { counts, vcpu } = this.vcpus;
    const { kernel, topology } = this.vcpus.entry(v);
    this.current = w;
    this.lock = NONE;
    this.domain = kernel;
    this.remote = topology.nodes > 1 && topology.nodeOf(vcpu.pcpu[v]!) !== counts.node[kernel];
    this.far = 0;
  }

  /** All has been said: what copies from and to the other node's memory took longer. */
  close(): void {
    if (this.far > 0) this.overheadTime(this.remoteFn, Math.round(this.far * this.vcpus.domains[this.domain]!.topology.remoteExcess));
    this.current = NONE;
  }

  /** The work goes through `fn`, at the cost that the profile gives it for `bytes`. */
  spend(fn: number, packet: number, bytes: number, b: number): void {
    let cost = this.call(fn);
    if (bytes > 0) {
      const touching = Math.round(this.numbers[(fn << NUMBERS_BITS) | BYTE]! * bytes);
      cost += touching;
      if (this.remote) this.far += touching;
    }
    this.add(fn, cost, packet, bytes, b);
  }

  spendTime(fn: number, cost: number, packet: number, a: number, b: number): void {
    this.count(fn);
    this.add(fn, cost, packet, a, b);
  }

  /** What is spent from now on is under these locks. */
  under(lock: number, second: number, instead: number): void {
    this.lock = lock;
    this.second = second;
    this.instead = instead;
  }

  /** What the scheduler itself goes through, in the name of the domain; what the work waits for memory, under the locks that it has then. */
  overhead(fn: number): void {
    this.addOverhead(fn, this.call(fn), 0, 0);
  }

  overheadTime(fn: number, cost: number, a = 0, b = 0): void {
    this.count(fn);
    this.addOverhead(fn, cost, a, b);
  }

  private add(fn: number, cost: number, packet: number, a: number, b: number): void {
    this.crossings.to(this.spending);
    this.work.spend(this.current, this.spending, fn, cost, packet, a, b);
    if (this.lock !== NONE) this.work.lockLast(this.current, this.lock, this.second, this.instead);
  }

  private addOverhead(fn: number, cost: number, a: number, b: number): void {
    this.work.spend(this.current, this.vcpus.domains[this.domain]!.component, fn, cost, NONE, a, b);
    if (this.lock !== NONE && this.instead === NONE) this.work.lockLast(this.current, this.lock, this.second, NONE);
  }

  /** What a call costs, picoseconds; it is counted. @throws Error where the profile does not say */
  private call(fn: number): number {
    const at = fn << NUMBERS_BITS;
    if (at >= this.numbers.length) this.learn();
    const cost = this.numbers[at | CALL]!;
    return cost < 0 ? this.countedCall(fn) : cost;
  }

  private countedCall(fn: number): number {
    const cost = this.numbers[(fn << NUMBERS_BITS) | COUNTED_CALL]!;
    if (cost < 0) throw this.costs.unknown(fn);
    this.count(fn);
    return cost;
  }

  private count(fn: number): void {
    const at = fn << NUMBERS_BITS;
    if (at >= this.numbers.length) this.learn();
    const counted = this.numbers[at | COUNTED]!;
    if (counted === Counted.nothing) return;
    const { counts } = this.vcpus;
    counts.exits[this.domain]!++;
    if (counted >= Counted.hypercall) counts.hypercalls[this.domain]!++;
    if (counted === Counted.notification) counts.notifications[this.domain]!++;
  }

  private learn(): void {
    const { functions, costs } = this;
    this.numbers = new Float64Array(functions.length << NUMBERS_BITS);
    for (const { id, tally, kind } of functions) {
      // Xen copies for a domain at its hypercall (GNTTABOP_copy).
      const isHypercall = tally === "hypercall" || (tally === "copy" && kind === "hypervisor");
      const counted = tally === "VM exit" ? Counted.exit : isHypercall ? Counted.hypercall : tally === "notification" ? Counted.notification : Counted.nothing;
      const call = costs.call(id);
      this.numbers.set([counted === Counted.nothing ? call : -1, costs.byte(id), counted, call], id << NUMBERS_BITS);
    }
  }
}
