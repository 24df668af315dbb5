import type { Variable } from "../inspect";
import { Priority } from "../kernel/queue";
import { sharedThread, type Placement } from "../machine/machine";
import { NONE } from "../trace/trace";
import type { SwitchedApplication } from "./serverAddresses";
import type { Ixgbe } from "./ixgbe";
import type { TcpIp } from "./tcpip";

/** Ops of the VIF's component that switch its uplink. */
export const SwitchOp = { asked: 200, configure: 201, rest: 202, redirect: 203, deconfigure: 204, tell: 205, done: 206 } as const;

/** Longest time that one row of the rest stands for, picoseconds. */
const PIECE = 4e9;

/** How a switch ended. */
export type SwitchEnd = "done" | "failed" | "server died";

/** What of the server's is waited for: that it has given the address up, or has it. */
const Awaited = { nothing: 0, removal: 1, addition: 2 } as const;

/** What the VIF's switching needs of the server at the other end of the channel. */
export interface ServerSide {
  /** Has the application's address added to the server's interface: raises the server's line. @returns false where there is no server */
  askForAddress(): boolean;
}

/**
 * The application's end of a dynamic mode switch (LibrettOS 3.3, Figure 6): which way the VIF's frames go, through the rings to the
 * network server or to a driver below, and the steps from one to the other, on a thread of their own (`frontend_switcher`).
 *
 * To direct access: the server's interface has given the application's address up, and says so by an event; the driver's interface is
 * configured with the same address and comes up; the address is claimed there, by an announcement that invalidates what neighbours know, and by
 * probes before it where the stack sends them; frames go through the driver, whose address the VIF takes on and announces. To the server:
 * the same steps in the reverse order. Nothing waits for what is on its way.
 *
 * A server that dies while it is asked for something never answers: the switch ends then, and the next server finds the address where the
 * application's frames go.
 */
export class VifSwitch implements SwitchedApplication {
  /** Event-channel port that switches come by. */
  readonly line: number;
  private readonly state;
  private readonly fn;
  private readonly thread: number;
  private drivers: readonly Ixgbe[] = [];
  private stack: TcpIp | undefined = undefined;
  private server!: ServerSide;
  /** Told when a switch has ended: the toolstack. */
  onEnd: (end: SwitchEnd) => void = () => {};
  /** Told of the first datagram after it. */
  onResume: () => void = () => {};

  constructor(private readonly place: Placement, private readonly component: number) {
    const { machine, domain } = place;
    const { kernel, cpus, costs } = machine;
    this.fn = kernel.functions({
      frontend_switch_handler: { file: "platform/hw/xen/frontend.c", kind: "interrupt", tally: "interrupt" },
      frontend_switcher: { file: "platform/hw/xen/frontend.c", kind: "vif" },
      rump_virtif_switch: { file: "platform/hw/librumpnet_xenif/if_virt.c", kind: "vif", a: "uplink" },
      in_control: { file: "sys/netinet/in.c", kind: "ip" },
      in_purgeaddr: { file: "sys/netinet/in.c", kind: "ip" },
      in_ifinit: { file: "sys/netinet/in.c", kind: "ip" },
      minios_notify_remote_via_evtchn: { file: "platform/hw/xen/events.c", kind: "hypervisor", tally: "notification" },
      "rest of a switch to direct": { kind: "thread" },
      "rest of a switch to the server": { kind: "thread" },
    });
    // `via`, `target`, `left` (the one whose interface goes down): 0 the server, else a driver's number plus one. `fresh`: its function has just been
    // assigned. `server`: what of its is waited for.
    this.state = kernel.store.scalars(`uplink of ${place.spec.path}`, ["via", "target", "left", "fresh", "failed", "switches", "frames", "bytes", "awaited", "server"]);
    this.thread = sharedThread(machine, domain, "frontend_switcher", -1);
    this.line = cpus.addLine(cpus.vcpusOf(domain.id)[0]!, component, SwitchOp.asked, 0, costs.latency("event to a vCPU"));
    const { switchable } = domain;
    if (switchable?.vif === place.spec) this.state.via = this.state.target = switchable.drivers.findIndex(({ path }) => path === domain.activeUplink) + 1;
  }

