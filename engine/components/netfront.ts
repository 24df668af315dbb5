import type { Scope } from "../inspect";
import { Ring } from "../kernel/ring";
import { noOffloads } from "../machine/nic/model";
import type { GrantTables } from "../machine/grants";
import type { Requester } from "../machine/iommu/iommu";
import { sharedThread, type PlacedModel, type Placement } from "../machine/machine";
import { PAGE_SIZE } from "../machine/memory";
import { RING_ENTRIES, SharedRing } from "../machine/sharedRing";
import { NONE } from "../trace/trace";
import { consumerAbove } from "./above";
import type { FrameConsumer, NetworkInterface } from "./interface";
import type { Netback } from "./netback";

const Op = { connect: 0, notify: 1, push: 2, restart: 3, event: 4 } as const;

/** Frames that wait for the transmit ring: NetBSD's `IFQ_MAXLEN`. */
const SEND_QUEUE = 256;
/** Buffers between the event handler and the thread that hands frames to the stack (`NBUF`, xenif_user.c), one of which stays empty, and the longest frame that fits one (`MAXPKT`). */
const BUFFERS = 64;
const BUFFER_BYTES = 2000;

/**
 * A guest's end of Xen's network path, as mini-os and rumprun have it (`platform/xen/xen/netfront.c`, `xenif_user.c`): a
 * transmit and a receive ring of one page, one granted page a frame, neither fragments nor offloads. A frame that is sent is
 * copied into its page; 256 empty pages wait for what is received, which the event handler copies out, and a thread copies
 * again for the stack.
 *
 * To a driver domain that dies and starts again it does not reconnect: mini-os' netfront looks at the backend's state while it connects, and when it is
 * shut down, and never else. Linux' would not either: `netback_changed` (xen-netfront.c) connects from the state Initialising alone, which a frontend is in
 * when it is probed or resumed, so that somebody has to take the device away and attach it anew (`xl network-detach`, `network-attach`). That
 * is what the restart of the guest does here.
 */
