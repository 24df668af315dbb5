import type { VfPolicy } from "../../design/model";
import { Priority } from "../../kernel/queue";
import { NicOp, type Adapter, type FunctionUnit } from "./adapter";
import type { Filters } from "./filters";
import { CONTROL_MESSAGE, MailboxApi, MailboxFlag, MailboxMessage } from "./mailboxMessages";

/** Words of the memory that a VF shares with its PF: 64 bytes. */
export const MAILBOX_WORDS = 16;
/** Standard frame with its check sequence, bytes (IEEE 802.3). */
export const STANDARD_FRAME = 1518;

/** What the PF's driver grants a VF where nothing is said: the defaults of NetBSD's and FreeBSD's `if_sriov.c`. */
export const defaultVfPolicy: VfPolicy = { allowSetMac: false, antiSpoof: true, vlan: 0 };

/**
 * The mailbox between each VF and the driver of the PF: shared memory, ownership bits, a request that interrupts the PF. A
 * VF sends RESET first; until the PF has set "clear to send", every other message is refused (NetBSD `if_sriov.c`).
 *
 * Where a component of the design drives the PF, its domain does the work: see `PfMailbox`. Where none does, the PF is the
 * toolstack's own (Xen's dom0), which is not simulated and answers after a fixed time.
 */
export class Mailbox {
  /** Wiring: interrupts the driver of the PF; undefined: no component drives it. */
  ring: (() => void) | undefined;
  /** Wiring: the drivers of VFs that hear of control messages; those that do not drive the function do nothing. */
  readonly told: ((f: number) => void)[] = [];
  readonly state;
  private readonly memory;
  private readonly fn;

  /** @param time from the VF's request to the answer of the PF's driver, picoseconds @param enabled told of each queue that may send from now on */
  constructor(
    private readonly nic: Adapter, path: string, private readonly filters: Filters, private readonly policyOf: (f: number) => VfPolicy, private readonly time: () => number,
    private readonly enabled: (queue: number) => void,
  ) {
    const { store } = nic.kernel;
    this.state = store.table(`mailboxes of ${path}`, { requested: "u8", answered: "u8", clearToSend: "u8", control: "u8", api: "u8", refused: "f64" });
    this.memory = store.table(`mailbox memory of ${path}`, { word: "u32" });
    this.fn = nic.kernel.functions({
      handler: { ...nic.model.mailbox.handler, kind: "driver", a: "message", b: "VF" },
      "mailbox message refused": { kind: "violation", a: "message", b: "VF" },
    });
  }

  /** Rows stand for functions; the PF's is unused. */
  add(): void {
    this.state.alloc();
    this.memory.append(MAILBOX_WORDS);
  }

  /** Function id of the PF's handling. */
  get served(): number {
    return this.fn.handler;
  }

  /** The VF writes a message and rings. @returns false while one is under way (the memory is taken), and while the function resets */
  request(f: number, words: readonly number[]): boolean {
    if (this.state.requested[f] === 1 || this.nic.state.resetting[f] === 1 || words.length > MAILBOX_WORDS) return false;
    words.forEach((word, i) => (this.memory.word[f * MAILBOX_WORDS + i] = word));
    this.state.requested[f] = 1;
    this.state.answered[f] = this.state.control[f] = 0;
    if (this.ring === undefined) this.nic.kernel.schedule(this.time(), Priority.hardware, this.nic.id, NicOp.mailbox, f);
    else this.ring();
    return true;
  }

  /** The first function whose request waits for the PF's driver, or −1. */
  get pending(): number {
    return this.state.requested.subarray(0, this.state.rows).indexOf(1);
  }

  isPending(f: number): boolean {
    return this.state.requested[f] === 1;
  }

  /** Number of the message that stands in a function's mailbox. */
  messageOf(f: number): number {
    return this.word(f, 0) & 0xffff;
  }

  /** The PF's answer, once: its first word, or −1 while there is none. The other words stay readable. */
  answer(f: number): number {
    if (this.state.answered[f] === 0) return -1;
    this.state.answered[f] = 0;
    return this.memory.word[f * MAILBOX_WORDS]!;
  }

  word(f: number, i: number): number {
    return this.memory.word[f * MAILBOX_WORDS + i]!;
  }

  /** Dom0 has handled the request. */
  serveByToolstack(f: number): void {
    const { nic, fn } = this;
    const pf = nic.functions[0]!;
    nic.kernel.mark(fn.handler, pf.component, pf.context, nic.kernel.now - this.time(), this.time(), -1, this.messageOf(f), f - 1);
    this.serve(f, pf.component, pf.context);
  }

  /** The request that stands there is handled. @param component the PF's driver, on its context */
  serve(f: number, component: number, context: number): void {
    const { nic, state, memory } = this;
    const at = f * MAILBOX_WORDS;
    const message = memory.word[at]!;
    const type = this.messageOf(f);
    // A function that was reset meanwhile is not clear to send, and nobody waits for the refusal.
    const taken = !this.isPending(f);
    state.requested[f] = 0;
    const granted = taken ? false : type === MailboxMessage.reset ? this.resetVf(f) : state.clearToSend[f] === 1 && this.handle(f, type, at);
    if (!granted) {
      state.refused[f]!++;
      nic.kernel.mark(this.fn["mailbox message refused"], component, context, nic.kernel.now, 0, -1, type, f - 1);
    }
    if (taken) return;
    memory.word[at] = (message | (granted ? MailboxFlag.ack : MailboxFlag.nack) | (state.clearToSend[f] === 1 ? MailboxFlag.clearToSend : 0)) >>> 0;
    state.answered[f] = 1;
  }

