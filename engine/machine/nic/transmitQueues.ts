import { Priority } from "../../kernel/queue";
import { Ring } from "../../kernel/ring";
import { NONE } from "../../trace/trace";
import type { PacketLog } from "../../network/packets";
import { cutLength, cutSegment } from "../../network/segmentation";
import { REFUSED } from "../iommu/iommu";
import { PAGE_SIZE } from "../memory";
import { NicOp, Watch, dma, eventOf, further, markDescriptors, markTransfer, transferDescriptors, type Adapter, type QueueUnit } from "./adapter";

/** Where a descriptor's data lies: its own buffer of the pool, unless the driver says otherwise. */
const OWN_BUFFER = -1;

/** Bytes of the longest segment that is cut (an IPv4 datagram). */
const LONGEST = 65536;

/** Whether the frame is the last of the long segment that it was cut from. */
function isLast(packets: PacketLog, segment: number): boolean {
  const whole = packets.parentOf(segment);
  return packets.offset(segment) + packets.payloadLength(segment) === packets.offset(whole) + packets.payloadLength(whole);
}

/**
 * The way out of an adapter: descriptors are fetched ahead in batches and wait on the chip; frames are read by DMA, several
 * at a time and in turn among the queues, as long as the transmit buffer has room; descriptors whose frame was read are
 * written back in batches, and are the driver's again then.
 *
 * A long segment (TSO) takes a descriptor that says how to cut it, and one for each page of its data. Its frames are read one after the
 * other, and those of other queues in between; headers are made on the chip. It is done when its last frame was read.
 *
 * A descriptor is in one of: posted (in host memory), fetching, cached (on the chip), reading, done, writing.
 */
export class TransmitQueues {
  readonly state;
  private readonly shared;
  private readonly slots;
  private readonly packets: Ring[] = [];
  /**
   * Frames whose end the driver wants to know of, by queue in order: `end` is the number of descriptors that will have been written back
   * by then. `first`, `last`, `next`: rows, plus one; 0: none. Of `told` of them it is to be told; if `hastened`, of all.
   */
  private readonly watched;
  /** Queues with a descriptor on the chip, in turn. */
  private readonly ready: Ring;

  /** @param read a frame is on the chip: what happens next @param interrupt the driver is to be told of what was sent */
  constructor(
    private readonly nic: Adapter, path: string, private readonly read: (queue: QueueUnit, packet: number, bytes: number) => void, private readonly interrupt: (q: number) => void,
  ) {
    const { store } = nic.kernel;
    this.state = store.table(`transmit queues of ${path}`, {
      ring: "u16", epoch: "u16", used: "i32", posted: "i32", fetching: "i32", cached: "i32", reading: "i32", done: "i32", writing: "i32", ready: "u8", next: "u16",
      oldest: "u16", cut: "f64", freed: "f64", first: "i32", last: "i32", told: "i32", hastened: "u8", awaited: "u16",
    });
    this.watched = store.table(`frames of ${path} that somebody waits for`, { packet: "i32", end: "f64", next: "i32", told: "u8" });
    this.shared = store.table(`transmit side of ${path}`, { buffered: "f64", reads: "i32" }, 1);
    this.shared.alloc();
    this.slots = store.table(`transmit descriptors of ${path}`, { address: "f64" }, nic.model.ring);
    this.ready = new Ring(store, `ready transmit queues of ${path}`, nic.model.queues);
  }

  addQueue(name: string): void {
    this.state.alloc();
    this.packets.push(new Ring(this.nic.kernel.store, name, this.nic.model.ring));
    for (let i = 0; i < this.nic.model.ring; i++) {
      const row = this.slots.alloc();
      this.slots.address[row] = OWN_BUFFER;
    }
  }

  get buffered(): number {
    return this.shared.buffered[0]!;
  }

  /** Writes a descriptor and the tail register. @param address of the data, where it is not in the queue's own buffers @returns false when no descriptor is free */
  post(q: number, packet: number, address = OWN_BUFFER, watch: Watch = Watch.no): boolean {
    const { state, packets } = this;
    const ring = state.ring[q]!;
    const n = this.descriptorsOf(packet);
    if (state.used[q]! + n > ring) return false;
    state.used[q]! += n;
    state.posted[q]! += n;
    packets[q]!.push(packet);
    this.slots.address[q * this.nic.model.ring + state.next[q]!] = address;
    state.next[q] = further(state.next[q]!, n, ring);
    if (watch !== Watch.no) this.watch(q, packet, watch === Watch.told);
    this.fetchDescriptors(q);
    return true;
  }

