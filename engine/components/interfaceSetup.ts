import type { Machine } from "../machine/machine";
import type { Nic } from "../machine/nic/nic";
import type { VfStart } from "./ixgbevf";
import type { NicDriver } from "./nicDrivers";
import type { PfMailbox } from "./pfMailbox";

/** Ops of the driver's component that set its interface up or down. */
export const SetupOp = { step: 200, delay: 201 } as const;

/**
 * What `ifconfig up` and `down` make the driver do, in order. NetBSD 8, whose steps stand for those of every driver: `ixv_init_locked` and `ixv_stop` (ixv.c), `ixgbe_init_locked` and
 * `ixgbe_stop` (ixgbe.c), and what these call in `ixgbe_vf.c`, `ixgbe_82599.c`, `ixgbe_common.c`. A VF's reset ends in a message to the PF's
 * driver; the answer to the one that `ixv_stop` sends changes nothing, as the queues stay shut, so that only its wait is here. A PF's driver tells its VFs when its link comes
 * or goes (`ixgbe_update_link_status`), where it has any.
 */
const stop = ["stop adapter", "flush"] as const;
const reset = [...stop, "reset", "settle"] as const;
const programs = {
  "PF up": [...stop, ...reset, "open", "ping", "end"],
  "PF down": [...reset, ...stop, "ping", "end"],
  "VF up": [...stop, ...reset, "open", "mailbox", "end"],
  "VF down": [...reset, "answer", ...stop, "end"],
  /** A VF that was just assigned: its driver attaches to it (`ixv_attach`), then the interface comes up. */
  "VF attach": [...reset, "answer", ...stop, ...reset, "open", "mailbox", "end"],
} as const satisfies Record<string, readonly string[]>;
type Program = keyof typeof programs;
const names = Object.keys(programs) as Program[];

/** Delays of the driver by step: entries of the cost profile. */
const delays = { flush: "driver flushes queues", settle: "driver waits after a reset", answer: "VF driver waits for the answer to its reset" } as const;
/** `rump_delay` looks at the clock in a loop; one row stands for so much of it, picoseconds. */
const LOOK = 1e9;

/**
 * The interface of a driver goes up or down while the machine runs. The driver waits by spinning: in a rump kernel DELAY is a
 * loop that reads the clock (`rump_delay`), so that the vCPU does nothing else meanwhile.
 */
export class InterfaceSetup {
  private readonly state;
  private readonly fn;

  /** @param pf where it drives a PF that has VFs @param free frees what the rings still hold @param open fills the receive ring and enables the queues @param ended the interface is up or down, or (`false`) did not come up */
  constructor(
    private readonly machine: Machine, private readonly nic: Nic, private readonly component: number, path: string, driver: NicDriver,
    private readonly pf: PfMailbox | undefined, private readonly free: () => void, private readonly open: (f: number) => void, private readonly vfStart: VfStart, private readonly ended: (ok: boolean) => void,
  ) {
    const { kernel } = machine;
    this.state = kernel.store.table(`interface setup of ${path}`, { running: "u8", program: "u8", step: "u8", function: "i32", thread: "i32", until: "f64", own: "u8", waits: "u8", waiter: "i32" }, 1);
    this.state.alloc();
    this.fn = kernel.functions({
      ...driver.setup,
      "if_link_state_change": { file: "sys/net/if.c", kind: "driver" },
      rump_delay: { file: "sys/rump/librump/rumpkern/emul.c", kind: "thread" },
    });
  }

  get isRunning(): boolean {
    return this.state.running[0] === 1;
  }

  /** Brings the interface up, as jobs of a thread. @param attach the function is new to the driver */
  up(f: number, thread: number, attach: boolean): void {
    this.run(this.nic.isPhysical(f) ? "PF up" : attach ? "VF attach" : "VF up", f, thread);
  }

  /** Takes it down. */
  down(f: number, thread: number): void {
    this.run(this.nic.isPhysical(f) ? "PF down" : "VF down", f, thread);
  }

  /** The driver of a VF initializes it anew by itself (`ixv_init_locked`, `ixgbevf_reinit_locked`), as a job of a thread; nobody waits for it. */
  again(f: number, thread: number): void {
    this.state.own[0] = 1;
    this.run("VF up", f, thread);
  }