  connect(server: ServerSide): void {
    const { machine, domain, spec } = this.place;
    this.server = server;
    const stack = domain.components.find(({ type }) => type === "tcpip");
    if (domain.switchable?.vif !== spec || stack === undefined) return;
    this.stack = machine.placed(stack.path) as TcpIp;
    this.drivers = domain.switchable.drivers.map(({ path }) => machine.placed(path) as Ixgbe);
    for (const driver of this.drivers) driver.onSetup = (ok) => this.driverReady(ok);
    this.stack.addressing.move = { interface: () => this.drivers[Math.max(this.state.target, this.state.via) - 1], ended: (ok) => this.claimed(ok) };
  }

  /** The driver that frames go to; undefined: they go to the server. */
  get driver(): Ixgbe | undefined {
    const { via } = this.state;
    return via === 0 ? undefined : this.drivers[via - 1];
  }

  /** Whether the server has, or is to have, the application's address. */
  get isAtServer(): boolean {
    return this.state.via === 0 && this.state.target === 0;
  }

  /** 0: the server, else a driver's number among the uplinks, plus one. */
  get via(): number {
    return this.state.via;
  }

  driverAt(uplink: number): Ixgbe {
    return this.drivers[uplink - 1]!;
  }

  /** Counts a frame that the application sends, whichever way. */
  count(packet: number): void {
    const { state, place: { machine: { packets } } } = this;
    state.frames++;
    state.bytes += packets.frameLength(packet);
  }

  /** Counts a frame that it gets. The first datagram after a switch shows that its peers have found it. */
  countReceived(packet: number): void {
    this.count(packet);
    if (this.state.awaited === 0 || this.place.machine.packets.isArp(packet)) return;
    this.state.awaited = 0;
    this.onResume();
  }

  /** Frames and bytes so far, both directions. */
  get traffic(): { readonly frames: number; readonly bytes: number } {
    return { frames: this.state.frames, bytes: this.state.bytes };
  }

  /** The toolstack wants the uplink changed; an event follows, from itself or from the server. @param fresh the driver's function has just been assigned */
  want(uplink: number, fresh: boolean): void {
    this.state.target = uplink;
    this.state.fresh = fresh ? 1 : 0;
    this.state.failed = 0;
    this.state.server = uplink === 0 ? Awaited.nothing : Awaited.removal;
  }

  /** Whether the application uses a driver, is about to, or takes its interface down yet. @param uplink not the server */
  drives(uplink: number): boolean {
    const { via, target, left } = this.state;
    return uplink === via || uplink === target || uplink === left;
  }

  /**
   * The toolstack does not wait for the switch any more. Where the server has not given the address up yet, the application keeps it: it does not
   * touch the driver any more, and asks for the address should it hear that it is gone. What it has begun itself it goes on with.
   * @returns whether the server is to keep the address
   */
  giveUp(): boolean {
    const { state } = this;
    if (state.server !== Awaited.removal) return false;
    state.target = state.via;
    state.failed = 1;
    return true;
  }

  /** What it was asked for it does not do any more. */
  serverDied(): void {
    const { state } = this;
    if (state.server === Awaited.nothing) return;
    state.target = state.via;
    this.ended("server died");
  }

  // --- Steps --------------------------------------------------------------------------------------------------------

  begin(op: number): void {
    const { cpus } = this.place.machine;
    const { fn } = this;
    if (op === SwitchOp.asked) return cpus.spend(fn.frontend_switch_handler);
    if (op === SwitchOp.redirect) return cpus.spend(fn.rump_virtif_switch, NONE, this.state.target);
    if (op === SwitchOp.tell) return cpus.spend(fn.minios_notify_remote_via_evtchn);
    if (op === SwitchOp.done) return cpus.spend(fn.frontend_switcher);
    cpus.spend(fn.in_control);
    cpus.spend(op === SwitchOp.configure ? fn.in_ifinit : fn.in_purgeaddr);
  }