  private watch(q: number, packet: number, isTold: boolean): void {
    const { state, watched } = this;
    const row = watched.take();
    watched.packet[row] = packet;
    watched.end[row] = state.freed[q]! + state.used[q]!;
    watched.next[row] = 0;
    watched.told[row] = isTold ? 1 : 0;
    if (isTold) state.told[q]!++;
    if (state.last[q] === 0) state.first[q] = row + 1;
    else watched.next[state.last[q]! - 1] = row + 1;
    state.last[q] = row + 1;
  }

  isWatching(q: number): boolean {
    return this.state.first[q] !== 0;
  }

  /** Whether the driver is to be interrupted for what was sent. */
  isAwaited(q: number): boolean {
    return this.state.told[q]! > 0 || (this.state.hastened[q] === 1 && this.isWatching(q));
  }

  /** Whether there is something to interrupt it for, which the adapter writes back before it does. */
  hasNews(q: number): boolean {
    return this.isAwaited(q) && (this.state.done[q]! > 0 || this.sentCount(q) > 0);
  }

  /** The driver is to be interrupted for every frame that it watches; `false`: only for those that it is to be told of. */
  hasten(q: number, on: boolean): void {
    this.state.hastened[q] = on ? 1 : 0;
    if (this.hasNews(q)) this.interrupt(q);
  }

  /** Frames that the driver waits for and whose descriptors have been written back. */
  sentCount(q: number): number {
    const { state, watched } = this;
    let count = 0;
    for (let row = state.first[q]! - 1; row >= 0 && watched.end[row]! <= state.freed[q]!; row = watched.next[row]! - 1) count++;
    return count;
  }

  /** Takes the oldest of them, or −1. */
  takeSent(q: number): number {
    const { state, watched } = this;
    const row = state.first[q]! - 1;
    return row < 0 || watched.end[row]! > state.freed[q]! ? NONE : this.takeWatched(q);
  }

  /** Takes the oldest that the driver waits for, or −1. */
  takeWatched(q: number): number {
    const { state, watched } = this;
    const row = state.first[q]! - 1;
    if (row < 0) return NONE;
    state.first[q] = watched.next[row]!;
    if (state.first[q] === 0) state.last[q] = 0;
    const packet = watched.packet[row]!;
    if (watched.told[row] === 1) state.told[q]!--;
    watched.release(row);
    return packet;
  }

  /** Descriptors that are free. */
  room(q: number): number {
    return this.state.ring[q]! - this.state.used[q]!;
  }

  /** Whether the adapter has read all that was put on the ring. */
  isRead(q: number): boolean {
    const { used, done, writing } = this.state;
    return used[q] === done[q]! + writing[q]!;
  }

  /** The driver is to be interrupted when so many are free; 0: no more. */
  awaitRoom(q: number, descriptors: number): void {
    this.state.awaited[q] = descriptors;
  }

  /** Whether as many are free as the driver waits for. */
  hasAwaitedRoom(q: number): boolean {
    const awaited = this.state.awaited[q]!;
    return awaited > 0 && this.room(q) >= awaited;
  }

  /** A frame in the transmit buffer has got longer. */
  grow(bytes: number): void {
    this.shared.buffered[0]! += bytes;
  }

  /** A frame has left the transmit buffer. */
  leave(packet: number): void {
    this.shared.buffered[0]! -= this.nic.packets.frameLength(packet);
  }