  /** Whether somebody waits for the end of what runs. */
  get isAwaited(): boolean {
    return this.isRunning && this.state.own[0] === 0;
  }

  /** What the driver does by itself comes to its end first: it holds the driver's lock. */
  private run(program: Program, f: number, thread: number): void {
    const { state } = this;
    state.function[0] = f;
    if (this.isRunning) {
      state.waits[0] = names.indexOf(program) + 1;
      state.waiter[0] = thread;
      return;
    }
    state.running[0] = 1;
    state.program[0] = names.indexOf(program);
    state.step[0] = 0;
    state.thread[0] = thread;
    this.next();
  }

  /** What follows is the next thing that the thread does. */
  private next(): void {
    const { kernel, cpus, costs } = this.machine;
    const { state } = this;
    if (this.step === "ping" && this.pf === undefined) state.step[0]!++;
    const step = this.step;
    const isDelay = step === "flush" || step === "settle" || step === "answer";
    if (isDelay) state.until[0] = kernel.now + costs.latency(delays[step]);
    cpus.call(state.thread[0]!, this.component, isDelay ? SetupOp.delay : SetupOp.step);
  }

  private get step(): (typeof programs)[Program][number] {
    return programs[names[this.state.program[0]!]!][this.state.step[0]!]!;
  }

  begin(op: number): void {
    const { kernel, cpus } = this.machine;
    const { state, fn } = this;
    if (op === SetupOp.delay) return cpus.spendTime(fn.rump_delay, Math.min(LOOK, Math.max(0, state.until[0]! - kernel.now)));
    const isPf = this.nic.isPhysical(state.function[0]!);
    const { step } = this;
    if (step === "stop adapter") cpus.spend(isPf ? fn["PF stop"] : fn["VF stop"]);
    else if (step === "reset") cpus.spend(isPf ? fn["PF reset"] : fn["VF reset"]);
    else if (step === "open") cpus.spend(isPf ? fn["PF open"] : fn["VF open"]);
    else if (step === "ping") this.pf?.spendPing();
    else cpus.spend(fn.if_link_state_change);
  }

  end(op: number): void {
    const { kernel, cpus } = this.machine;
    const { state, nic } = this;
    const f = state.function[0]!;
    if (op === SetupOp.delay && kernel.now < state.until[0]!) return cpus.call(state.thread[0]!, this.component, SetupOp.delay);
    const { step } = this;
    if (step === "mailbox") return this.vfStart.look();
    if (step === "reset") {
      this.free();
      nic.reset(f, nic.model.driverResetTime);
      this.pf?.portReset();
    } else if (step === "ping") this.pf?.ping();
    else if (step === "open") this.open(f);
    else if (step === "end") return this.finish(true);
    state.step[0]!++;
    if (this.step === "mailbox") this.vfStart.start(f, state.thread[0]!);
    else this.next();
  }

  /** RESET stands in the mailbox: the driver waits before it looks for the answer. @returns false where the function comes up with its machine */
  afterReset(): boolean {
    if (!this.isRunning) return false;
    this.state.until[0] = this.machine.kernel.now + this.machine.costs.latency(delays.answer);
    this.machine.cpus.call(this.state.thread[0]!, this.component, SetupOp.delay);
    return true;
  }

  /** The VF is through the mailbox, or was refused. */
  vfEnded(up: boolean): void {
    if (!this.isRunning) return;
    if (!up) return this.finish(false);
    this.state.step[0]!++;
    this.next();
  }

  private finish(ok: boolean): void {
    const { state, machine: { cpus } } = this;
    const isOwn = state.own[0] === 1;
    const waits = state.waits[0]!;
    state.running[0] = state.own[0] = state.waits[0] = 0;
    if (!isOwn) return this.ended(ok);
    if (waits === 0) return;
    state.running[0] = 1;
    state.program[0] = waits - 1;
    state.step[0] = 0;
    state.thread[0] = state.waiter[0]!;
    // All programs begin with work.
    cpus.post(state.thread[0]!, this.component, SetupOp.step);
  }
}
