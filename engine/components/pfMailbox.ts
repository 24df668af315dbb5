import type { Machine } from "../machine/machine";
import type { Nic } from "../machine/nic/nic";
import { NONE } from "../trace/trace";
import type { NicDriver } from "./nicDrivers";

export const PfMailboxOp = { raised: 8, serve: 9 } as const;

/** What the PF's driver lends to its side of the mailbox. */
export interface PfDriver {
  readonly component: number;
  /** Whether its interface is up: it takes no mailbox interrupts before. */
  isUp(): boolean;
  /** Said in `begin`: how an interrupt reaches it. */
  spendInterrupt(): void;
}

/**
 * The PF driver's side of the VFs' mailboxes: a request is an interrupt to its vCPU, and a thread of its domain reads the message, decides
 * and answers (NetBSD: `ixgbe_msix_link`, `ixgbe_handle_mbx`, ixgbe.c). So a VF gets no answer while that domain is dead, hangs or has no
 * CPU time; what was asked meanwhile stands in the mailbox, and is found when the driver is back.
 */
export class PfMailbox {
  private readonly line: number;
  private readonly fn;
  /** Whether a request is being served, or is about to be: an interrupt that comes meanwhile starts nothing, as the next one is looked for after each. */
  private readonly state;

  constructor(
    private readonly machine: Machine, private readonly nic: Nic, private readonly driver: PfDriver, { ping }: NicDriver, private readonly thread: number, vcpu: number, latency: number,
  ) {
    this.fn = machine.kernel.functions({ ping, "port reset": { kind: "device", a: "pool" } });
    this.line = machine.cpus.addLine(vcpu, driver.component, PfMailboxOp.raised, 0, latency, "device");
    this.state = machine.kernel.store.table(`mailbox service of ${machine.kernel.names.components[driver.component]!.path}`, { serving: "u8" }, 1);
    this.state.alloc();
    nic.mailbox.ring = () => this.look();
  }

  /** A request has come, or the driver is up: an interrupt, where there is anything to serve. */
  look(): void {
    if (this.driver.isUp() && this.nic.mailbox.pending !== NONE) this.machine.cpus.raise(this.line);
  }

  /**
   * The driver has reset its PF, and with it the whole port: the MAC, and the queues of every function (`ixgbe_reset_hw_82599`: CTRL.RST or LNK_RST; 82599 data
   * sheet, 4.2.1).
   */
  portReset(): void {
    const { machine: { kernel }, nic } = this;
    for (const { index, component, context, pool } of nic.functions) {
      if (nic.isPhysical(index)) continue;
      nic.mailbox.portReset(index);
      kernel.mark(this.fn["port reset"], component, context, kernel.now, 0, NONE, pool);
    }
  }

  /** Said in `begin`: every VF is told of the link. */
  spendPing(): void {
    const { cpus, costs } = this.machine;
    const { vfs } = this.nic.sriov;
    cpus.spendTime(this.fn.ping, vfs * costs.of(this.fn.ping, 0), NONE, vfs);
  }

  ping(): void {
    this.nic.mailbox.ping();
  }

  begin(op: number, f: number): void {
    const { cpus, costs } = this.machine;
    const { mailbox } = this.nic;
    if (op === PfMailboxOp.raised) this.driver.spendInterrupt();
    else cpus.spendTime(mailbox.served, costs.of(mailbox.served, 0), NONE, mailbox.messageOf(f), f - 1);
  }

  end(op: number, f: number): void {
    const { cpus } = this.machine;
    const { mailbox } = this.nic;
    if (op === PfMailboxOp.serve) mailbox.serve(f, this.driver.component, cpus.contextOf(this.thread));
    else if (this.state.serving[0] === 1) return;
    const next = this.driver.isUp() ? mailbox.pending : NONE;
    this.state.serving[0] = next === NONE ? 0 : 1;
    if (next !== NONE) cpus.post(this.thread, this.driver.component, PfMailboxOp.serve, next);
  }
}
