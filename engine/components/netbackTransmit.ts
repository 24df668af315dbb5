import { FrameLoans } from "../machine/frameLoans";
import { NONE } from "../trace/trace";
import { transmitWays, type TransmitWay } from "./netbackFunctions";
import { NetbackOp, type Backend } from "./netbackVif";
import type { System } from "../machine/machine";

/**
 * The half of a backend that takes what guests send (Linux `netback.c`). A round of polling copies the beginnings of all frames by one
 * hypercall and maps the pages of those that are longer by another; the frame that is handed on has its data there. When it is freed, at
 * last by the device's driver, a thread of the interface unmaps its page, with others that have come together, and only then is the guest told
 * that the page is its own again. The adapter reads frames from its driver's buffers here, wherever they are: that the IOMMU maps lent pages too has no model.
 */
export class NetbackTransmit {
  /** Requests under way: their ids in the ring, what maps their pages, or −1, and the connection that they came by. */
  private readonly pending;
  private readonly way: TransmitWay;
  readonly loans: FrameLoans | undefined;
  private readonly refused: number;

  constructor(private readonly backend: Backend, system: System, path: string, domain: string) {
    const { machine } = backend;
    this.way = transmitWays[system];
    this.refused = machine.kernel.functions({ "grant refused": { kind: "drop" } })["grant refused"];
    this.pending = machine.kernel.store.table(`requests under way in ${path}`, { packet: "i32", id: "i32", mapping: "i32", epoch: "u16" });
    this.loans = this.way.lends ? new FrameLoans(machine, domain, (v, row) => this.returned(v, row)) : undefined;
  }

  poll(v: number): void {
    const { state, machine, softirq, component } = this.backend;
    if (state.polling[v] === 1 || state.connected[v] === 0) return;
    state.polling[v] = 1;
    machine.cpus.post(softirq, component, NetbackOp.build, v);
  }

  /** A round: hypercalls for every frame that is there, up to a batch. */
  spendBuild(v: number): void {
    const { machine: { cpus, costs, packets }, fn, vifs, state, grants } = this.backend;
    const { batch, copied } = this.way;
    const ring = vifs[v]!.guest.transmitRing;
    const n = state.connected[v] === 1 ? Math.min(batch, ring.requests) : 0;
    cpus.note(n);
    cpus.spend(fn.poll);
    if (n === 0) return;
    let bytes = 0;
    let beyond = 0;
    let mapped = 0;
    for (let i = 0; i < n; i++) {
      const length = packets.frameLength(ring.packet(ring.requestAt(i)));
      bytes += Math.min(copied, length);
      if (length <= copied) continue;
      mapped++;
      beyond += length - copied;
    }
    const first = ring.packet(ring.requestAt(0));
    cpus.spendTime(fn.build, n * costs.of(fn.build, 0), first, n);
    if (copied > 0) grants.spendCopy(bytes, n, first);
    if (mapped > 0) grants.spendMap(mapped);
    if (mapped === 0 || this.way.lends) return;
    cpus.spend(fn.copy, first, beyond);
    cpus.spendTime(fn.release, mapped * costs.of(fn.release, 0), first, mapped);
    grants.spendUnmap(mapped);
  }

  build(v: number, n: number): void {
    const { machine: { kernel, cpus, packets }, vifs, state, softirq, component, grants, by, domain } = this.backend;
    const { guest, taken } = vifs[v]!;
    const ring = guest.transmitRing;
    if (state.connected[v] === 0) {
      state.polling[v] = 0;
      return;
    }
    if (n === 0) {
      // The last look after asking to be told (`xenvif_napi_schedule_or_enable_events`).
      if (ring.finalCheckForRequests()) cpus.post(softirq, component, NetbackOp.build, v);
      else state.polling[v] = 0;
      return;
    }
    // There are fewer where another guest has taken the place of the one that the round was begun for.
    for (let i = Math.min(n, ring.requests); i > 0; i--) {
      const entry = ring.takeRequest();
      const packet = ring.packet(entry);
      const isMapped = packets.frameLength(packet) > this.way.copied;
      // The hypervisor refuses what was not granted: the guest gets the error, nobody the frame (`xenvif_tx_check_gop`).
      const mapping = isMapped ? grants.map(by, domain, ring.grant(entry), false) : NONE;
      const isTaken = isMapped ? mapping !== NONE : grants.mayUse(by, domain, ring.grant(entry), false);
      if (isTaken) {
        taken.push(this.begin(v, packet, ring.id(entry), mapping));
      } else {
        kernel.mark(this.refused, by.component, by.context, kernel.now, 0, packet);
        this.respond(v, ring.id(entry));
      }
    }
    if (taken.count > 0) cpus.call(softirq, component, NetbackOp.submit, v);
    else cpus.post(softirq, component, NetbackOp.build, v);
  }

