import { Priority } from "../../kernel/queue";
import { Ring } from "../../kernel/ring";
import { NONE } from "../../trace/trace";
import { REFUSED } from "../iommu/iommu";
import { NicOp, dma, eventOf, further, markDescriptors, markTransfer, transferDescriptors, type Adapter } from "./adapter";

/** Buffers that the driver collects before it writes the tail register (NetBSD `ixgbe_rxeof`: every eight). */
const RETURN = 8;

/**
 * The way in: a frame waits in the receive buffer for a descriptor that was fetched ahead, is written by DMA, and becomes
 * visible to the driver when its descriptor is written back; frames that complete while a write-back is under way share the
 * next one.
 *
 * A descriptor is in one of: host (free, in host memory), fetching, cached (on the chip), storing, stored, writing, visible
 * (filled, the driver's) or returned (emptied, not yet given back).
 *
 * Without flow control (IEEE 802.3x), for which drivers ask by default (`ixgbe_fc_full`): a frame for which its queue has no descriptor is dropped, and no XOFF is
 * sent. A real adapter with VFs drops it as well (Linux `ixgbe_set_rx_drop_en`); one without keeps it in the receive buffer, and stops the sender when that fills.
 */
export class ReceiveQueues {
  readonly state;
  private readonly shared;
  /** Frames in the receive buffer that have no descriptor yet. */
  private readonly inbound: Ring[] = [];
  /** Frames in host memory, whether written back or not. */
  private readonly received: Ring[] = [];

  /** @param arrived frames have become visible to the driver of the queue */
  constructor(private readonly nic: Adapter, path: string, private readonly arrived: (q: number) => void) {
    const { store } = nic.kernel;
    this.state = store.table(`receive queues of ${path}`, {
      ring: "u16", epoch: "u16", host: "i32", fetching: "i32", cached: "i32", storing: "i32", stored: "i32", writing: "i32", visible: "i32", returned: "i32",
      fetch: "u16", next: "u16", frames: "f64",
    });
    this.shared = store.table(`receive side of ${path}`, { buffered: "f64" }, 1);
    this.shared.alloc();
  }

  addQueue(name: string): void {
    const { store } = this.nic.kernel;
    this.state.alloc();
    this.inbound.push(new Ring(store, `${name}: waiting`, this.nic.model.ring));
    this.received.push(new Ring(store, name, this.nic.model.ring));
  }

  get buffered(): number {
    return this.shared.buffered[0]!;
  }

  /** The driver posts a buffer for every descriptor of the ring, and says so to the adapter at once; nothing happens to a queue that is open. */
  open(q: number): void {
    const { nic, state } = this;
    if (this.descriptors(q) > 0) return;
    state.host[q] = state.ring[q]!;
    nic.kernel.schedule(0, Priority.hardware, nic.id, NicOp.receiveTail, eventOf(q, state.epoch[q]!));
  }

  /** The tail register has been written for the first time. */
  opened(q: number): void {
    const { nic } = this;
    const { unit, number } = nic.queues[q]!;
    nic.kernel.mark(nic.fn["receive tail write"], unit.component, unit.context, nic.kernel.now, 0, NONE, this.state.host[q]!, number);
    this.fetchDescriptors(q);
  }

  /** A frame that the filters let in. @returns false when it was dropped, and marked so */
  accept(q: number, packet: number): boolean {
    const { nic, state } = this;
    const { unit, number } = nic.queues[q]!;
    const bytes = nic.packets.frameLength(packet);
    const { fn, kernel } = nic;
    if (state.host[q]! + state.fetching[q]! + state.cached[q]! <= this.inbound[q]!.count) {
      kernel.mark(fn["receive ring full"], unit.component, unit.context, kernel.now, 0, packet, number);
      return false;
    }
    if (this.buffered + bytes > nic.model.receiveBuffer) {
      kernel.mark(fn["receive buffer full"], unit.component, unit.context, kernel.now, 0, packet, this.buffered);
      return false;
    }
    this.shared.buffered[0]! += bytes;
    this.inbound[q]!.push(packet);
    this.store(q);
    return true;
  }

  descriptorsFetched(q: number): void {
    const { nic, state } = this;
    const n = state.fetching[q]!;
    markDescriptors(nic, "read", q, n);
    state.fetching[q] = 0;
    state.cached[q]! += n;
    this.store(q);
  }

  stored(q: number, packet: number): void {
    const { nic, state } = this;
    const bytes = nic.packets.frameLength(packet);
    markTransfer(nic, nic.fn["DMA write"], nic.queues[q]!, bytes, packet, bytes);
    this.shared.buffered[0]! -= bytes;
    state.storing[q]!--;
    state.stored[q]!++;
    state.frames[q]!++;
    this.received[q]!.push(packet);
    this.writeBack(q);
  }

