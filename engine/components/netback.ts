import type { Scope, Variable } from "../inspect";
import { Ring } from "../kernel/ring";
import type { GrantTables } from "../machine/grants";
import type { Requester } from "../machine/iommu/iommu";
import { sharedThread, type DomainPlace, type PlacedModel, type Placement } from "../machine/machine";
import { PAGE_SIZE } from "../machine/memory";
import { NONE } from "../trace/trace";
import type { FrameSwitch } from "./frameSwitch";
import type { Netfront } from "./netfront";
import type { TcpIp } from "./tcpip";

const Op = { interrupt: 0, build: 1, submit: 2, notify: 3, receive: 4, watch: 5, connect: 6, disconnect: 7 } as const;

/** Requests that one round of polling takes (NAPI_POLL_WEIGHT), and frames that the receive thread copies in one (RX_BATCH_SIZE, COPY_BATCH_SIZE). */
const BATCH = 64;
/** Bytes that wait for a guest before the interface stops (`rx_queue_max`: an eighth of the ring, in pages), and frames that then wait before it (`XENVIF_QUEUE_LENGTH`). */
const QUEUE_BYTES = (256 / 8) * PAGE_SIZE;
const STOPPED_FRAMES = 32;
/** Frames of the smallest size that may wait: bound of the queue's memory. */
const QUEUE_FRAMES = Math.ceil(QUEUE_BYTES / 60) + STOPPED_FRAMES;
/** Largest datagram for a guest that does not offer scatter and gather (`xenvif_change_mtu`). */
export const NETBACK_MTU = 1500;

interface Vif {
  readonly guest: Netfront;
  readonly domain: DomainPlace;
  /** The guest's event-channel port, the backend's, and the watch on the guest's state. */
  readonly guestLine: number;
  readonly line: number;
  readonly watch: number;
  /** `vifN-guest-rx`. */
  readonly thread: number;
  readonly port: number;
  /** Frames taken out of the guest's pages, not yet sent on, and the ids of their requests. */
  readonly taken: Ring;
  readonly ids: Ring;
  /** Frames for the guest. */
  readonly queue: Ring;
}

/**
 * The driver domain's end of Xen's network path, as Linux has it (`drivers/net/xen-netback`): for every guest a virtual
 * interface that a bridge or router sends to. What a guest sends is polled in rounds, copied out of its pages by one
 * hypercall a round and handed on; what it receives is copied by a thread of its own into the pages that it offers, as many as
 * there are. Both sides notify each other only where the other asked for it.
 */
