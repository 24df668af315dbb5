import type { Kernel, Model } from "../kernel/kernel";
import { Shares } from "../kernel/shares";
import { NONE } from "../trace/trace";
import type { Crossings } from "./crossing";
import { ThreadState } from "./threads";
import type { WorkSlots } from "./work";
import { COUNT, FIRST_ARGUMENT, OP, OWNER, SECOND_ARGUMENT, SHARES, THREAD } from "./workSlot";

const Op = { send: 0, serve: 1, reply: 2, resume: 3 } as const;

/** What a rendezvous asks of the scheduler. All are said in `end`. */
export interface Rendezvous {
  /** Says in `begin` that the work goes through a function of a component. */
  spend(fn: number, component: number, cost: number, packet: number, a: number, b: number): void;
  costOf(fn: number): number;
  contextOf(thread: number): number;
  /** Adds a job before all others of a thread. */
  call(thread: number, component: number, op: number, a: number, b: number): void;
  /** Adds a job behind all others of a thread, without waking it. */
  queue(thread: number, component: number, op: number, a: number, b: number): void;
  stateOf(thread: number): number;
  /** The current thread waits for an answer. Where `server` is given, it goes on in its place: same vCPU, same slice, no run queue. */
  wait(server: number): void;
  /** A thread that waits goes on in the current thread's place; that one queues if it has more to do. */
  giveBack(thread: number): void;
}

/**
 * Synchronous calls from one process to another, through the kernel: the caller's message meets the server's thread, which
 * runs at once on the caller's vCPU and on the rest of its slice (L4: Liedtke, "Improving IPC by kernel design", SOSP 1993,
 * direct process switch and lazy scheduling; MINIX 3: `sendrec` in `minix/kernel/proc.c`; QNX: message passing with the
 * client's budget). While the server is busy, callers queue at its endpoint, first come, first served: the endpoint is the
 * queue of the server's jobs, where messages that nobody waits for stand as well. The reply switches straight back.
 *
 * A caller's work is one job whose functions may lie in several processes. It is cut where it crosses: each part is run by
 * a thread of the process that it lies in, as a dispatch of its own, and the last part's end is the job's effect. What the
 * effect leaves the server to do, it does before it replies.
 */
export class Ipc implements Model {
  readonly id: number;
  /** By thread: the functions of its call that are yet to be run, and the job that they belong to. */
  private readonly pending;
  private readonly share;
  private readonly firstShare: number[] = [];
  /** The thread that serves calls to a component. */
  private readonly servers: number[] = [];
  private readonly fn;

  constructor(private readonly kernel: Kernel, private readonly work: WorkSlots, private readonly crossings: Crossings, private readonly cpus: Rendezvous) {
    this.id = kernel.component("ipc", "ipc", "", undefined, this);
    this.fn = kernel.functions({ "no process to call": { kind: "violation", a: "server's thread" }, "the caller is gone": { kind: "kernel" } });
    this.pending = kernel.store.table("calls between processes", {
      next: "u8", end: "u8", component: "u16", op: "u16", a: "i32", b: "i32", server: "i32", calls: "f64",
    });
    this.share = new Shares(kernel.store, "call shares");
  }

  /** @param calls whether the thread is a process', which can call others */
  addThread(calls: boolean): void {
    const row = this.pending.alloc();
    this.pending.server[row] = NONE;
    this.firstShare.push(calls ? this.share.add(SHARES) : NONE);
  }

  /** Calls to the component are answered by the thread. */
  serve(component: number, thread: number): void {
    this.servers[component] = thread;
  }

  /** Threads that serve calls, each once. */
  serverThreads(): number[] {
    return [...new Set(this.servers.filter((thread) => thread !== undefined))];
  }

  /** The thread that serves the caller now, or −1. */
  serverOf(caller: number): number {
    return this.pending.server[caller]!;
  }

  /** Work was begun that crosses into another process: keeps what lies beyond, and makes the first part a message. */
  split(w: number): void {
    const { work: { share }, pending, crossings } = this;
    const thread = this.work.get(w, THREAD);
    const from = crossings.cut;
    const left = this.work.get(w, COUNT) - from;
    const component = share.component(w * SHARES + from);
    const server = this.servers[component];
    if (server === undefined) throw new Error(`nobody serves ${this.kernel.names.components[component]!.path}`);
    if (this.work.get(w, OWNER) === this.id && this.work.get(w, OP) === Op.resume) {
      pending.next[thread] = pending.end[thread]! - left;
    } else {
      this.share.copy(share, w * SHARES + from, w * SHARES + from + left, this.firstShare[thread]!);
      pending.next[thread] = 0;
      pending.end[thread] = left;
      pending.component[thread] = this.work.get(w, OWNER);
      pending.op[thread] = this.work.get(w, OP);
      pending.a[thread] = this.work.get(w, FIRST_ARGUMENT);
      pending.b[thread] = this.work.get(w, SECOND_ARGUMENT);
    }
    this.work.shorten(w, from);
    const home = crossings.homeOf(thread);
    const { call } = crossings.functionsOf(home);
    this.work.spend(w, crossings.kernelComponentOf(home), call, this.cpus.costOf(call), NONE, this.cpus.contextOf(server), 0);
    pending.server[thread] = server;
    this.work.set(w, OWNER, this.id);
    this.work.set(w, OP, Op.send);
    this.work.set(w, FIRST_ARGUMENT, thread);
    this.work.set(w, SECOND_ARGUMENT, 0);
  }