  /** After a function-level reset the VF must send RESET again; what it had asked is gone. */
  clear(f: number): void {
    const { state } = this;
    state.requested[f] = state.answered[f] = state.clearToSend[f] = state.control[f] = 0;
    state.api[f] = MailboxApi.v10;
  }

  /** The PF's driver has reset the port: the VF neither sends (VFTE) nor receives (VFRE), has no filters, and must send RESET. What is in its rings stays. */
  portReset(f: number): void {
    const { nic, filters } = this;
    nic.state.receive[f] = nic.state.transmit[f] = 0;
    filters.clearPool(nic.functions[f]!.pool);
    this.clear(f);
  }

  /** The PF's driver tells every VF of its link; not one that is in the middle of asking, whose words are in the memory (`ixgbe_ping_all_vfs`). */
  ping(): void {
    const { nic, state, memory } = this;
    for (let f = 1; f < nic.functions.length; f++) {
      if (state.requested[f] === 1 || state.answered[f] === 1) continue;
      memory.word[f * MAILBOX_WORDS] = (CONTROL_MESSAGE | (this.isClearToSend(f) ? MailboxFlag.clearToSend : 0)) >>> 0;
      state.control[f] = 1;
      for (const tell of this.told) tell(f);
    }
  }

  /** Whether a control message stands in the VF's mailbox; it is read by that. */
  takeControl(f: number): boolean {
    const { control } = this.state;
    const stands = control[f] === 1;
    control[f] = 0;
    return stands;
  }

  /** Whether the PF's driver has granted the VF its RESET, and has not reset the port since. */
  isClearToSend(f: number): boolean {
    return this.state.clearToSend[f] === 1;
  }

  private resetVf(f: number): boolean {
    const { nic, filters } = this;
    const unit = nic.functions[f]!;
    filters.clearPool(unit.pool);
    filters.addAddress(unit.mac, unit.pool);
    filters.setBroadcast(unit.pool, true);
    const { antiSpoof, vlan } = this.policyOf(f);
    filters.setAntiSpoof(unit.pool, antiSpoof, antiSpoof);
    filters.setPortVlan(unit.pool, vlan);
    this.state.clearToSend[f] = 1;
    this.state.api[f] = MailboxApi.v10;
    nic.state.maxFrame[f] = STANDARD_FRAME;
    nic.state.transmit[f] = 1;
    for (const { row } of unit.queues) this.enabled(row);
    nic.state.receive[f] = this.fits(f) ? 1 : 0;
    this.writeMac(f, unit.mac);
    return true;
  }

  private handle(f: number, type: number, at: number): boolean {
    const { nic, filters, state, memory } = this;
    const unit = nic.functions[f]!;
    if (type === MailboxMessage.setMac) return this.setMac(unit, this.readMac(f), this.policyOf(f));
    if (type === MailboxMessage.setMulticast) {
      filters.addMulticast(this.readMac(f), unit.pool);
      return true;
    }
    // A port VLAN is the administrator's, and not for the VF to change (Linux `ixgbe_set_vf_vlan_msg`).
    if (type === MailboxMessage.setVlan) return this.policyOf(f).vlan === 0 && filters.addVlan(memory.word[at + 1]! & 0xfff, unit.pool);
    if (type === MailboxMessage.setMaxFrame) {
      nic.state.maxFrame[f] = memory.word[at + 1]!;
      nic.state.receive[f] = this.fits(f) ? 1 : 0;
      return this.fits(f);
    }
    if (type === MailboxMessage.apiVersion) {
      const version = memory.word[at + 1]!;
      if (!nic.model.mailbox.versions.includes(version)) return false;
      state.api[f] = version;
      nic.state.receive[f] = this.fits(f) ? 1 : 0;
      return true;
    }
    if (type !== MailboxMessage.getQueues || state.api[f] === MailboxApi.v10) return false;
    memory.word[at + 1] = memory.word[at + 2] = unit.queues.length;
    return true;
  }

  private setMac({ mac, pool }: FunctionUnit, wanted: number, { allowSetMac }: VfPolicy): boolean {
    if (!allowSetMac && wanted !== mac) return false;
    const owner = this.filters.poolOf(wanted);
    return owner === pool || (owner < 0 && this.filters.setAddress(wanted, pool));
  }

  /**
   * Whether a VF may receive: where each pool has a largest frame of its own, always. The 82599 has one largest frame for the port, so a VF must not want more than the PF; and a VF
   * that speaks version 1.0 knows nothing of longer frames than standard (82599 specification update, clarification 14).
   */
  private fits(f: number): boolean {
    const { state, model } = this.nic;
    return model.maxFrame === "pool" || state.maxFrame[f]! <= state.maxFrame[0]! && (this.state.api[f] !== MailboxApi.v10 || state.maxFrame[0]! <= STANDARD_FRAME);
  }

  /** Addresses stand in words 1 and 2, first octet first. */
  private readMac(f: number): number {
    return this.word(f, 1) * 0x10000 + (this.word(f, 2) >>> 16);
  }

  private writeMac(f: number, mac: number): void {
    this.memory.word[f * MAILBOX_WORDS + 1] = Math.floor(mac / 0x10000);
    this.memory.word[f * MAILBOX_WORDS + 2] = (mac % 0x10000) * 0x10000;
  }
}
