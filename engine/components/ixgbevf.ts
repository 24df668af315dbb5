import { Priority } from "../kernel/queue";
import type { Machine, System } from "../machine/machine";
import { MailboxApi, MailboxFlag, MailboxMessage, VLAN_ADD, macWords } from "../machine/nic/mailboxMessages";
import type { Nic } from "../machine/nic/nic";
import type { NicDriver } from "./nicDrivers";

/** How long a VF's driver waits before it looks into the mailbox again, picoseconds, and how often (DPDK `ixgbe_mbx.h`). */
const POLL = 500e6;
const POLLS = 2000;

export const VfStartOp = { send: 16, look: 17 } as const;

/** How a VF's way through the mailbox goes on. */
export interface VfOutcome {
  /** RESET was written: true takes over, and calls `look` when it is time to look for the answer. */
  afterReset(): boolean;
  /** The VF is up, or (`false`) the PF refused, or did not answer. */
  ended(up: boolean): void;
}

/**
 * A VF's driver brings its function up: RESET, the version of the interface, the queues, the largest frame, each a message
 * in the mailbox whose answer it polls for (`ixgbevf_reset`, `ixgbevf_negotiate_api`). Jobs of the thread that it is started on; between two
 * looks that sleeps.
 */
export class VfStart {
  private readonly state;
  private readonly fn;
  /** Messages in order: what the driver says in any case, and what it asks for because the design wants it. */
  private readonly steps: readonly number[];

  /** @param maxFrame largest frame of the domain, check sequence included */
  constructor(
    private readonly machine: Machine, private readonly nic: Nic, private readonly component: number,
    path: string, private readonly driver: NicDriver, system: System, private readonly maxFrame: number,
    private readonly wants: { readonly mac: number | undefined; readonly vlan: number }, private readonly outcome: VfOutcome,
  ) {
    this.state = machine.kernel.store.table(`VF start of ${path}`, { function: "i32", thread: "i32", step: "u8", polls: "u16" }, 1);
    this.state.alloc();
    this.steps = [...driver.greeting, ...(wants.mac === undefined ? [] : [MailboxMessage.setMac]), ...(wants.vlan === 0 ? [] : [MailboxMessage.setVlan])];
    this.fn = machine.kernel.functions({
      ...driver.vf[system],
      "VF refused": { kind: "violation", a: "message" },
      "mailbox timeout": { kind: "timeout", a: "message" },
    });
  }

  start(f: number, thread: number): void {
    this.state.function[0] = f;
    this.state.thread[0] = thread;
    this.state.step[0] = 0;
    this.machine.cpus.post(this.thread, this.component, VfStartOp.send);
  }

  /** Looks for an answer. */
  look(): void {
    this.machine.cpus.post(this.thread, this.component, VfStartOp.look);
  }

  private get thread(): number {
    return this.state.thread[0]!;
  }

  begin(op: number): void {
    const { cpus } = this.machine;
    if (op === VfStartOp.send) cpus.spend(this.fn.write, -1, this.steps[this.state.step[0]!]);
    else cpus.spend(this.fn.check, -1, this.state.polls[0]!);
  }

  end(op: number): void {
    const { kernel } = this.machine;
    const { state, nic } = this;
    const f = state.function[0]!;
    if (op === VfStartOp.send) {
      state.polls[0] = 0;
      const written = nic.mailbox.request(f, this.words());
      if (written && (state.step[0] !== 0 || !this.outcome.afterReset())) this.look();
      else if (!written) kernel.schedule(POLL, Priority.timeout, this.component, VfStartOp.send);
      return;
    }
    const answer = nic.mailbox.answer(f);
    if (answer < 0 && nic.mailbox.takeControl(f)) {
      // The PF's driver has reset the port, and what was asked went with it: the driver begins again.
      state.step[0] = 0;
      this.machine.cpus.post(this.thread, this.component, VfStartOp.send);
    } else if (answer < 0) {
      state.polls[0]!++;
      if (state.polls[0]! >= POLLS) {
        this.mark(this.fn["mailbox timeout"]);
        this.outcome.ended(false);
      } else kernel.schedule(POLL, Priority.timeout, this.component, VfStartOp.look);
    } else if ((answer & MailboxFlag.nack) !== 0) {
      this.mark(this.fn["VF refused"]);
      // What it asked for beyond the driver's own needs it can do without: it keeps its address, or has no VLAN (`ixgbevf_set_mac`, `ixgbevf_vlan_rx_add_vid`).
      if (state.step[0]! < this.driver.greeting.length) this.outcome.ended(false);
      else this.next();
    } else this.next();
  }

  private next(): void {
    const { state } = this;
    if (++state.step[0]! < this.steps.length) {
      this.machine.cpus.post(this.thread, this.component, VfStartOp.send);
    } else {
      this.outcome.ended(true);
    }
  }

  /** The delay between two looks, or two attempts to write, is over. */
  fire(op: number): void {
    const { kernel, cpus } = this.machine;
    kernel.mark(this.fn.delay, this.component, cpus.contextOf(this.thread), kernel.now, 0, -1, this.state.polls[0]!);
    cpus.post(this.thread, this.component, op);
  }

  private words(): readonly number[] {
    const step = this.steps[this.state.step[0]!]!;
    const { mac, vlan } = this.wants;
    switch (step) {
      case MailboxMessage.apiVersion: return [step, MailboxApi.v11];
      case MailboxMessage.setMaxFrame: return [step, this.maxFrame];
      case MailboxMessage.setMac: return [step, ...macWords(mac ?? 0)];
      case MailboxMessage.setVlan: return [(step | VLAN_ADD) >>> 0, vlan];
      default: return [step, 0];
    }
  }

  private mark(fn: number): void {
    const { kernel, cpus } = this.machine;
    kernel.mark(fn, this.component, cpus.contextOf(this.thread), kernel.now, 0, -1, this.steps[this.state.step[0]!]);
  }
}