  written(q: number): void {
    const { nic, state } = this;
    const n = state.writing[q]!;
    markDescriptors(nic, "write", q, n);
    state.writing[q] = 0;
    state.visible[q]! += n;
    this.arrived(q);
    this.writeBack(q);
  }

  // --- What the driver does -----------------------------------------------------------------------------------------

  /** The oldest frame whose descriptor says that it is there, or −1; it stays. */
  peek(q: number): number {
    return this.state.visible[q]! > 0 ? this.received[q]!.peek() : NONE;
  }

  /** Takes it, and sets a fresh buffer aside for the ring. */
  take(q: number): number {
    this.state.visible[q]!--;
    this.state.returned[q]!++;
    if (this.state.returned[q]! >= RETURN) this.giveBack(q);
    return this.received[q]!.shift();
  }

  /** Writes the tail register: fresh buffers for the emptied descriptors. */
  giveBack(q: number): void {
    this.state.host[q]! += this.state.returned[q]!;
    this.state.returned[q] = 0;
    this.fetchDescriptors(q);
  }

  // --- Resets -------------------------------------------------------------------------------------------------------

  /** A write whose queue was reset meanwhile. */
  discard(packet: number): void {
    this.shared.buffered[0]! -= this.nic.packets.frameLength(packet);
  }

  /** Empties the queue; it takes nothing until it is opened again. @param lost is told of every frame that the driver has not taken */
  reset(q: number, lost: (packet: number) => void): void {
    const { state } = this;
    for (let packet = this.inbound[q]!.shift(); packet !== NONE; packet = this.inbound[q]!.shift()) {
      this.discard(packet);
      lost(packet);
    }
    for (let packet = this.received[q]!.shift(); packet !== NONE; packet = this.received[q]!.shift()) lost(packet);
    state.epoch[q] = (state.epoch[q]! + 1) & 0xffff;
    state.host[q] = state.fetching[q] = state.cached[q] = state.storing[q] = state.stored[q] = state.writing[q] = state.visible[q] = state.returned[q] = 0;
    state.fetch[q] = state.next[q] = 0;
  }

  /** Descriptors in all states: the ring's size while the queue is open. */
  descriptors(q: number): number {
    const s = this.state;
    return s.host[q]! + s.fetching[q]! + s.cached[q]! + s.storing[q]! + s.stored[q]! + s.writing[q]! + s.visible[q]! + s.returned[q]!;
  }

  private store(q: number): void {
    const { nic, state } = this;
    const queue = nic.queues[q]!;
    const inbound = this.inbound[q]!;
    while (state.cached[q]! > 0 && inbound.count > 0) {
      const packet = inbound.shift();
      const bytes = nic.packets.frameLength(packet);
      const address = queue.receiveBuffers + state.next[q]! * queue.bufferSize;
      state.next[q] = further(state.next[q]!, 1, state.ring[q]!);
      state.cached[q]!--;
      const time = dma(nic, "write", queue.unit, nic.fn["DMA write"], address, bytes, packet);
      if (time === REFUSED) {
        this.shared.buffered[0]! -= bytes;
        state.returned[q]!++;
        continue;
      }
      state.storing[q]!++;
      nic.kernel.schedule(time, Priority.hardware, nic.id, NicOp.stored, eventOf(q, state.epoch[q]!), packet);
    }
    this.fetchDescriptors(q);
  }

  private writeBack(q: number): void {
    const { nic, state } = this;
    if (state.writing[q]! > 0 || state.stored[q] === 0) return;
    const n = state.stored[q]!;
    const queue = nic.queues[q]!;
    if (!transferDescriptors(nic, "write", queue, queue.receiveRing, 0, n, NicOp.receiveWritten, state.epoch[q]!)) return;
    state.stored[q] = 0;
    state.writing[q] = n;
  }

  /** As many as fit on the chip, when half of its places are free and none are on their way. */
  private fetchDescriptors(q: number): void {
    const { nic, state } = this;
    const room = nic.model.prefetch.receive - state.cached[q]!;
    const n = Math.min(state.host[q]!, room);
    if (n === 0 || state.fetching[q]! > 0 || room < nic.model.prefetch.receive >> 1) return;
    const queue = nic.queues[q]!;
    if (!transferDescriptors(nic, "read", queue, queue.receiveRing, state.fetch[q]!, n, NicOp.receiveDescriptors, state.epoch[q]!)) return;
    state.fetch[q] = further(state.fetch[q]!, n, state.ring[q]!);
    state.host[q]! -= n;
    state.fetching[q] = n;
  }
}