export class Netfront implements PlacedModel, NetworkInterface {
  readonly id: number;
  readonly component: number;
  readonly mac: number;
  readonly offloads = noOffloads;
  readonly transmitRing: SharedRing;
  readonly receiveRing: SharedRing;
  private readonly fn;
  private readonly thread: number;
  private readonly state;
  /** By buffer id: the grant of its page, or −1. Transmit buffers that are free are in `free`. */
  private readonly buffer;
  private readonly free: Ring;
  private readonly sendQueue: Ring;
  private readonly received: Ring;
  private readonly grants: GrantTables;
  private readonly by: Requester;
  /** Machine pages: the transmit buffers, the receive buffers, the rings. */
  private readonly page: number;
  private line = 0;
  private backend!: Netback;
  private port = 0;
  private upper!: FrameConsumer;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel } = machine;
    this.id = this.component = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    const user = "platform/xen/librumpnet_xenif/xenif_user.c";
    const driver = "platform/xen/xen/netfront.c";
    this.fn = kernel.functions({
      virtif_start: { file: "platform/xen/librumpnet_xenif/if_virt.c", kind: "vif" },
      VIFHYPER_SEND: { file: user, kind: "vif", a: "bytes", tally: "copy" },
      netfront_xmit: { file: driver, kind: "vif", a: "bytes", tally: "copy" },
      network_tx_buf_gc: { file: driver, kind: "vif", a: "responses" },
      netfront_handler: { file: driver, kind: "interrupt", tally: "interrupt" },
      network_rx: { file: driver, kind: "vif", a: "frames" },
      myrecv: { file: user, kind: "vif", a: "bytes", tally: "copy" },
      pusher: { file: user, kind: "vif", a: "bytes", tally: "copy" },
      rump_virtif_pktdeliver: { file: "platform/xen/librumpnet_xenif/if_virt.c", kind: "vif", a: "bytes", tally: "copy" },
      netfront_init: { file: driver, kind: "vif" },
      gnttab_grant_access: { file: "platform/xen/xen/gnttab.c", kind: "vif", a: "grants" },
      minios_notify_remote_via_evtchn: { file: "platform/xen/xen/events.c", kind: "hypervisor", tally: "notification" },
      "send queue full": { kind: "drop" },
      "receive buffers full": { kind: "drop" },
      "longer than a page": { kind: "drop" },
    });
    const [grants, memory] = [machine.grants.get(domain.host), machine.memories.get(domain.host)];
    if (grants === undefined || memory === undefined) throw new Error(`${spec.path} has no hypervisor to grant pages by.`);
    this.grants = grants;
    this.page = memory.guestBase(domain.id) + memory.allocateBuffer(domain.id, (2 * RING_ENTRIES + 2) * PAGE_SIZE) / PAGE_SIZE;
    this.mac = machine.nextGuestMac();
    this.thread = sharedThread(machine, domain, "xenifp", 0);
    this.by = { component: this.id, context: machine.cpus.contextOf(this.thread) };
    const { store } = kernel;
    this.transmitRing = new SharedRing(kernel, `transmit ring of ${spec.path}`);
    this.receiveRing = new SharedRing(kernel, `receive ring of ${spec.path}`);
    this.state = store.table(`netfront ${spec.path}`, { transmitGrant: "i32", receiveGrant: "i32", restarting: "u8", pushing: "u8", sent: "f64", received: "f64", dropped: "f64" }, 1);
    this.state.alloc();
    const buffer = store.table(`buffers of ${spec.path}`, { grant: "i32" }, 2 * RING_ENTRIES);
    this.buffer = buffer;
    this.free = new Ring(store, `free transmit buffers of ${spec.path}`, RING_ENTRIES, "room");
    this.sendQueue = new Ring(store, `send queue of ${spec.path}`, SEND_QUEUE);
    this.received = new Ring(store, `received frames of ${spec.path}`, BUFFERS);
    for (let i = 0; i < 2 * RING_ENTRIES; i++) {
      const row = buffer.alloc();
      buffer.grant[row] = NONE;
    }
    for (let i = 0; i < RING_ENTRIES; i++) this.free.push(i);
    this.state.transmitGrant[0] = this.state.receiveGrant[0] = NONE;
  }

  connect(): void {
    const { machine, domain, spec } = this.place;
    const { cpus, costs } = machine;
    this.upper = consumerAbove(this.place);
    this.backend = machine.placed(spec.channel ?? "") as Netback;
    this.line = cpus.addLine(cpus.vcpusOf(domain.id)[0]!, this.id, Op.event, 0, costs.latency("event to a vCPU"));
    this.port = this.backend.attach(this, domain, this.line);
  }

  start(): void {
    this.place.machine.cpus.post(this.thread, this.id, Op.connect);
  }

  /** Grants of the two rings, for the backend to map; −1 before there are any. */
  get ringGrants(): readonly [number, number] {
    return [this.state.transmitGrant[0]!, this.state.receiveGrant[0]!];
  }

  /** Where another domain finds a server of this one: the backend's network may translate. */
  published(address: number, protocol: number, port: number, asker: string): { readonly address: number; readonly port: number } {
    return this.backend.published(this.port, address, protocol, port, asker);
  }

  // --- Sending ------------------------------------------------------------------------------------------------------

  spendTransmit(packet: number, bytes: number): void {
    const { cpus } = this.place.machine;
    const before = cpus.enter(this.id);
    cpus.spend(this.fn.virtif_start, packet);
    this.spendXmit(packet, bytes);
    cpus.enter(before);
  }

  transmit(packet: number): void {
    const { kernel, packets } = this.place.machine;
    if (packets.frameLength(packet) > PAGE_SIZE) {
      kernel.mark(this.fn["longer than a page"], this.id, this.by.context, kernel.now, 0, packet);
    } else if (this.sendQueue.count > 0 || this.free.count === 0 || !this.backend.isConnected(this.port)) {
      if (this.sendQueue.count < SEND_QUEUE) this.sendQueue.push(packet);
      else {
        kernel.mark(this.fn["send queue full"], this.id, this.by.context, kernel.now, 0, packet);
        this.upper.freed?.(packet, "ENOBUFS");
      }
    } else {
      this.put(packet);
    }
  }

  /** Copies flat what the stack has in pieces (VIFHYPER_SEND), then into the page, and takes back buffers whose frames the backend is done with. */
  private spendXmit(packet: number, bytes: number): void {
    const { cpus, costs } = this.place.machine;
    cpus.spend(this.fn.VIFHYPER_SEND, packet, bytes);
    cpus.spend(this.fn.netfront_xmit, packet, bytes);
    const done = this.transmitRing.responses;
    if (done > 0) cpus.spendTime(this.fn.network_tx_buf_gc, done * costs.of(this.fn.network_tx_buf_gc, 0), NONE, done);
  }

  private put(packet: number): void {
    const { domain, machine: { cpus } } = this.place;
    const id = this.free.shift();
    this.buffer.grant[id] = this.grants.grant(this.by, domain.id, this.backend.domain, this.page + id, 1, true);
    this.transmitRing.putRequest(id, this.buffer.grant[id]!, packet);
    this.state.sent[0]!++;
    if (this.transmitRing.pushRequests()) cpus.call(cpus.currentThread === NONE ? this.thread : cpus.currentThread, this.id, Op.notify, 0, packet);
    this.collect();
  }

  /**
   * `network_tx_buf_gc`: ends the grants of frames that were sent, and asks to be told when half of those under way are done.
   */
  private collect(): void {
    const { transmitRing: ring } = this;
    while (ring.responses > 0) {
      const id = ring.id(ring.takeResponse());
      this.grants.endAccess(this.by, this.buffer.grant[id]!);
      this.buffer.grant[id] = NONE;
      this.free.push(id);
    }
    ring.askForResponse((ring.outstanding >> 1) + 1);
    this.restart();
  }

  /** There is room for frames that wait. */
  private restart(): void {
    if (this.sendQueue.count === 0 || this.free.count === 0 || this.state.restarting[0] === 1 || !this.backend.isConnected(this.port)) return;
    this.state.restarting[0] = 1;
    this.place.machine.cpus.post(this.thread, this.id, Op.restart);
  }

  // --- Receiving ----------------------------------------------------------------------------------------------------

  /** The backend has connected: the frames that waited for it go. */
  connected(): void {
    this.restart();
  }

  /** The event handler's cost: the responses that it finds, each frame copied out of its page. */
  private spendEvent(): void {
    const { cpus, costs, packets } = this.place.machine;
    const { fn, receiveRing: ring } = this;
    cpus.spend(fn.netfront_handler);
    const done = this.transmitRing.responses;
    if (done > 0) cpus.spendTime(fn.network_tx_buf_gc, done * costs.of(fn.network_tx_buf_gc, 0), NONE, done);
    const frames = ring.responses;
    let bytes = 0;
    for (let i = 0; i < frames; i++) {
      const packet = ring.packet(ring.responseAt(i));
      // A response of an error brings none.
      if (packet !== NONE) bytes += packets.frameLength(packet);
    }
    cpus.note(frames);
    if (frames === 0) return;
    cpus.spendTime(fn.network_rx, frames * costs.of(fn.network_rx, 0), ring.packet(ring.responseAt(0)), frames);
    cpus.spendTime(fn.myrecv, frames * costs.of(fn.myrecv, 0) + costs.of(fn.myrecv, bytes) - costs.of(fn.myrecv, 0), ring.packet(ring.responseAt(0)), bytes);
  }

  /** `netfront_handler`, `network_rx`: frames to the thread, their pages back to the backend. */
  private event(frames: number): void {
    const { kernel, cpus, packets } = this.place.machine;
    const { receiveRing: ring } = this;
    this.collect();
    for (let i = 0; i < frames; i++) {
      const entry = ring.takeResponse();
      const id = ring.id(entry);
      const packet = ring.packet(entry);
      this.grants.endAccess(this.by, this.buffer.grant[RING_ENTRIES + id]!);
      this.buffer.grant[RING_ENTRIES + id] = NONE;
      if (packet === NONE) continue;
      if (this.received.count >= BUFFERS - 1 || packets.frameLength(packet) > BUFFER_BYTES) {
        this.state.dropped[0]!++;
        kernel.mark(this.fn["receive buffers full"], this.id, this.by.context, kernel.now, 0, packet);
      } else {
        this.received.push(packet);
      }
    }
    for (let i = 0; i < frames; i++) this.offer();
    if (frames > 0 && ring.pushRequests()) cpus.post(this.thread, this.id, Op.notify, 1, NONE);
    if (this.received.count > 0 && this.state.pushing[0] === 0) {
      this.state.pushing[0] = 1;
      cpus.post(this.thread, this.id, Op.push);
    }
    if (ring.responses > 0) cpus.repeat(this.line);
    else ring.askForResponse(1);
  }

  /** An empty page for a frame: of the buffer with the entry's number (`xennet_rxidx`), which is back since responses come in order. */
  private offer(): void {
    const { domain } = this.place;
    const id = this.receiveRing.nextRequest;
    const grant = this.grants.grant(this.by, domain.id, this.backend.domain, this.page + RING_ENTRIES + id, 1, false);
    this.buffer.grant[RING_ENTRIES + id] = grant;
    this.receiveRing.putRequest(id, grant, NONE);
  }

  // --- Work ---------------------------------------------------------------------------------------------------------

  begin(op: number, _a: number, b: number): void {
    const { cpus, costs, packets } = this.place.machine;
    const { fn } = this;
    if (op === Op.event) {
      this.spendEvent();
    } else if (op === Op.notify) {
      cpus.spend(fn.minios_notify_remote_via_evtchn, b);
    } else if (op === Op.push) {
      const packet = this.received.peek();
      const bytes = packets.frameLength(packet);
      // The thread copies a whole buffer, whatever the frame's length.
      cpus.spend(fn.pusher, packet, BUFFER_BYTES);
      cpus.spend(fn.rump_virtif_pktdeliver, packet, bytes);
      this.upper.spendInput(packet);
    } else if (op === Op.restart) {
      const packet = this.sendQueue.peek();
      cpus.spend(fn.virtif_start, packet);
      this.spendXmit(packet, packets.frameLength(packet));
    } else {
      cpus.spend(fn.netfront_init);
      cpus.spendTime(fn.gnttab_grant_access, (RING_ENTRIES + 2) * costs.of(fn.gnttab_grant_access, 0), NONE, RING_ENTRIES + 2);
      cpus.spend(fn.minios_notify_remote_via_evtchn);
    }
  }

  end(op: number, a: number): void {
    const { cpus } = this.place.machine;
    if (op === Op.event) {
      this.event(cpus.noted);
    } else if (op === Op.notify) {
      (a === 0 ? this.transmitRing : this.receiveRing).countNotification();
      this.backend.notify(this.port);
    } else if (op === Op.push) {
      this.upper.input(this.received.shift());
      this.state.received[0]!++;
      if (this.received.count > 0) cpus.call(this.thread, this.id, Op.push);
      else this.state.pushing[0] = 0;
    } else if (op === Op.restart) {
      this.state.restarting[0] = 0;
      if (this.free.count > 0) this.put(this.sendQueue.shift());
      this.restart();
    } else {
      this.offerRings();
    }
  }

  /** `netfront_init`: both rings, and a page for every entry of the receive ring. */
  private offerRings(): void {
    const { domain } = this.place;
    const rings = this.page + 2 * RING_ENTRIES;
    this.transmitRing.reset();
    this.receiveRing.reset();
    this.state.transmitGrant[0] = this.grants.grant(this.by, domain.id, this.backend.domain, rings, 1, false);
    this.state.receiveGrant[0] = this.grants.grant(this.by, domain.id, this.backend.domain, rings + 1, 1, false);
    for (let i = 0; i < RING_ENTRIES; i++) this.offer();
    this.receiveRing.pushRequests();
    this.backend.offered(this.port);
  }

  fire(): void {}

  describe(): Scope[] {
    const plain = (name: string, number: number): { name: string; value: string; number: number } => ({ name, value: `${number}`, number });
    return [{
      name: "netfront",
      variables: [
        this.transmitRing.describe("tx ring"), this.receiveRing.describe("rx ring"), plain("free transmit buffers", this.free.count),
        plain("send queue", this.sendQueue.count), plain("received, not yet handed over", this.received.count), plain("frames sent", this.state.sent[0]!),
        plain("frames received", this.state.received[0]!), plain("dropped, buffers full", this.state.dropped[0]!),
      ],
    }];
  }
}
