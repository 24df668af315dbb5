import type { Scope } from "../inspect";
import type { Kernel, Model } from "../kernel/kernel";
import { Priority } from "../kernel/queue";
import { Ring } from "../kernel/ring";
import type { Link, LinkEnd } from "../network/link";
import { BROADCAST, type PacketLog } from "../network/packets";
import type { CostProfile } from "../profiles/profile";
import { NONE } from "../trace/trace";
import type { Cpus } from "../scheduling/cpus";
import type { Iommu } from "./iommu";

/** What makes one adapter differ from another; an adapter is data, not code. */
export interface NicModel {
  /** Descriptors of a receive or transmit ring. */
  readonly ring: number;
  /** Packet buffer for transmission, bytes. */
  readonly transmitBuffer: number;
}

/** Models by the name that a design uses. Sources: Intel 82599 (packet buffers), NetBSD `ixgbe.h` (2048 descriptors by default). */
export const nicModels: Readonly<Record<string, NicModel>> = {
  "intel-82599": { ring: 2048, transmitBuffer: 160 * 1024 },
};

const Op = { fetch: 0, stored: 1, interrupt: 2 } as const;

interface FunctionEntry {
  readonly path: string;
  readonly mac: number;
  readonly iommu: number;
  readonly component: number;
  readonly context: number;
  readonly transmit: Ring;
  readonly received: Ring;
}

/**
 * A network adapter with one port: a physical function and virtual functions (SR-IOV), each with rings of its own. Frames
 * are fetched and stored by DMA through the IOMMU; an internal switch sorts them by destination address, so that frames
 * between functions never reach the wire; interrupts keep a minimum distance (ITR) and are masked while a driver polls.
 */
export class Nic implements Model, LinkEnd {
  readonly id: number;
  private readonly functions: FunctionEntry[] = [];
  private readonly state;
  private readonly port;
  private readonly buffer: Ring;
  private readonly fn;
  private link: { readonly wire: Link; readonly end: number } | undefined;

  constructor(
    private readonly kernel: Kernel, private readonly packets: PacketLog, private readonly cpus: Cpus, private readonly iommu: Iommu,
    private readonly costs: CostProfile, path: string, private readonly host: string, private readonly model: NicModel,
  ) {
    this.id = kernel.component(path, "nic", host, undefined, this);
    this.fn = kernel.functions({
      "DMA read": { kind: "dma", a: "bytes" },
      "DMA write": { kind: "dma", a: "bytes" },
      "MSI": { kind: "interrupt" },
      "internal switch": { kind: "device" },
      "no receive filter": { kind: "drop" },
      "receive ring full": { kind: "drop", a: "descriptors" },
    });
    this.state = kernel.store.table(`functions of ${path}`, {
      owner: "i32", line: "i32", free: "i32", fetching: "u8", masked: "u8", armed: "u8", used: "i32",
      lastInterrupt: "f64", itr: "f64", interrupts: "f64", sent: "f64", receivedFrames: "f64", dropped: "f64",
    });
    this.port = kernel.store.table(`port of ${path}`, { busy: "u8", buffered: "f64", next: "i32" }, 1);
    this.port.alloc();
    this.buffer = new Ring(kernel.store, `transmit buffer of ${path}`, 4096);
  }

  attach(link: Link): void {
    this.link = { wire: link, end: link.attach(this) };
  }

  /** Adds the PF or a VF; they are numbered in the order of adding. */
  addFunction(path: string, mac: number): number {
    const { kernel } = this;
    const f = this.state.alloc();
    this.state.owner[f] = this.state.line[f] = NONE;
    this.state.lastInterrupt[f] = -1e15;
    this.functions.push({
      path, mac, iommu: this.iommu.addFunction(path),
      component: kernel.component(path, "function", this.host, undefined, this),
      context: kernel.context("device", path, this.host, undefined),
      transmit: new Ring(kernel.store, `transmit ring of ${path}`, this.model.ring),
      received: new Ring(kernel.store, `receive ring of ${path}`, this.model.ring),
    });
    return f;
  }