  /** Reads frames while there is room: one of each queue in turn. */
  pump(): void {
    const { nic, state, shared, ready } = this;
    while (ready.count > 0 && shared.reads[0]! < nic.model.outstandingReads) {
      const q = ready.peek();
      const packet = this.packets[q]!.peek();
      const long = packet !== NONE && nic.packets.isLong(packet);
      if (!this.mayRead(q) || (long ? state.cut[q] === 0 && state.cached[q]! < this.descriptorsOf(packet) : state.cached[q] === 0)) {
        ready.shift();
        state.ready[q] = 0;
        continue;
      }
      const bytes = long ? cutLength(nic.packets, packet, state.cut[q]!) : nic.packets.frameLength(packet);
      if (shared.buffered[0]! + bytes > nic.model.transmitBuffer) return;
      if (ready.count > 1) ready.push(ready.shift());
      if (long) {
        this.readSegment(q, packet, bytes);
        continue;
      }
      const address = this.addressOfOldest(q);
      this.packets[q]!.shift();
      state.oldest[q] = further(state.oldest[q]!, 1, state.ring[q]!);
      state.cached[q]!--;
      const queue = nic.queues[q]!;
      const time = dma(nic, "read", queue.unit, nic.fn["DMA read"], address, bytes, packet);
      if (time === REFUSED) {
        state.done[q]!++;
        continue;
      }
      shared.reads[0]!++;
      shared.buffered[0]! += bytes;
      state.reading[q]!++;
      nic.kernel.schedule(time, Priority.hardware, nic.id, NicOp.fetched, eventOf(q, state.epoch[q]!), packet);
    }
  }

  /** Reads the next frame of a long segment. */
  private readSegment(q: number, packet: number, bytes: number): void {
    const { nic, state, shared } = this;
    const n = this.descriptorsOf(packet);
    const address = this.addressOfOldest(q) + state.cut[q]!;
    if (state.cut[q] === 0) {
      state.cached[q]! -= n;
      state.reading[q]! += n;
    }
    const segment = cutSegment(nic.packets, packet, state.cut[q]!);
    state.cut[q]! += nic.packets.payloadLength(segment);
    const queue = nic.queues[q]!;
    const time = dma(nic, "read", queue.unit, nic.fn["DMA read"], address, bytes, segment);
    if (time === REFUSED || isLast(nic.packets, segment)) {
      this.packets[q]!.shift();
      state.oldest[q] = further(state.oldest[q]!, n, state.ring[q]!);
      state.cut[q] = 0;
    }
    if (time === REFUSED) {
      state.reading[q]! -= n;
      state.done[q]! += n;
      return;
    }
    shared.reads[0]!++;
    shared.buffered[0]! += bytes;
    nic.kernel.schedule(time, Priority.hardware, nic.id, NicOp.segmentFetched, eventOf(q, state.epoch[q]!), segment);
  }

  /** One frame of a long segment is on the chip; with the last one the segment's descriptors are done. */
  segmentFetched(q: number, segment: number): void {
    const { nic, state } = this;
    const bytes = nic.packets.frameLength(segment);
    markTransfer(nic, nic.fn["DMA read"], nic.queues[q]!, bytes, segment, bytes);
    this.shared.reads[0]!--;
    if (isLast(nic.packets, segment)) {
      const n = this.descriptorsOf(nic.packets.parentOf(segment));
      state.reading[q]! -= n;
      state.done[q]! += n;
    }
    this.afterRead(q, segment, bytes);
  }

  descriptorsFetched(q: number): void {
    const { nic, state } = this;
    const n = state.fetching[q]!;
    markDescriptors(nic, "read", q, n);
    state.fetching[q] = 0;
    state.cached[q]! += n;
    this.makeReady(q);
    this.fetchDescriptors(q);
  }

  fetched(q: number, packet: number): void {
    const { nic, state } = this;
    const bytes = nic.packets.frameLength(packet);
    markTransfer(nic, nic.fn["DMA read"], nic.queues[q]!, bytes, packet, bytes);
    this.shared.reads[0]!--;
    state.reading[q]!--;
    state.done[q]!++;
    this.afterRead(q, packet, bytes);
  }

  private afterRead(q: number, packet: number, bytes: number): void {
    this.read(this.nic.queues[q]!, packet, bytes);
    if (this.state.done[q]! >= this.nic.model.writeBack) this.writeBack(q);
    if (this.isAwaited(q)) this.interrupt(q);
    this.pump();
    this.fetchDescriptors(q);
  }

