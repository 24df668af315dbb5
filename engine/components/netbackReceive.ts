import type { FrameLoans } from "../machine/frameLoans";
import { NONE } from "../trace/trace";
import type { ReceiveWay } from "./netbackFunctions";
import { NetbackOp, type Backend } from "./netbackVif";

/** Frames that the receive thread copies in one round (RX_BATCH_SIZE, COPY_BATCH_SIZE; NetBSD's NB_XMIT_PAGES_BATCH). */
const BATCH = 64;

/** The half of a backend that fills the pages which guests offer (Linux `rx.c`): a thread of each interface copies as many frames as there are pages. */
export class NetbackReceive {
  private readonly events;

  constructor(private readonly backend: Backend, private readonly way: ReceiveWay, private readonly loans: FrameLoans | undefined) {
    this.events = backend.machine.kernel.functions({
      "queue to guest full": { kind: "drop" }, "guest not connected": { kind: "drop" }, "grant refused": { kind: "drop" },
    });
  }

  /** Said in `begin`: taking a frame over. */
  spendDeliver(packet: number): void {
    const { machine: { cpus }, component, fn } = this.backend;
    const before = cpus.enter(component);
    cpus.spend(fn.transmit, packet);
    cpus.enter(before);
  }

  deliver(v: number, packet: number): void {
    const { state, vifs } = this.backend;
    const { queue } = vifs[v]!;
    const { frames, before } = this.way;
    if (state.connected[v] === 0) return this.drop("guest not connected", v, packet);
    if (state.stopped[v] === 1 ? state.waiting[v]! >= before : queue.count >= frames) return this.drop("queue to guest full", v, packet);
    queue.push(packet);
    state.waiting[v]!++;
    this.admit(v);
    this.kick(v);
  }

  /** Frames that wait before the backend's queue go into it until it stops; it takes frames again when there is less in it than what stops it. */
  private admit(v: number): void {
    const { state, vifs, machine: { packets } } = this.backend;
    const { queue } = vifs[v]!;
    const { bytes } = this.way;
    if (state.bytes[v]! < bytes) state.stopped[v] = 0;
    while (state.waiting[v]! > 0 && state.stopped[v] === 0) {
      state.bytes[v]! += packets.frameLength(queue.at(queue.count - state.waiting[v]!));
      state.waiting[v]!--;
      if (state.bytes[v]! > bytes) state.stopped[v] = 1;
    }
  }

  /** The oldest frame leaves the queue. */
  private take(v: number): number {
    const { state, vifs, machine: { packets } } = this.backend;
    const packet = vifs[v]!.queue.shift();
    state.bytes[v]! -= packets.frameLength(packet);
    this.admit(v);
    return packet;
  }

  private drop(why: keyof NetbackReceive["events"], v: number, packet: number): void {
    const { state, by, machine: { kernel } } = this.backend;
    state.dropped[v]!++;
    kernel.mark(this.events[why], by.component, by.context, kernel.now, 0, packet);
    this.loans?.giveBack(packet);
  }

  /** `xenvif_kick_thread`, where there is something to do. */
  kick(v: number): void {
    const { state, vifs, machine: { cpus }, component } = this.backend;
    const { guest, queue, thread } = vifs[v]!;
    if (state.receiving[v] === 1 || queue.count === 0 || state.connected[v] === 0) return;
    if (guest.receiveRing.requests === 0 && guest.receiveRing.finalCheckForRequests() === false) return;
    state.receiving[v] = 1;
    cpus.post(thread, component, NetbackOp.receive, v);
  }

  spendReceive(v: number): void {
    const { machine: { cpus, costs, packets }, fn, vifs, state, grants } = this.backend;
    const { guest, queue } = vifs[v]!;
    const n = state.connected[v] === 1 ? Math.min(BATCH, queue.count - state.waiting[v]!, guest.receiveRing.requests) : 0;
    cpus.note(n);
    cpus.spend(fn.receive);
    if (n === 0) return;
    let bytes = 0;
    let lent = 0;
    for (let i = 0; i < n; i++) {
      bytes += packets.frameLength(queue.at(i));
      if (this.loans?.isLent(queue.at(i)) === true) lent++;
    }
    cpus.spendTime(fn.fill, n * costs.of(fn.fill, 0), queue.peek(), n);
    grants.spendCopy(bytes, n, queue.peek());
    this.loans?.spendReturn(lent);
  }

  receive(v: number, n: number): void {
    const { machine: { cpus }, vifs, state, component, grants, by, domain } = this.backend;
    const { guest, thread } = vifs[v]!;
    const ring = guest.receiveRing;
    if (state.stale[v]! > 0 || state.connected[v] === 0) {
      this.throwAway(v, state.stale[v]!);
      state.stale[v] = state.receiving[v] = 0;
      return this.kick(v);
    }
    for (let i = 0; i < n; i++) {
      const packet = this.take(v);
      const entry = ring.takeRequest();
      const mayWrite = grants.mayUse(by, domain, ring.grant(entry), true);
      ring.putResponse(ring.id(entry), mayWrite ? packet : NONE);
      if (mayWrite) {
        state.toGuest[v]!++;
        this.loans?.giveBack(packet);
      } else {
        this.drop("grant refused", v, packet);
      }
    }
    if (n > 0) {
      cpus.call(thread, component, NetbackOp.receive, v);
      if (ring.pushResponses()) this.backend.tell(thread, v, 1);
      return;
    }
    // Before it sleeps the thread asks to be told of pages, and looks again.
    state.receiving[v] = 0;
    this.kick(v);
  }

  /** The guest is gone: what waits for it is thrown away, when the thread that copies it is done (`kthread_stop` in `xenvif_disconnect_data`). */
  flush(v: number): void {
    const { state, vifs } = this.backend;
    const { queue } = vifs[v]!;
    if (state.receiving[v] === 1) state.stale[v] = queue.count;
    else this.throwAway(v, queue.count);
  }

  private throwAway(v: number, frames: number): void {
    for (let i = 0; i < frames; i++) this.drop("guest not connected", v, this.take(v));
  }
}