  /** Gives the function to a domain: maps its memory, posts the receive descriptors, routes the interrupt. */
  open(f: number, domain: number, line: number, itr: number): void {
    this.iommu.assign(this.functions[f]!.iommu, domain);
    this.state.owner[f] = domain;
    this.state.line[f] = line;
    this.state.itr[f] = itr;
    this.state.free[f] = this.model.ring;
  }

  /** @throws Error if the adapter has no such function */
  functionNamed(path: string): number {
    const f = this.functions.findIndex((entry) => entry.path === path);
    if (f < 0) throw new Error(`There is no PCI function ${path}.`);
    return f;
  }

  macOf(f: number): number {
    return this.functions[f]!.mac;
  }

  componentOf(f: number): number {
    return this.functions[f]!.component;
  }

  // --- What a driver does -------------------------------------------------------------------------------------------

  /** Puts a frame on the transmit ring and rings the doorbell. @returns false when no descriptor is free */
  post(f: number, packet: number): boolean {
    if (this.state.used[f]! >= this.model.ring) return false;
    this.state.used[f]!++;
    this.functions[f]!.transmit.push(packet);
    this.startFetch(f);
    return true;
  }

  /** The oldest received frame, or −1; it stays. */
  peekReceived(f: number): number {
    return this.functions[f]!.received.peek();
  }

  /** Takes the oldest received frame and posts a fresh buffer in its place. */
  takeReceived(f: number): number {
    this.state.free[f]!++;
    return this.functions[f]!.received.shift();
  }

  /** The driver has emptied the ring: interrupts again, at once if a frame has come in between. */
  unmask(f: number): void {
    this.state.masked[f] = 0;
    if (this.functions[f]!.received.count > 0) this.armInterrupt(f);
  }

  // --- LinkEnd ------------------------------------------------------------------------------------------------------

  transmitted(): void {
    this.port.busy[0] = 0;
    const packet = this.buffer.shift();
    this.port.buffered[0]! -= this.packets.frameLength(packet);
    const n = this.functions.length;
    for (let i = 0; i < n; i++) this.startFetch((this.port.next[0]! + i) % n);
    this.port.next[0] = (this.port.next[0]! + 1) % n;
    this.feedWire();
  }

  received(packet: number): void {
    this.sort(packet, NONE);
  }

  // --- Events -------------------------------------------------------------------------------------------------------

  fire(op: number, f: number, packet: number): void {
    if (op === Op.fetch) this.fetched(f);
    else if (op === Op.stored) this.stored(f, packet);
    else this.interrupt(f);
  }

  private startFetch(f: number): void {
    const waiting = this.functions[f]!.transmit.peek();
    if (this.state.fetching[f] === 1 || waiting === NONE) return;
    if (this.port.buffered[0]! + this.packets.frameLength(waiting) > this.model.transmitBuffer) return;
    this.port.buffered[0]! += this.packets.frameLength(waiting);
    this.state.fetching[f] = 1;
    this.kernel.schedule(this.costs.of(this.fn["DMA read"], this.packets.frameLength(waiting)), Priority.hardware, this.id, Op.fetch, f);
  }

  private fetched(f: number): void {
    const entry = this.functions[f]!;
    const packet = entry.transmit.shift();
    const bytes = this.packets.frameLength(packet);
    const time = this.costs.of(this.fn["DMA read"], bytes);
    this.kernel.mark(this.fn["DMA read"], entry.component, entry.context, this.kernel.now - time, time, packet, bytes);
    this.state.fetching[f] = 0;
    this.state.used[f]!--;
    if (this.iommu.translate(entry.iommu, this.state.owner[f]!, entry.component, entry.context, packet)) {
      this.state.sent[f]!++;
      const local = this.sort(packet, f);
      if (local) {
        this.port.buffered[0]! -= bytes;
      } else {
        this.buffer.push(packet);
        this.feedWire();
      }
    } else {
      this.port.buffered[0]! -= bytes;
    }
    this.startFetch(f);
  }

  private feedWire(): void {
    if (this.port.busy[0] === 1 || this.link === undefined) return;
    const packet = this.buffer.peek();
    if (packet === NONE) return;
    this.port.busy[0] = 1;
    this.link.wire.send(this.link.end, packet);
  }