  /** Writes back what is done; also before an interrupt, so that the driver sees it. */
  writeBack(q: number): void {
    const { nic, state } = this;
    if (state.writing[q]! > 0 || state.done[q] === 0) return;
    const n = state.done[q]!;
    const queue = nic.queues[q]!;
    if (!transferDescriptors(nic, "write", queue, queue.transmitRing, 0, n, NicOp.transmitWritten, state.epoch[q]!)) return;
    state.done[q] = 0;
    state.writing[q] = n;
  }

  written(q: number): void {
    const { nic, state } = this;
    const n = state.writing[q]!;
    markDescriptors(nic, "write", q, n);
    state.writing[q] = 0;
    state.used[q]! -= n;
    state.freed[q]! += n;
    const isAwaited = this.isAwaited(q);
    if (state.done[q]! >= (isAwaited ? 1 : nic.model.writeBack)) this.writeBack(q);
    if (isAwaited || this.hasAwaitedRoom(q)) this.interrupt(q);
  }

  /** A read whose queue was reset meanwhile. */
  discard(packet: number): void {
    this.shared.reads[0]!--;
    this.leave(packet);
  }

  /** Empties the queue. @param lost is told of every frame that was not read yet */
  reset(q: number, lost: (packet: number) => void): void {
    const { state } = this;
    for (let packet = this.packets[q]!.shift(); packet !== NONE; packet = this.packets[q]!.shift()) lost(packet);
    state.epoch[q] = (state.epoch[q]! + 1) & 0xffff;
    state.used[q] = state.posted[q] = state.fetching[q] = state.cached[q] = state.reading[q] = state.done[q] = state.writing[q] = 0;
    state.next[q] = state.oldest[q] = state.cut[q] = state.freed[q] = state.awaited[q] = state.hastened[q] = 0;
    while (this.takeWatched(q) !== NONE);
  }

  /** The function may send from now on: what its driver has posted already is fetched. */
  enabled(q: number): void {
    if (this.state.cached[q]! > 0 || this.state.cut[q]! > 0) this.makeReady(q);
    this.fetchDescriptors(q);
  }

  private makeReady(q: number): void {
    if (this.state.ready[q] === 0) {
      this.state.ready[q] = 1;
      this.ready.push(q);
    }
    this.pump();
  }

  /** Whether the queue's function may send: a reset of the port leaves a VF's descriptors where they are. */
  private mayRead(q: number): boolean {
    return this.nic.state.transmit[this.nic.queues[q]!.unit.index] === 1;
  }

  /**
   * As many as fit on the chip, when the chip has begun to run out (PTHRESH) and none are on their way; none while the function may not
   * send. A VF may when the PF's driver has answered its RESET, which sets its bit in VFTE and the checks of what it sends (Linux
   * `ixgbe_vf_reset_msg`, `ixgbe_sriov.c`): no frame of a VF leaves unchecked.
   */
  private fetchDescriptors(q: number): void {
    const { nic, state } = this;
    const room = nic.model.prefetch.transmit - state.cached[q]!;
    const n = Math.min(state.posted[q]!, room);
    if (n === 0 || state.fetching[q]! > 0 || room < nic.model.prefetch.transmit >> 2) return;
    if (!this.mayRead(q)) return;
    const queue = nic.queues[q]!;
    const first = further(state.next[q]!, state.ring[q]! - state.posted[q]!, state.ring[q]!);
    if (!transferDescriptors(nic, "read", queue, queue.transmitRing, first, n, NicOp.transmitDescriptors, state.epoch[q]!)) return;
    state.posted[q]! -= n;
    state.fetching[q] = n;
  }

  private addressOfOldest(q: number): number {
    const index = this.state.oldest[q]!;
    const address = this.slots.address[q * this.nic.model.ring + index]!;
    const queue = this.nic.queues[q]!;
    if (address !== OWN_BUFFER) return address;
    // The data of a long segment lies in one piece.
    return queue.transmitBuffers + Math.min(index * queue.bufferSize, this.state.ring[q]! * queue.bufferSize - LONGEST);
  }

  private descriptorsOf(packet: number): number {
    const { packets } = this.nic;
    return packets.isLong(packet) ? 1 + Math.ceil(packets.frameLength(packet) / PAGE_SIZE) : 1;
  }
}