  /** @param number of the caller's call: one that has been given up is not served any more */
  begin(op: number, caller: number, number: number): void {
    if (op !== Op.send && this.isGivenUp(caller, number)) this.cpus.spend(this.fn["the caller is gone"], this.crossings.kernelComponentOf(this.crossings.homeOf(caller)), 0, NONE, 0, 0);
    else if (op === Op.serve) this.replay(caller, this.returnsAt(caller));
    else if (op === Op.resume) this.replay(caller, this.pending.end[caller]!);
    else this.spendReply(caller);
  }

  end(op: number, caller: number, number: number): void {
    const { cpus, pending } = this;
    if (op !== Op.send && this.isGivenUp(caller, number)) return;
    const server = pending.server[caller]!;
    if (op === Op.send) {
      this.send(caller, server);
    } else if (op === Op.serve) {
      pending.next[caller] = this.returnsAt(caller);
      cpus.call(server, this.id, Op.reply, caller, number);
      if (pending.next[caller] === pending.end[caller]) this.finish(caller);
    } else if (op === Op.reply) {
      pending.server[caller] = NONE;
      if (pending.next[caller]! < pending.end[caller]!) cpus.call(caller, this.id, Op.resume, caller, number);
      cpus.giveBack(caller);
    } else {
      this.finish(caller);
    }
  }

  private send(caller: number, server: number): void {
    const { cpus, pending, kernel } = this;
    const state = cpus.stateOf(server);
    if (state === ThreadState.dead) {
      pending.server[caller] = NONE;
      pending.calls[caller]!++;
      // What was to be handed over is lost with the call.
      const packet = this.share.packet(this.firstShare[caller]! + pending.next[caller]!);
      kernel.mark(this.fn["no process to call"], this.crossings.kernelComponentOf(this.crossings.homeOf(caller)), cpus.contextOf(caller), kernel.now, 0, packet, cpus.contextOf(server));
      return;
    }
    pending.calls[caller]!++;
    cpus.queue(server, this.id, Op.serve, caller, pending.calls[caller]!);
    cpus.wait(state === ThreadState.idle ? server : NONE);
  }

  /**
   * The threads are gone: what they called is not answered, and who waits for their answer gets none; their work ends in an error.
   * Who has not sent its message yet learns of it then.
   * @returns these callers, which the scheduler must let go on
   */
  abandon(threads: readonly number[]): number[] {
    const { pending, cpus } = this;
    const callers: number[] = [];
    for (let caller = 0; caller < pending.rows; caller++) {
      if (!threads.includes(caller)) {
        if (!threads.includes(pending.server[caller]!) || cpus.stateOf(caller) !== ThreadState.waiting) continue;
        callers.push(caller);
      }
      pending.server[caller] = NONE;
      pending.calls[caller]!++;
    }
    return callers;
  }

  private isGivenUp(caller: number, number: number): boolean {
    return this.pending.calls[caller] !== number;
  }

  /** The effect of the job whose parts have all been run. */
  private finish(caller: number): void {
    const { pending } = this;
    this.kernel.end(pending.component[caller]!, pending.op[caller]!, pending.a[caller]!, pending.b[caller]!);
  }

  private spendReply(caller: number): void {
    const { crossings, cpus } = this;
    const home = crossings.homeOf(caller);
    const { reply } = crossings.functionsOf(home);
    crossings.step();
    cpus.spend(reply, crossings.kernelComponentOf(home), cpus.costOf(reply), NONE, cpus.contextOf(caller), 0);
  }

  private replay(caller: number, end: number): void {
    const { share, cpus } = this;
    const base = this.firstShare[caller]!;
    for (let i = base + this.pending.next[caller]!; i < base + end; i++) {
      cpus.spend(share.fn(i), share.component(i), share.cost(i), share.packet(i), share.a(i), share.b(i));
    }
  }

  /** Where in the caller's pending functions its own process is next; their end if it is not. */
  private returnsAt(caller: number): number {
    const home = this.crossings.homeOf(caller);
    const base = this.firstShare[caller]!;
    const end = this.pending.end[caller]!;
    let i = this.pending.next[caller]!;
    while (i < end && this.crossings.spaceOf(this.share.component(base + i)) !== home) i++;
    return i;
  }

  fire(): void {}
}