  /** A request is under way. */
  private begin(v: number, packet: number, id: number, mapping: number): number {
    const { pending, backend: { grants, state } } = this;
    const row = pending.alloc();
    pending.packet[row] = packet;
    pending.id[row] = id;
    pending.epoch[row] = state.epoch[v]!;
    pending.mapping[row] = mapping;
    if (mapping === NONE) return row;
    if (this.loans !== undefined) {
      this.loans.lend(packet, v, row);
    } else {
      // Copied at once.
      grants.unmap(mapping);
      pending.mapping[row] = NONE;
    }
    return row;
  }

  spendSubmit(v: number): void {
    const { machine: { cpus, packets }, fn, vifs } = this.backend;
    const { taken, port } = vifs[v]!;
    const packet = this.pending.packet[taken.peek()]!;
    cpus.spend(fn.submit, packet, packets.frameLength(packet));
    this.backend.switch().spendForward(port, packet);
  }

  submit(v: number): void {
    const { pending, backend: { machine: { cpus }, vifs, state, softirq, component } } = this;
    const { taken, port } = vifs[v]!;
    const row = taken.shift();
    const packet = pending.packet[row]!;
    state.fromGuest[v]!++;
    if (taken.count > 0) cpus.call(softirq, component, NetbackOp.submit, v);
    else cpus.post(softirq, component, NetbackOp.build, v);
    if (pending.mapping[row] === NONE) this.finish(v, row);
    this.backend.switch().forward(port, packet);
  }

  /** A frame whose data are in a mapped page has been freed: the page can be unmapped (`xenvif_zerocopy_callback`). */
  private returned(v: number, row: number): void {
    const { state, machine: { cpus }, vifs, component } = this.backend;
    const { released, releaser } = vifs[v]!;
    released.push(row);
    if (state.releasing[v] === 1) return;
    state.releasing[v] = 1;
    cpus.post(releaser, component, NetbackOp.release, v);
  }

  /** All pages that have come together: one hypercall. */
  spendRelease(v: number): void {
    const { machine: { cpus, costs }, fn, vifs, grants } = this.backend;
    const n = vifs[v]!.released.count;
    cpus.note(n);
    cpus.spendTime(fn.release, n * costs.of(fn.release, 0), NONE, n);
    grants.spendUnmap(n);
  }

  release(v: number, n: number): void {
    const { pending, backend: { vifs, state, grants, machine: { cpus }, component } } = this;
    const { released, releaser } = vifs[v]!;
    for (let i = 0; i < n; i++) {
      const row = released.shift();
      grants.unmap(pending.mapping[row]!);
      this.finish(v, row);
    }
    if (released.count > 0) cpus.post(releaser, component, NetbackOp.release, v);
    else state.releasing[v] = 0;
  }

  private finish(v: number, row: number): void {
    const { pending, backend: { state } } = this;
    const { epoch, id } = pending;
    const isOfThis = epoch[row] === state.epoch[v];
    const request = id[row]!;
    pending.release(row);
    if (isOfThis) this.respond(v, request);
  }

  /** The page of a request is the guest's again. */
  private respond(v: number, id: number): void {
    const { state, vifs, machine: { cpus }, softirq } = this.backend;
    if (state.connected[v] === 0) return;
    const { transmitRing } = vifs[v]!.guest;
    transmitRing.putResponse(id, NONE);
    if (transmitRing.pushResponses()) this.backend.tell(cpus.currentThread === NONE ? softirq : cpus.currentThread, v, 0);
  }
}
