import type { Variable } from "../inspect";
import type { DomainPlace, Machine } from "../machine/machine";
import type { ServiceRegistry } from "../machine/serviceRegistry";
import { formatIpv4 } from "../network/addresses";
import { AddressClaim } from "./addressClaim";
import type { NetworkInterface } from "./interface";

/** Ops of the network server's component that change its interface's addresses. All take an application's index. */
export const AddressOp = { asked: 200, remove: 201, tell: 202, add: 203, done: 204, claim: 205 } as const;

/** What the application's side of a switch hears of the server's. */
export interface SwitchedApplication {
  /** Whether the server has, or is to have, the application's address. */
  readonly isAtServer: boolean;
  /** The server's interface has given the application's address up: an event to the application. */
  addressRemoved(): void;
  /** The server's adapter has the application's address again, and has announced it. */
  serverReady(): void;
}

/** The addresses that a server has to give; 0: none of its own, and every application brings one along. */
export interface ServersOwn {
  /** Its interface's, which the applications share that always go through it. */
  readonly shared: number;
  /** How many addresses after that are for those that can switch to direct access. */
  readonly pool: number;
  /** How often its interface asks whether an address is somebody else's before it takes it: see {@link AddressClaim}. */
  readonly probes: number;
}

/**
 * The addresses of a network server's interface (LibrettOS 3.3): the one that it shares among its applications, and, as aliases, those of
 * applications with an address of their own, which those need that can switch to direct access: "the network server adds the IP to the
 * list of configured addresses for its IF". These come from a pool, and go back to it when the application is gone. A switch to direct
 * access begins with taking one away, the way back ends with adding it; frames in between find an interface that does not own the address.
 */
export class ServerAddresses {
  private readonly state;
  private readonly refused;
  private readonly fn;
  private readonly claims: AddressClaim;
  private readonly applications: { readonly domain: DomainPlace; readonly address: () => number; switched: SwitchedApplication }[] = [];

  /** @param domain the server's @param thread runs `ifconfig` @param wire the interface */
  constructor(
    private readonly machine: Machine, private readonly domain: DomainPlace, private readonly component: number, path: string, private readonly thread: number,
    wire: () => NetworkInterface, private readonly registry: ServiceRegistry, private readonly own: ServersOwn,
  ) {
    const { kernel } = machine;
    this.state = kernel.store.table(`addresses of ${path}`, { active: "u8", wanted: "u8", switching: "u8" });
    // For people: what is counted outlives the server.
    this.refused = kernel.store.within(undefined, () => kernel.store.table(`frames refused by ${path}`, { frames: "f64" }));
    this.fn = kernel.functions({
      backend_switch_handler: { file: "platform/hw/xen/backend.c", kind: "interrupt", tally: "interrupt" },
      in_control: { file: "sys/netinet/in.c", kind: "ip" },
      in_purgeaddr: { file: "sys/netinet/in.c", kind: "ip" },
      in_ifinit: { file: "sys/netinet/in.c", kind: "ip" },
      backend_switched: { file: "platform/hw/xen/backend.c", kind: "server" },
      minios_notify_remote_via_evtchn: { file: "platform/hw/xen/events.c", kind: "hypervisor", tally: "notification" },
      "address not on this interface": { kind: "drop", a: "application" },
    });
    this.claims = new AddressClaim(machine, component, path, thread, AddressOp.claim, own.probes, {
      address: (a) => this.applications[a]!.address(), wire, claimed: (a) => this.claimed(a), refused: (a) => this.claimed(a, false),
    });
  }

  /** An application's address. Applications are numbered as they come. */
  addApplication(domain: DomainPlace, address: () => number, switched: SwitchedApplication): void {
    this.state.alloc();
    this.refused.alloc();
    this.claims.add();
    this.applications.push({ domain, address, switched });
  }

  /**
   * The server boots. When the machine is switched on, it has the addresses of those that are not elsewhere, and the neighbours know; one that boots
   * anew has the one that is shared, for those who run. All others come, and are announced, when their applications connect: an address may have been elsewhere when the server died.
   */
  start(): void {
    const { state, machine: { cpus, lifecycle } } = this;
    const isAnew = lifecycle.historyOf(this.domain).boots > 0;
    this.applications.forEach(({ domain, switched, address }, a) => {
      const has = isAnew ? this.isShared(address()) && cpus.isOn(domain.id) : switched.isAtServer;
      state.active[a] = state.wanted[a] = has ? 1 : 0;
    });
  }

  /** Whether it is the address that applications share. */
  isShared(address: number): boolean {
    return address === this.own.shared && address !== 0;
  }

