import type { Machine, System } from "../machine/machine";
import type { Nic } from "../machine/nic/nic";
import type { NicDriver } from "./nicDrivers";

export const VfLinkOp = { raised: 12, read: 13 } as const;

/** What the driver of a VF lends to its side of control messages. */
export interface VfDriver {
  readonly component: number;
  /** The function that it drives, or −1. */
  readonly f: number;
  /** Whether it has its VF initialized, or has tried to: its interface is up for whoever uses it, and it does not initialize the VF just now. */
  hears(): boolean;
  /** Said in `begin`: how an interrupt reaches it. */
  spendInterrupt(): void;
  /** The PF does not let the VF send any more: its link is down. */
  linkLost(): void;
  /** Initializes the VF anew: RESET, and all that follows. */
  initialize(): void;
}

/**
 * What a VF's driver does when the PF's driver tells it of its link: an interrupt, and a thread of its domain reads the message. Where the PF does not say
 * "clear to send", it has reset the port: the VF's link is down, and with the PF's link up the driver begins again with RESET (Linux `ixgbevf_msix_other`,
 * `ixgbevf_check_mac_link_vf`, `ixgbevf_reinit_locked`; NetBSD `ixv_msix_mbx`, `ixv_check_link`, `ixv_init_locked`). The drivers see it by the refusal (NACK) that the PF's has for
 * their acknowledgement of the message; the two are one here. NetBSD's looks for it once a second (`ixv_local_timer`), Linux' at once, as all do here.
 */
export class VfLink {
  private readonly line: number;
  private readonly fn;

  constructor(
    private readonly machine: Machine, private readonly nic: Nic, private readonly driver: VfDriver, { vf }: NicDriver, system: System,
    private readonly thread: number, vcpu: number, latency: number,
  ) {
    this.line = machine.cpus.addLine(vcpu, driver.component, VfLinkOp.raised, 0, latency, "device");
    this.fn = machine.kernel.functions({ check: vf[system].check });
    nic.mailbox.told.push((f) => {
      if (driver.f === f) machine.cpus.raise(this.line);
    });
  }

  begin(op: number): void {
    if (op === VfLinkOp.raised) this.driver.spendInterrupt();
    else this.machine.cpus.spend(this.fn.check);
  }

  end(op: number): void {
    const { driver, nic: { mailbox }, nic } = this;
    if (op === VfLinkOp.raised) return this.machine.cpus.post(this.thread, driver.component, VfLinkOp.read);
    // A driver that waits for an answer finds the message instead of it: see `VfStart`.
    if (!driver.hears() || !mailbox.takeControl(driver.f) || mailbox.isClearToSend(driver.f)) return;
    driver.linkLost();
    if (nic.isUp(0)) driver.initialize();
  }
}