export class Netback implements PlacedModel {
  readonly id: number;
  /** Its domain's number: the grantee of the guests' pages. */
  readonly domain: number;
  private readonly fn;
  private readonly grants: GrantTables;
  private readonly softirq: number;
  private readonly xenwatch: number;
  private readonly vifs: Vif[] = [];
  private readonly state;
  private readonly by: Requester;
  private switch!: FrameSwitch;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel } = machine;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.domain = domain.id;
    const [main, netback, receive] = ["interface.c", "netback.c", "rx.c"].map((file) => `drivers/net/xen-netback/${file}`) as [string, string, string];
    this.fn = kernel.functions({
      xenvif_interrupt: { file: main, kind: "interrupt", tally: "interrupt" },
      xenvif_poll: { file: main, kind: "driver" },
      xenvif_tx_build_gops: { file: netback, kind: "driver", a: "requests" },
      xenvif_tx_submit: { file: netback, kind: "driver", a: "bytes" },
      xenvif_start_xmit: { file: main, kind: "driver" },
      xenvif_kthread_guest_rx: { file: receive, kind: "thread" },
      xenvif_rx_action: { file: receive, kind: "driver", a: "frames" },
      notify_remote_via_irq: { file: "drivers/xen/events/events_base.c", kind: "hypervisor", tally: "notification" },
      frontend_changed: { file: "drivers/net/xen-netback/xenbus.c", kind: "interrupt", tally: "interrupt" },
      xenvif_connect: { file: main, kind: "driver" },
      xenvif_disconnect: { file: main, kind: "driver" },
      "queue to guest full": { kind: "drop" },
      "guest not connected": { kind: "drop" },
    });
    const grants = machine.grants.get(domain.host);
    if (grants === undefined) throw new Error(`${spec.path} has no hypervisor to map grants by.`);
    this.grants = grants;
    this.softirq = sharedThread(machine, domain, "ksoftirqd", 0);
    this.xenwatch = sharedThread(machine, domain, "xenwatch");
    this.by = { component: this.id, context: machine.cpus.contextOf(this.softirq) };
    this.state = kernel.store.table(`vifs of ${spec.path}`, {
      connected: "u8", transmitMapping: "i32", receiveMapping: "i32", polling: "u8", receiving: "u8", bytes: "f64", fromGuest: "f64", toGuest: "f64", dropped: "f64",
    });
  }

  connect(): void {
    const { machine, domain, spec } = this.place;
    const here = domain.components.findIndex((c) => c.path === spec.path);
    const below = domain.components.slice(here + 1).find((c) => c.type === "bridge" || c.type === "nat");
    if (below === undefined) throw new Error(`${spec.path} has no bridge and no NAT below it.`);
    this.switch = machine.placed(below.path) as PlacedModel & FrameSwitch;
  }

  /** A guest's interface, before it is connected. @param guestLine its event-channel port @returns the interface's number */
  attach(guest: Netfront, domain: DomainPlace, guestLine: number): number {
    const { machine, domain: own } = this.place;
    // The guests' interfaces attach in whatever order components are connected; the switch is found here for those that come before.
    if (this.vifs.length === 0) this.connect();
    // What is kept for the guest is this domain's memory, and dies with it.
    return machine.kernel.store.within(own.path, () => this.add(guest, domain, guestLine));
  }

  private add(guest: Netfront, domain: DomainPlace, guestLine: number): number {
    const { machine, domain: own, spec } = this.place;
    const { cpus, costs, kernel: { store } } = machine;
    const number = this.vifs.length;
    const name = domain.path.slice(domain.path.lastIndexOf("/") + 1);
    const latency = costs.latency("event to a vCPU");
    const vcpu = cpus.vcpusOf(own.id)[0]!;
    const address = (): number => {
      const stack = domain.components.find((c) => c.type === "tcpip");
      return stack === undefined ? 0 : (machine.placed(stack.path) as TcpIp).ip;
    };
    this.vifs.push({
      guest, domain, guestLine,
      line: cpus.addLine(vcpu, this.id, Op.interrupt, number, latency),
      watch: cpus.addLine(vcpu, this.id, Op.watch, number, latency),
      thread: cpus.addThread(own.id, `vif-${name}-guest-rx`),
      port: this.switch.attach({
        path: domain.path, mac: guest.mac, mtu: NETBACK_MTU, address,
        spendDeliver: (packet) => this.spendDeliver(packet), deliver: (packet) => this.deliver(number, packet),
      }),
      taken: new Ring(store, `frames from ${domain.path} in ${spec.path}`, BATCH),
      ids: new Ring(store, `requests of ${domain.path} in ${spec.path}`, BATCH, "room"),
      queue: new Ring(store, `frames to ${domain.path} in ${spec.path}`, QUEUE_FRAMES),
    });
    const v = this.state.alloc();
    this.state.transmitMapping[v] = this.state.receiveMapping[v] = NONE;
    return number;
  }

  isConnected(v: number): boolean {
    return this.state.connected[v] === 1;
  }

  published(v: number, address: number, protocol: number, port: number): { readonly address: number; readonly port: number } {
    return this.switch.published(this.vifs[v]!.port, address, protocol, port);
  }

  /** The guest has granted its rings: the watch on its state in the Xenstore fires. */
  offered(v: number): void {
    this.place.machine.cpus.raise(this.vifs[v]!.watch);
  }

  /** The guest's hypercall has sent an event. */
  notify(v: number): void {
    this.place.machine.cpus.raise(this.vifs[v]!.line);
  }

  // --- From a guest -------------------------------------------------------------------------------------------------

  private poll(v: number): void {
    if (this.state.polling[v] === 1 || !this.isConnected(v)) return;
    this.state.polling[v] = 1;
    this.place.machine.cpus.post(this.softirq, this.id, Op.build, v);
  }

  /** A round of polling: one hypercall copies every frame that is there, up to a batch. */
  private spendBuild(v: number): void {
    const { cpus, costs, packets } = this.place.machine;
    const ring = this.vifs[v]!.guest.transmitRing;
    const n = this.isConnected(v) ? Math.min(BATCH, ring.requests) : 0;
    cpus.note(n);
    cpus.spend(this.fn.xenvif_poll);
    if (n === 0) return;
    let bytes = 0;
    for (let i = 0; i < n; i++) bytes += packets.frameLength(ring.packet(ring.requestAt(i)));
    const first = ring.packet(ring.requestAt(0));
    cpus.spendTime(this.fn.xenvif_tx_build_gops, n * costs.of(this.fn.xenvif_tx_build_gops, 0), first, n);
    this.grants.spendCopy(bytes, n, first);
  }

  private build(v: number, n: number): void {
    const { cpus } = this.place.machine;
    const { guest, taken, ids } = this.vifs[v]!;
    const ring = guest.transmitRing;
    if (!this.isConnected(v)) {
      this.state.polling[v] = 0;
      return;
    }
    if (n === 0) {
      // The last look after asking to be told (`xenvif_napi_schedule_or_enable_events`).
      if (ring.finalCheckForRequests()) cpus.post(this.softirq, this.id, Op.build, v);
      else this.state.polling[v] = 0;
      return;
    }
    for (let i = 0; i < n; i++) {
      const entry = ring.takeRequest();
      // The hypervisor refuses what was not granted: the guest gets the error, nobody the frame.
      if (this.grants.mayUse(this.by, this.domain, ring.grant(entry), false)) {
        taken.push(ring.packet(entry));
        ids.push(ring.id(entry));
      } else {
        this.respond(v, ring.id(entry));
      }
    }
    if (taken.count > 0) cpus.call(this.softirq, this.id, Op.submit, v);
    else cpus.post(this.softirq, this.id, Op.build, v);
  }

  private submit(v: number): void {
    const { cpus } = this.place.machine;
    const { taken, ids, port } = this.vifs[v]!;
    const packet = taken.shift();
    this.state.fromGuest[v]!++;
    if (taken.count > 0) cpus.call(this.softirq, this.id, Op.submit, v);
    else cpus.post(this.softirq, this.id, Op.build, v);
    this.respond(v, ids.shift());
    this.switch.forward(port, packet);
  }

  /** The page of a request is the guest's again. */
  private respond(v: number, id: number): void {
    if (!this.isConnected(v)) return;
    const { transmitRing } = this.vifs[v]!.guest;
    transmitRing.putResponse(id, NONE);
    if (transmitRing.pushResponses()) this.tell(this.softirq, v, 0);
  }

  private tell(thread: number, v: number, ring: number): void {
    this.place.machine.cpus.call(thread, this.id, Op.notify, v, ring);
  }

  // --- To a guest ---------------------------------------------------------------------------------------------------

  private spendDeliver(packet: number): void {
    const { cpus } = this.place.machine;
    const before = cpus.enter(this.id);
    cpus.spend(this.fn.xenvif_start_xmit, packet);
    cpus.enter(before);
  }

  private deliver(v: number, packet: number): void {
    const { kernel, packets } = this.place.machine;
    const { queue } = this.vifs[v]!;
    const { state } = this;
    const room = state.bytes[v]! <= QUEUE_BYTES + STOPPED_FRAMES * NETBACK_MTU && queue.count < QUEUE_FRAMES;
    if (!room || !this.isConnected(v)) {
      state.dropped[v]!++;
      kernel.mark(this.fn[room ? "guest not connected" : "queue to guest full"], this.id, this.by.context, kernel.now, 0, packet);
      return;
    }
    queue.push(packet);
    state.bytes[v]! += packets.frameLength(packet);
    this.kick(v);
  }

  /** `xenvif_kick_thread`, where there is something to do. */
  private kick(v: number): void {
    const { guest, queue, thread } = this.vifs[v]!;
    if (this.state.receiving[v] === 1 || queue.count === 0 || !this.isConnected(v)) return;
    if (guest.receiveRing.requests === 0 && guest.receiveRing.finalCheckForRequests() === false) return;
    this.state.receiving[v] = 1;
    this.place.machine.cpus.post(thread, this.id, Op.receive, v);
  }

  private spendReceive(v: number): void {
    const { cpus, costs, packets } = this.place.machine;
    const { guest, queue } = this.vifs[v]!;
    const n = this.isConnected(v) ? Math.min(BATCH, queue.count, guest.receiveRing.requests) : 0;
    cpus.note(n);
    cpus.spend(this.fn.xenvif_kthread_guest_rx);
    if (n === 0) return;
    let bytes = 0;
    for (let i = 0; i < n; i++) bytes += packets.frameLength(queue.at(i));
    cpus.spendTime(this.fn.xenvif_rx_action, n * costs.of(this.fn.xenvif_rx_action, 0), queue.peek(), n);
    this.grants.spendCopy(bytes, n, queue.peek());
  }

  private receive(v: number, n: number): void {
    const { packets } = this.place.machine;
    const { guest, queue, thread } = this.vifs[v]!;
    const ring = guest.receiveRing;
    if (!this.isConnected(v)) {
      this.state.receiving[v] = 0;
      return;
    }
    for (let i = 0; i < n; i++) {
      const packet = queue.shift();
      this.state.bytes[v]! -= packets.frameLength(packet);
      const entry = ring.takeRequest();
      const mayWrite = this.grants.mayUse(this.by, this.domain, ring.grant(entry), true);
      ring.putResponse(ring.id(entry), mayWrite ? packet : NONE);
      if (mayWrite) this.state.toGuest[v]!++;
    }
    if (n > 0) {
      this.place.machine.cpus.call(thread, this.id, Op.receive, v);
      if (ring.pushResponses()) this.tell(thread, v, 1);
      return;
    }
    // Before it sleeps the thread asks to be told of pages, and looks again.
    this.state.receiving[v] = 0;
    this.kick(v);
  }

  // --- Work ---------------------------------------------------------------------------------------------------------

  begin(op: number, v: number): void {
    const { cpus, packets } = this.place.machine;
    const { fn } = this;
    if (op === Op.interrupt) {
      cpus.spend(fn.xenvif_interrupt);
    } else if (op === Op.build) {
      this.spendBuild(v);
    } else if (op === Op.submit) {
      const { taken, port } = this.vifs[v]!;
      cpus.spend(fn.xenvif_tx_submit, taken.peek(), packets.frameLength(taken.peek()));
      this.switch.spendForward(port, taken.peek());
    } else if (op === Op.notify) {
      cpus.spend(fn.notify_remote_via_irq);
    } else if (op === Op.receive) {
      this.spendReceive(v);
    } else if (op === Op.watch) {
      cpus.spend(fn.frontend_changed);
    } else if (op === Op.disconnect) {
      cpus.spend(fn.xenvif_disconnect);
      this.grants.spendUnmap(2);
    } else {
      cpus.spend(fn.xenvif_connect);
      this.grants.spendMap(2);
    }
  }

  end(op: number, v: number, ring: number): void {
    const { cpus } = this.place.machine;
    const { guest, guestLine } = this.vifs[v]!;
    if (op === Op.interrupt) {
      if (guest.transmitRing.requests > 0) this.poll(v);
      this.kick(v);
    } else if (op === Op.build) {
      this.build(v, cpus.noted);
    } else if (op === Op.submit) {
      this.submit(v);
    } else if (op === Op.notify) {
      (ring === 0 ? guest.transmitRing : guest.receiveRing).countNotification();
      cpus.raise(guestLine);
    } else if (op === Op.receive) {
      this.receive(v, cpus.noted);
    } else if (op === Op.watch) {
      cpus.post(this.xenwatch, this.id, Op.connect, v);
    } else if (op === Op.disconnect) {
      this.unmapRings(v);
    } else {
      this.connectRings(v);
    }
  }

  /** `xenvif_connect`: both rings are mapped, and the carrier is on. */
  private connectRings(v: number): void {
    const { guest } = this.vifs[v]!;
    const [transmit, receive] = guest.ringGrants.map((grant) => (grant === NONE ? NONE : this.grants.map(this.by, this.domain, grant, true)));
    this.state.transmitMapping[v] = transmit!;
    this.state.receiveMapping[v] = receive!;
    if (transmit === NONE || receive === NONE) return this.unmapRings(v);
    this.state.connected[v] = 1;
    guest.connected();
    if (guest.transmitRing.requests > 0) this.poll(v);
  }

  /** `xenvif_disconnect`: the pages of a guest that is gone, or does not let all be mapped, are given back. */
  private unmapRings(v: number): void {
    const { state } = this;
    for (const column of [state.transmitMapping, state.receiveMapping]) {
      if (column[v] !== NONE) this.grants.unmap(column[v]!);
      column[v] = NONE;
    }
  }

  /** A guest is gone: its carrier is off at once, and what waits for it is thrown away. */
  peerDied(domain: DomainPlace): void {
    const { kernel, cpus } = this.place.machine;
    this.vifs.forEach((vif, v) => {
      if (vif.domain !== domain || !this.isConnected(v)) return;
      this.state.connected[v] = 0;
      for (let packet = vif.queue.shift(); packet !== NONE; packet = vif.queue.shift()) {
        this.state.dropped[v]!++;
        kernel.mark(this.fn["guest not connected"], this.id, this.by.context, kernel.now, 0, packet);
      }
      this.state.bytes[v] = 0;
      cpus.post(this.xenwatch, this.id, Op.disconnect, v);
    });
  }

  fire(): void {}

  describe(): Scope[] {
    const plain = (name: string, number: number): Variable => ({ name, value: `${number}`, number });
    return [{
      name: "netback",
      variables: this.vifs.map(({ domain, guest, queue }, v) => ({
        name: domain.path, value: this.isConnected(v) ? `${queue.count} frames wait for it` : "not connected", number: queue.count,
        children: [
          guest.transmitRing.describe("tx ring"), guest.receiveRing.describe("rx ring"), plain("frames from it", this.state.fromGuest[v]!),
          plain("frames to it", this.state.toGuest[v]!), plain("frames waiting", queue.count), plain("bytes waiting", this.state.bytes[v]!), plain("dropped", this.state.dropped[v]!),
        ],
      })),
    }];
  }

  /** For checks: by guest, whether either side of it is at work or an event is on its way to it. */
  atWork(v: number): { readonly polling: boolean; readonly receiving: boolean } {
    return { polling: this.state.polling[v] === 1, receiving: this.state.receiving[v] === 1 };
  }

  /** The guests' interfaces, in order. */
  get guests(): readonly Netfront[] {
    return this.vifs.map(({ guest }) => guest);
  }
}
