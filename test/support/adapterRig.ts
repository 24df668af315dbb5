import { Kernel } from "../../engine/kernel/kernel";
import { Iommu } from "../../engine/machine/iommu/iommu";
import { HostMemory } from "../../engine/machine/memory";
import { MailboxApi, MailboxFlag, MailboxMessage } from "../../engine/machine/nic/mailboxMessages";
import { nicModels } from "../../engine/machine/nic/model";
import { Nic, type NicSetup } from "../../engine/machine/nic/nic";
import { Link, type LinkEnd } from "../../engine/network/link";
import { PacketLog, TcpFlag } from "../../engine/network/packets";
import { CostProfile } from "../../engine/profiles/profile";
import type { Model } from "../../engine/kernel/kernel";
import { inDispatch } from "./inDispatch";

export const PF_MAC = 0x02_00_00_00_00_01;
export const PEER_MAC = 0x02_00_00_00_00_99;
const US = 1e6;

/** An adapter on a link, without CPUs: what drivers do, the test does; what arrives at the other end is noted. */
export class AdapterRig implements LinkEnd, Model {
  readonly kernel = new Kernel(1, true);
  readonly costs = new CostProfile("xeon-4114-82599", this.kernel.names.functions);
  readonly packets = new PacketLog(this.kernel.store);
  readonly memory = new HostMemory(this.kernel.store, "h");
  readonly iommu: Iommu;
  readonly nic: Nic;
  readonly link: Link;
  /** Packets that arrived at the peer, and when. */
  readonly atPeer: { packet: number; time: number }[] = [];
  /** Interrupt lines that were raised, and when. */
  readonly interrupts: { line: number; time: number }[] = [];
  private readonly step: number;
  private readonly stepFunction: number;

  constructor(vfs: number, setup: Partial<NicSetup> = {}, readonly queues = 1) {
    const { kernel } = this;
    this.iommu = new Iommu(kernel, this.costs, this.memory, "h", true);
    this.link = new Link(kernel, this.packets, "wire", "h", 10e9, 0);
    this.link.attach(this);
    const raise = (line: number): boolean => this.interrupts.push({ line, time: kernel.now }) > 0;
    this.nic = new Nic(kernel, this.packets, { raise }, this.iommu, this.costs, "h/nic", "h", {
      model: nicModels["intel-82599"]!, routingId: 0x8600, mtu: 1500, vfs, multiqueue: queues > 1, ...setup,
    });
    this.nic.attach(this.link);
    for (let f = 0; f <= vfs; f++) this.nic.addFunction(f === 0 ? "h/nic/pf" : `h/nic/vf${f - 1}`, PF_MAC + f);
    for (let f = 0; f <= vfs; f++) this.nic.configure(f, this.domainOf(f), queues);
    this.step = kernel.component("test", "test", "h", undefined, this);
    this.stepFunction = kernel.functions({ "test step": { kind: "device" } })["test step"];
  }

  /** Functions belong to domains of their own: function f to domain 10 + f. */
  domainOf(f: number): number {
    return 10 + f;
  }

  /** Opens functions and takes VFs through their mailboxes. Line of queue q of function f: 100 f + q. */
  open(...functions: number[]): this {
    for (const f of functions) {
      const lines = this.nic.functions[f]!.queues.map((_, q) => 100 * f + q);
      this.nic.open(f, this.domainOf(f), lines, 0);
      if (f === 0) continue;
      this.ask(f, MailboxMessage.reset);
      this.ask(f, MailboxMessage.apiVersion, MailboxApi.v11);
      this.ask(f, MailboxMessage.setMaxFrame, this.nic.state.maxFrame[0]!);
    }
    this.run();
    return this;
  }

  /** A mailbox message and the flags of its answer. */
  ask(f: number, ...words: number[]): { ack: boolean; nack: boolean; clearToSend: boolean } {
    this.nic.mailbox.request(f, words);
    this.run(100 * US);
    const answer = this.nic.mailbox.answer(f);
    if (answer < 0) throw new Error("no answer");
    return { ack: (answer & MailboxFlag.ack) !== 0, nack: (answer & MailboxFlag.nack) !== 0, clearToSend: (answer & MailboxFlag.clearToSend) !== 0 };
  }

  /** A TCP packet; flows are told apart by the source port. */
  packet(from: number, to: number, bytes = 100, flow = 0): number {
    const p = this.packets.createTcp(0x0a000001, 0x0a000002, 1000 + flow, 80, 1, 1, TcpFlag.ack, 1000, -1, 0, Math.max(0, bytes - 54), 0);
    this.packets.setEthernet(p, to, from);
    return p;
  }

  /** What a driver or a hypervisor does, now. */
  act<T>(action: () => T): T {
    return inDispatch(this.kernel, action);
  }

  /** See `Nic.post`; by the first queue. */
  post(f: number, packet: number, address?: number): boolean {
    return this.act(() => this.nic.post(f, 0, packet, address));
  }

  /** A frame from the peer comes in by the wire, now. */
  arrive(packet: number): void {
    this.at(0, () => this.nic.received(packet));
    this.run(0);
  }

  /** Frames that the driver finds in a function's queue; it takes them and unmasks. */
  drain(f: number, q = 0): number[] {
    const found: number[] = [];
    this.act(() => {
      while (this.nic.peekReceived(f, q) >= 0) found.push(this.nic.takeReceived(f, q));
      this.nic.unmask(f, q);
    });
    return found;
  }

  /** Dispatches everything, or all that happens within a time, which then has passed. */
  run(time?: number): void {
    if (time === undefined) {
      while (this.kernel.dispatch());
      return;
    }
    let over = false;
    this.at(time, () => (over = true));
    while (!over) this.kernel.dispatch();
  }

  /** Rows of a function by name. */
  count(name: string): number {
    return this.rows(name).length;
  }

  rows(name: string): number[] {
    const trace = this.kernel.trace!;
    const ids = this.kernel.names.functions.filter((f) => f.name === name).map((f) => f.id);
    return Array.from({ length: trace.length }, (_, row) => row).filter((row) => ids.includes(trace.fn(row)));
  }

  private readonly steps: (() => void)[] = [];

  private at(delay: number, action: () => void): void {
    this.kernel.schedule(delay, 5, this.step, 0, this.steps.push(action) - 1);
  }

  fire(_op: number, a: number): void {
    this.kernel.mark(this.stepFunction, this.step, 0, this.kernel.now, 0);
    this.steps[a]!();
  }

  transmitted(): void {}

  received(packet: number): void {
    this.atPeer.push({ packet, time: this.kernel.now });
  }
}
