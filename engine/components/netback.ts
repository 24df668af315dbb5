import { NETBACK_MTU } from "../design/mtu";
import type { Scope, Variable } from "../inspect";
import { Ring } from "../kernel/ring";
import { sharedThread, type DomainPlace, type PlacedModel, type Placement } from "../machine/machine";
import { RING_ENTRIES } from "../machine/sharedRing";
import { NONE } from "../trace/trace";
import type { FrameSwitch } from "./frameSwitch";
import { netbackFunctions, receiveWays } from "./netbackFunctions";
import { NetbackReceive } from "./netbackReceive";
import { NetbackTransmit } from "./netbackTransmit";
import { NetbackOp as Op, backendSchema, type Backend, type BackendVif } from "./netbackVif";
import type { Netfront } from "./netfront";
import type { TcpIp } from "./tcpip";

/**
 * The driver domain's end of Xen's network path, as Linux (`drivers/net/xen-netback`) and NetBSD (`xennetback_xenbus.c`) have it: for every
 * guest a virtual interface that a bridge or router sends to. What a guest sends is {@link NetbackTransmit}'s, what it receives
 * {@link NetbackReceive}'s. Both sides notify each other only where the other asked for it.
 */
export class Netback implements PlacedModel {
  readonly id: number;
  readonly domain: number;
  private readonly backend: Backend;
  private readonly transmit: NetbackTransmit;
  private readonly receive: NetbackReceive;
  private readonly xenwatch: number;
  private readonly vifs: BackendVif[] = [];
  private switch!: FrameSwitch;

  constructor(private readonly place: Placement) {
    const { machine, domain, spec } = place;
    const { kernel, cpus } = machine;
    this.id = kernel.component(spec.path, spec.type, domain.host, domain.path, this);
    this.domain = domain.id;
    const fn = kernel.functions(netbackFunctions[domain.system]);
    const grants = machine.grants.get(domain.host);
    if (grants === undefined) throw new Error(`${spec.path} has no hypervisor to map grants by.`);
    const softirq = sharedThread(machine, domain, domain.system === "linux" ? "ksoftirqd" : "softint-net", 0);
    this.xenwatch = sharedThread(machine, domain, "xenwatch");
    this.backend = {
      machine, component: this.id, domain: domain.id, grants, fn, softirq, vifs: this.vifs, by: { component: this.id, context: cpus.contextOf(softirq) },
      state: kernel.store.table(`vifs of ${spec.path}`, backendSchema),
      switch: () => this.switch, tell: (thread, v, ring) => cpus.call(thread, this.id, Op.notify, v, ring),
    };
    this.transmit = new NetbackTransmit(this.backend, domain.system, spec.path, domain.path);
    this.receive = new NetbackReceive(this.backend, receiveWays[domain.system], this.transmit.loans);
    if (this.transmit.loans !== undefined) machine.loans.set(domain.id, this.transmit.loans);
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
    const { state } = this.backend;
    const number = this.vifs.length;
    const name = domain.path.slice(domain.path.lastIndexOf("/") + 1);
    const latency = costs.latency("event to a vCPU");
    const vcpu = cpus.vcpusOf(own.id)[0]!;
    const address = (): number => {
      const stack = domain.components.find((c) => c.type === "tcpip");
      return stack === undefined ? 0 : (machine.placed(stack.path) as TcpIp).ip;
    };
    const isLinux = own.system === "linux";
    const { frames, before } = receiveWays[own.system];
    const thread = isLinux ? cpus.addThread(own.id, `vif-${name}-guest-rx`) : this.backend.softirq;
    this.vifs.push({
      guest, domain, guestLine, thread,
      releaser: isLinux ? cpus.addThread(own.id, `vif-${name}-dealloc`) : thread,
      line: cpus.addLine(vcpu, this.id, Op.interrupt, number, latency),
      watch: cpus.addLine(vcpu, this.id, Op.watch, number, latency),
      port: this.switch.attach({
        path: domain.path, mac: guest.mac, mtu: NETBACK_MTU, address,
        spendDeliver: (packet) => this.receive.spendDeliver(packet), deliver: (packet) => this.receive.deliver(number, packet),
      }),
      taken: new Ring(store, `frames from ${domain.path} in ${spec.path}`, RING_ENTRIES),
      released: new Ring(store, `pages of ${domain.path} to unmap in ${spec.path}`, RING_ENTRIES),
      queue: new Ring(store, `frames to ${domain.path} in ${spec.path}`, frames + before),
    });
    const v = state.alloc();
    state.transmitMapping[v] = state.receiveMapping[v] = NONE;
    return number;
  }

  isConnected(v: number): boolean {
    return this.backend.state.connected[v] === 1;
  }

  published(v: number, address: number, protocol: number, port: number, asker: string): { readonly address: number; readonly port: number } {
    return this.switch.published(this.vifs[v]!.port, address, protocol, port, asker);
  }