  /** The application is gone, and its address with it. */
  withdraw(application: number): void {
    this.state.active[application] = this.state.switching[application] = 0;
    this.claims.stop(application);
  }

  /** The application has connected, also again after one of both was restarted: where its frames go decides. An address that comes back is announced. */
  connected(application: number): void {
    const { state } = this;
    const { switched, address } = this.applications[application]!;
    const isActive = switched.isAtServer;
    const isOfPool = this.own.shared !== 0 && address() > this.own.shared && address() <= this.own.shared + this.own.pool;
    if (isOfPool) this.registry.takeAddress(application, address());
    const isBack = isActive && state.active[application] === 0 && !this.isShared(address());
    state.active[application] = state.wanted[application] = isActive ? 1 : 0;
    if (isBack) this.claims.announce(application);
  }

  isActive(application: number): boolean {
    return this.state.active[application] === 1;
  }

  /** Frames of or for the application that came while its address was elsewhere. */
  refusedOf(application: number): number {
    return this.refused.frames[application]!;
  }

  /** Drops a frame that is from or to an address which the interface does not have, and marks it. */
  refuse(application: number, packet: number, context: number): void {
    const { kernel } = this.machine;
    this.refused.frames[application]!++;
    kernel.mark(this.fn["address not on this interface"], this.component, context, kernel.now, 0, packet, application);
  }

  /** Somebody is about to raise the line that leads to `asked`: the address shall be at the interface, or not. */
  want(application: number, active: boolean): void {
    this.state.wanted[application] = active ? 1 : 0;
  }

  begin(op: number, a: number): void {
    const { cpus } = this.machine;
    const { fn } = this;
    if (op >= AddressOp.claim) return this.claims.spend(op, a);
    if (op === AddressOp.asked) cpus.spend(fn.backend_switch_handler);
    else if (op === AddressOp.tell) cpus.spend(fn.minios_notify_remote_via_evtchn);
    else if (op === AddressOp.done) cpus.spend(fn.backend_switched);
    else {
      cpus.spend(fn.in_control);
      cpus.spend(op === AddressOp.remove ? fn.in_purgeaddr : fn.in_ifinit);
    }
  }

  end(op: number, a: number): void {
    const { cpus } = this.machine;
    const { thread, component, state } = this;
    if (op >= AddressOp.claim) return this.claims.end(op, a);
    if (op === AddressOp.asked) {
      cpus.post(thread, component, state.wanted[a] === 1 ? AddressOp.add : AddressOp.remove, a);
    } else if (op === AddressOp.remove) {
      state.active[a] = 0;
      this.claims.stop(a);
      cpus.call(thread, component, AddressOp.tell, a);
    } else if (op === AddressOp.tell) {
      this.applications[a]!.switched.addressRemoved();
    } else if (op === AddressOp.add) {
      state.switching[a] = 1;
      this.claims.begin(a, thread);
    } else {
      this.applications[a]!.switched.serverReady();
    }
  }

  /** The address is at the interface, and the neighbours know; or it is somebody else's. */
  private claimed(a: number, ok = true): void {
    const { state, thread, component, machine: { cpus } } = this;
    state.active[a] = ok ? 1 : 0;
    if (state.switching[a] === 0) return;
    state.switching[a] = 0;
    cpus.call(thread, component, AddressOp.done, a);
  }

  /** A timer of the claim. */
  fire(a: number): void {
    this.claims.fire(a);
  }

  /** An ARP packet has come to the interface. */
  hear(packet: number): void {
    for (let a = 0; a < this.applications.length; a++) this.claims.hear(a, packet);
  }

  /** Longest time that claiming an address takes, picoseconds. */
  get longestClaim(): number {
    return this.claims.longest;
  }

  describe(): Variable {
    const { shared, pool } = this.own;
    const active = this.applications.filter((_, a) => this.isActive(a));
    const taken = Array.from({ length: shared === 0 ? 0 : pool }, (_, i) => shared + 1 + i).filter((address) => this.registry.isTaken(address)).length;
    const own = shared === 0 ? [] : [{ name: "shared", value: formatIpv4(shared) }, { name: "pool", value: `${taken} of ${pool} taken`, number: taken }];
    return {
      name: "addresses", value: `${active.length} of ${this.applications.length} applications`, number: active.length,
      children: [...own, ...this.applications.map(({ domain: { path }, address }, a) => ({ name: path, value: this.isActive(a) ? formatIpv4(address()) : `not here: ${formatIpv4(address())}` }))],
    };
  }
}