  end(op: number): void {
    const { cpus } = this.place.machine;
    const { state, thread, component } = this;
    const target = state.target;
    if (op === SwitchOp.asked) {
      // The server's event may come when the switch has been given up.
      cpus.post(thread, component, target === state.via ? SwitchOp.tell : target === 0 ? SwitchOp.redirect : SwitchOp.configure);
    } else if (op === SwitchOp.configure) {
      this.drivers[target - 1]!.up(thread, state.fresh === 1);
    } else if (op === SwitchOp.redirect) {
      this.redirect(target);
    } else if (op === SwitchOp.deconfigure) {
      this.drivers[state.left - 1]!.down(thread);
    } else if (op === SwitchOp.tell) {
      if (!this.server.askForAddress()) return this.ended("server died");
      state.server = Awaited.addition;
    } else {
      this.ended(state.failed === 1 ? "failed" : "done");
    }
  }

  /** The driver's interface has come up or gone down. */
  private driverReady(ok: boolean): void {
    const { kernel } = this.place.machine;
    const { state, component } = this;
    state.left = 0;
    if (!ok) {
      // There is no function to use: the server shall have the address back.
      state.failed = 1;
      state.target = 0;
    }
    kernel.schedule(this.restOf(state.target), Priority.timeout, component, SwitchOp.rest);
  }

  /** What the whole takes beyond the parts that are known: see the cost profile. */
  private restOf(target: number): number {
    return this.place.machine.costs.of(target === 0 ? this.fn["rest of a switch to the server"] : this.fn["rest of a switch to direct"], 0);
  }

  /** The rest is over. */
  fire(): void {
    const { kernel, cpus } = this.place.machine;
    const target = this.state.target;
    const time = this.restOf(target);
    const fn = target === 0 ? this.fn["rest of a switch to the server"] : this.fn["rest of a switch to direct"];
    // A row holds at most 4.29 ms of cost; a design may have it cost nothing, and there is a row all the same.
    let spent = 0;
    do {
      kernel.mark(fn, this.component, cpus.contextOf(this.thread), kernel.now - time + spent, Math.min(PIECE, time - spent));
      spent += PIECE;
    } while (spent < time);
    if (target === 0) cpus.post(this.thread, this.component, SwitchOp.tell);
    else this.stack!.addressing.claimAddress(this.thread);
  }

  /** The address is at the driver's interface now, or (`ok` false) somebody else's: then the interface goes down again, and the server shall have it back. */
  private claimed(ok: boolean): void {
    const { state, thread, component, place: { machine: { cpus } } } = this;
    if (ok) return cpus.call(thread, component, SwitchOp.redirect);
    state.failed = 1;
    state.left = state.target;
    state.target = 0;
    cpus.post(thread, component, SwitchOp.deconfigure);
  }

  /** Longest time that claiming the address at a driver's interface takes, picoseconds. */
  get longestClaim(): number {
    return this.stack?.addressing.longestClaim ?? 0;
  }

  private redirect(target: number): void {
    const { cpus } = this.place.machine;
    const { state, thread, component } = this;
    state.left = state.via;
    state.via = target;
    if (target === 0) {
      this.stack!.addressing.leaveAddress();
      cpus.call(thread, component, SwitchOp.deconfigure);
      return;
    }
    cpus.call(thread, component, SwitchOp.done);
    this.stack!.addressing.announce(thread);
  }

  addressRemoved(): void {
    this.state.server = Awaited.nothing;
    this.place.machine.cpus.raise(this.line);
  }

  serverReady(): void {
    // An address that comes back to the server where nobody has switched, as with a new application in the place of one that has died.
    if (this.state.server === Awaited.nothing || this.state.target !== 0) return;
    this.ended(this.state.failed === 1 ? "failed" : "done");
  }

  private ended(end: SwitchEnd): void {
    this.state.server = Awaited.nothing;
    this.state.switches++;
    this.state.awaited = 1;
    this.onEnd(end);
  }

  describe(): Variable {
    const { driver } = this;
    return {
      name: "uplink", value: driver === undefined ? "network server" : `direct, by ${driver.nic.functions[driver.f]?.path ?? "no function"}`, number: this.via,
      children: [
        { name: "switches", value: `${this.state.switches}`, number: this.state.switches },
        { name: "frames", value: `${this.state.frames}`, number: this.state.frames },
        { name: "bytes", value: `${this.state.bytes}`, number: this.state.bytes },
      ],
    };
  }
}