  /** The guest has granted its rings: the watch on its state in the Xenstore fires. */
  offered(v: number): void {
    this.place.machine.cpus.raise(this.vifs[v]!.watch);
  }

  /** The guest's hypercall has sent an event. */
  notify(v: number): void {
    this.place.machine.cpus.raise(this.vifs[v]!.line);
  }

  // --- Work ---------------------------------------------------------------------------------------------------------

  begin(op: number, v: number): void {
    const { machine: { cpus }, fn, grants } = this.backend;
    if (op === Op.interrupt) cpus.spend(fn.interrupt);
    else if (op === Op.build) this.transmit.spendBuild(v);
    else if (op === Op.submit) this.transmit.spendSubmit(v);
    else if (op === Op.release) this.transmit.spendRelease(v);
    else if (op === Op.notify) cpus.spend(fn.notify);
    else if (op === Op.receive) this.receive.spendReceive(v);
    else if (op === Op.watch) cpus.spend(fn.changed);
    else if (op === Op.disconnect) {
      cpus.spend(fn.disconnect);
      grants.spendUnmap(2);
    } else {
      cpus.spend(fn.connect);
      grants.spendMap(2);
    }
  }

  end(op: number, v: number, ring: number): void {
    const { machine: { cpus } } = this.backend;
    const { guest, guestLine } = this.vifs[v]!;
    if (op === Op.interrupt) {
      if (guest.transmitRing.requests > 0) this.transmit.poll(v);
      this.receive.kick(v);
    } else if (op === Op.build) {
      this.transmit.build(v, cpus.noted);
    } else if (op === Op.submit) {
      this.transmit.submit(v);
    } else if (op === Op.release) {
      this.transmit.release(v, cpus.noted);
    } else if (op === Op.notify) {
      (ring === 0 ? guest.transmitRing : guest.receiveRing).countNotification();
      cpus.raise(guestLine);
    } else if (op === Op.receive) {
      this.receive.receive(v, cpus.noted);
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
    const { state, grants, by, domain } = this.backend;
    const { guest } = this.vifs[v]!;
    const [transmit, receive] = guest.ringGrants.map((grant) => (grant === NONE ? NONE : grants.map(by, domain, grant, true)));
    state.transmitMapping[v] = transmit!;
    state.receiveMapping[v] = receive!;
    if (transmit === NONE || receive === NONE) return this.unmapRings(v);
    state.connected[v] = 1;
    state.epoch[v] = (state.epoch[v]! + 1) & 0xffff;
    guest.connected();
    if (guest.transmitRing.requests > 0) this.transmit.poll(v);
  }

  /** `xenvif_disconnect`: the rings of a guest that is gone, or does not let all be mapped, are given back. */
  private unmapRings(v: number): void {
    const { state, grants } = this.backend;
    for (const column of [state.transmitMapping, state.receiveMapping]) {
      if (column[v] !== NONE) grants.unmap(column[v]!);
      column[v] = NONE;
    }
  }

  /** A guest is gone: its carrier is off at once, and what waits for it is thrown away. */
  peerDied(domain: DomainPlace): void {
    this.vifs.forEach((vif, v) => {
      if (vif.domain !== domain || !this.isConnected(v)) return;
      this.backend.state.connected[v] = 0;
      this.receive.flush(v);
      this.place.machine.cpus.post(this.xenwatch, this.id, Op.disconnect, v);
    });
  }

  fire(): void {}

  describe(): Scope[] {
    const { state } = this.backend;
    const plain = (name: string, number: number): Variable => ({ name, value: `${number}`, number });
    return [{
      name: "netback",
      variables: this.vifs.map(({ domain, guest, queue }, v) => ({
        name: domain.path, value: this.isConnected(v) ? `${queue.count} frames wait for it` : "not connected", number: queue.count,
        children: [
          guest.transmitRing.describe("tx ring"), guest.receiveRing.describe("rx ring"), plain("frames from it", state.fromGuest[v]!),
          plain("frames in its pages", this.lent(v)), plain("frames to it", state.toGuest[v]!), plain("frames waiting", queue.count),
          plain("of them before its queue", state.waiting[v]!), plain("bytes in its queue", state.bytes[v]!), plain("dropped", state.dropped[v]!),
        ],
      })),
    }];
  }

  /** For checks: by guest, whether either side of it is at work or an event is on its way to it. */
  atWork(v: number): { readonly polling: boolean; readonly receiving: boolean } {
    const { state } = this.backend;
    return { polling: state.polling[v] === 1, receiving: state.receiving[v] === 1 };
  }

  /** The guests' interfaces, in order. */
  get guests(): readonly Netfront[] {
    return this.vifs.map(({ guest }) => guest);
  }

  /** Frames of a guest that are under way in its pages. */
  lent(v: number): number {
    return this.transmit.loans?.countOf(v) ?? 0;
  }
}