  /** The internal switch. @returns whether the frame was for a function of this adapter alone */
  private sort(packet: number, from: number): boolean {
    const destination = this.packets.destinationMac(packet);
    if (destination === BROADCAST) {
      for (let f = 0; f < this.functions.length; f++) if (f !== from && this.state.owner[f] !== NONE) this.store(f, packet);
      return false;
    }
    for (let f = 0; f < this.functions.length; f++) {
      if (this.functions[f]!.mac === destination && this.state.owner[f] !== NONE) {
        if (from !== NONE) this.kernel.mark(this.fn["internal switch"], this.id, this.functions[from]!.context, this.kernel.now, 0, packet);
        this.store(f, packet);
        return true;
      }
    }
    if (from === NONE) this.kernel.mark(this.fn["no receive filter"], this.id, this.functions[0]!.context, this.kernel.now, 0, packet);
    return false;
  }

  private store(f: number, packet: number): void {
    const entry = this.functions[f]!;
    if (this.state.free[f] === 0) {
      this.state.dropped[f]!++;
      this.kernel.mark(this.fn["receive ring full"], entry.component, entry.context, this.kernel.now, 0, packet, this.model.ring);
      return;
    }
    this.state.free[f]!--;
    this.kernel.schedule(this.costs.of(this.fn["DMA write"], this.packets.frameLength(packet)), Priority.hardware, this.id, Op.stored, f, packet);
  }

  private stored(f: number, packet: number): void {
    const entry = this.functions[f]!;
    const bytes = this.packets.frameLength(packet);
    const time = this.costs.of(this.fn["DMA write"], bytes);
    this.kernel.mark(this.fn["DMA write"], entry.component, entry.context, this.kernel.now - time, time, packet, bytes);
    if (!this.iommu.translate(entry.iommu, this.state.owner[f]!, entry.component, entry.context, packet)) {
      this.state.free[f]!++;
      return;
    }
    this.state.receivedFrames[f]!++;
    entry.received.push(packet);
    this.armInterrupt(f);
  }

  /** At once, or when the interval since the last interrupt is over (EITR). */
  private armInterrupt(f: number): void {
    if (this.state.masked[f] === 1 || this.state.armed[f] === 1) return;
    this.state.armed[f] = 1;
    const earliest = this.state.lastInterrupt[f]! + this.state.itr[f]!;
    this.kernel.schedule(Math.max(0, earliest - this.kernel.now), Priority.interrupt, this.id, Op.interrupt, f);
  }

  private interrupt(f: number): void {
    const entry = this.functions[f]!;
    this.state.armed[f] = 0;
    // The adapter masks the vector itself (EIAM, auto-mask); the driver polls until it unmasks.
    this.state.masked[f] = 1;
    this.kernel.mark(this.fn.MSI, entry.component, entry.context, this.kernel.now, 0);
    this.state.lastInterrupt[f] = this.kernel.now;
    this.state.interrupts[f]!++;
    this.cpus.raise(this.state.line[f]!);
  }

  // --- For people ---------------------------------------------------------------------------------------------------

  describe(): Scope[] {
    return [{
      name: "Adapter",
      variables: [
        { name: "transmit buffer", value: `${this.port.buffered[0]!} B of ${this.model.transmitBuffer} B`, number: this.port.buffered[0]! },
        ...this.functions.map((entry, f) => ({
          name: entry.path.slice(entry.path.lastIndexOf("/") + 1),
          value: this.state.owner[f] === NONE ? "free" : "in use",
          children: [
            { name: "transmit ring", value: `${this.state.used[f]!} of ${this.model.ring} descriptors`, number: this.state.used[f]! },
            { name: "receive ring", value: `${this.state.free[f]!} free, ${entry.received.count} filled`, number: entry.received.count },
            { name: "interrupts", value: `${this.state.interrupts[f]!}${this.state.masked[f] === 1 ? ", masked" : ""}`, number: this.state.interrupts[f]! },
            { name: "frames sent", value: `${this.state.sent[f]!}`, number: this.state.sent[f]! },
            { name: "frames received", value: `${this.state.receivedFrames[f]!}`, number: this.state.receivedFrames[f]! },
            { name: "dropped, ring full", value: `${this.state.dropped[f]!}`, number: this.state.dropped[f]! },
          ],
        })),
      ],
    }];
  }
}
