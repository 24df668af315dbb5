import type { Ixgbe } from "../../components/ixgbe";
import type { Netserver } from "../../components/netserver";
import type { Vif } from "../../components/vif";
import { Priority } from "../../kernel/queue";
import { NONE } from "../../trace/trace";
import type { DomainPlace, Machine } from "../machine";
import { SwitchLog, type Outcome, type SwitchReport } from "./switchLog";

/** Ops of the toolstack's component that a switch goes on with. All take an application's index. */
export const SwitchesOp = { assigned: 2, deassigned: 3, timeout: 4, released: 5 } as const;
/** A switch that has not ended by then, beside what claiming the address takes at most, is given up: a domain that it needs hangs. Picoseconds. */
const PATIENCE = 2e12;
const EBUSY = 16;

/** What is being done for an application: a function is being assigned; the application, or its server, has been asked to switch. */
const Steps = { none: 0, assigning: 1, switching: 2 } as const;

/** An application whose uplink can be switched, as wired. */
interface Application {
  readonly domain: DomainPlace;
  readonly vif: Vif;
  readonly server: Netserver;
  /** The domain that the network server is in. */
  readonly serverDomain: DomainPlace;
}

/**
 * Switches of a host's applications, one at a time for each. What is asked for meanwhile waits, and only the last of it. Every request comes to one end,
 * which is a row of the log: done, nothing to do, superseded by a later one, or failed for a reason.
 *
 * A request that times out does not stop what the application is about: its steps are late then, and the next request waits for their end, again no
 * longer than a switch may take. The death of the application ends them, and so does that of the server where something is waited for that it was to do.
 *
 * Functions that no application has for good (Xen: `xl pci-attach`) are assigned for a switch, and taken back once at its end, however it ends, as
 * soon as the application's driver has let go of them: there are few ("conserve SR-IOV resources", LibrettOS 3.3).
 */
export class Switches {
  private readonly fn;
  /** How requests end: functions that leave a row of it. */
  private readonly ends: Partial<Record<Outcome, number>>;
  private readonly applications: Application[] = [];
  /** Rows are applications. */
  private readonly state;
  private readonly log: SwitchLog;

  /** @param component of whom the events are: the toolstack */
  constructor(private readonly machine: Machine, host: string, private readonly component: number, private readonly context: number) {
    const { kernel } = machine;
    this.fn = kernel.functions({
      assign_device: { file: "xen/drivers/passthrough/pci.c", kind: "hypervisor", a: "function" },
      deassign_device: { file: "xen/drivers/passthrough/pci.c", kind: "hypervisor", a: "function" },
      device_assigned: { file: "xen/drivers/passthrough/pci.c", kind: "violation", a: "errno" },
      "switch cannot begin": { kind: "violation" },
      "switch timed out": { kind: "timeout" },
      "switch failed": { kind: "violation" },
      "switch superseded": { kind: "hypervisor" },
      "nothing to switch": { kind: "hypervisor" },
      // Xenstore's watch of domains that are gone.
      "@releaseDomain": { file: "tools/xenstore/xenstored_domain.c", kind: "hypervisor" },
    });
    const failed = this.fn["switch failed"];
    this.ends = {
      "not running": this.fn["switch cannot begin"], "timed out": this.fn["switch timed out"], superseded: this.fn["switch superseded"],
      "nothing to do": this.fn["nothing to switch"], failed, "application died": failed, "server died": failed,
    };
    // `row`: of the log, plus one, of the request that is under way, `next` of the one after it, `last` of the last that was not refused. `to`: where
    // the steps lead. `timer`, `assigning`, `returning`: events, or −1; `returns`: the uplink whose function goes back.
    this.state = kernel.store.table(`applications that switch on ${host}`, {
      row: "u32", next: "u32", last: "u32", steps: "u8", to: "u8", returns: "u8", timer: "i32", assigning: "i32", returning: "i32",
    });
    this.log = new SwitchLog(kernel.store, host);
  }

  add(domain: DomainPlace, domains: readonly DomainPlace[]): void {
    const { machine, log, state } = this;
    const spec = domain.switchable!.vif;
    const vif = machine.placed(spec.path) as Vif;
    const server = machine.placed(spec.channel!) as Netserver;
    const serverDomain = domains.find(({ path }) => spec.channel!.startsWith(`${path}/`))!;
    const index = this.applications.push({ domain, vif, server, serverDomain }) - 1;
    const row = state.alloc();
    state.timer[row] = state.assigning[row] = state.returning[row] = NONE;
    vif.uplink.onEnd = (end) => this.over(index, end);
    vif.uplink.onResume = () => {
      const last = state.last[index]! - 1;
      if (last >= 0 && log.waits(last)) log.resume(last, machine.kernel.now, this.refusedOf(index));
    };
    machine.lifecycle.add(domain, { reclaim: () => this.applicationDied(index) });
    machine.lifecycle.add(serverDomain, { reclaim: () => this.serverDied(index) });
  }

  /** The application of a domain, or −1. */
  indexOf(domain: string): number {
    return this.applications.findIndex((application) => application.domain.path === domain);
  }

  domainOf(application: number): DomainPlace {
    return this.applications[application]!.domain;
  }

  vifOf(application: number): Vif {
    return this.applications[application]!.vif;
  }

  driversOf(application: number): Ixgbe[] {
    const { vif, domain } = this.applications[application]!;
    return domain.switchable!.drivers.map((_, i) => vif.uplink.driverAt(i + 1));
  }

  /** Whether a switch of the application is under way, also one that has timed out. */
  isSwitching(application: number): boolean {
    return this.state.steps[application] !== Steps.none;
  }

  /** Whether what was asked for is under way, and has not timed out. */
  isUnderWay(application: number): boolean {
    return this.state.row[application] !== 0;
  }

  /** The application's last switch that was not refused: when it ended, and when its traffic was as it would be without it. */
  lastOf(application: number): { readonly end: number; readonly settled: number } {
    const last = this.state.last[application]! - 1;
    return last < 0 ? { end: -Infinity, settled: -Infinity } : { end: this.log.endOf(last), settled: this.log.settledAt(last) };
  }

  // --- Requests -----------------------------------------------------------------------------------------------------

  /** Asks for an uplink: 0 is the server, else a driver's number plus one. */
  want(application: number, uplink: number): void {
    const { state, log, machine: { kernel } } = this;
    const waiting = state.next[application]!;
    if (waiting !== 0) this.end(application, waiting - 1, "superseded");
    state.next[application] = log.ask(application, uplink, kernel.now) + 1;
    this.next(application);
  }

  /** What was asked for last begins, unless steps are under way. */
  private next(application: number): void {
    const { state } = this;
    if (state.next[application] === 0 || state.row[application] !== 0) return;
    if (state.steps[application] === Steps.none) this.begin(application);
    else this.setTimer(application);
  }

  private begin(application: number): void {
    const { machine: { kernel, cpus, lifecycle }, state, log } = this;
    const { domain, vif, serverDomain } = this.applications[application]!;
    const row = state.next[application]! - 1;
    state.next[application] = 0;
    this.stopTimer(application);
    if (!lifecycle.findsHost(domain) || !cpus.isOn(domain.id)) return this.end(application, row, "not running");
    if (vif.uplink.via === log.uplinkOf(row)) return this.end(application, row, "nothing to do");
    if (!cpus.isOn(serverDomain.id)) return this.end(application, row, "not running");
    log.begin(row, kernel.now, this.refusedOf(application));
    state.row[application] = row + 1;
    this.setTimer(application);
    this.step(application);
  }

  /** A request comes to its end. */
  private end(application: number, row: number, outcome: Outcome): void {
    const fn = this.ends[outcome];
    if (fn !== undefined) this.mark(fn, this.applications[application]!.vif.id);
    this.log.end(row, outcome, this.machine.kernel.now);
  }

  private setTimer(application: number): void {
    const { vif, server } = this.applications[application]!;
    this.stopTimer(application);
    this.state.timer[application] = this.machine.kernel.schedule(PATIENCE + vif.uplink.longestClaim + server.addresses.longestClaim, Priority.timeout, this.component, SwitchesOp.timeout, application);
  }

  private stopTimer(application: number): void {
    this.cancel(this.state.timer, application);
  }

  private cancel(events: Int32Array, application: number): void {
    if (events[application] !== NONE) this.machine.kernel.cancel(events[application]!);
    events[application] = NONE;
  }

  // --- Steps --------------------------------------------------------------------------------------------------------

  fire(op: number, application: number): void {
    if (op === SwitchesOp.assigned) this.assigned(application);
    else if (op === SwitchesOp.deassigned) this.deassigned(application);
    else if (op === SwitchesOp.released) this.released(application);
    else this.timedOut(application);
  }

  /** The first step towards what was asked for. From one driver to another the way leads through the server. */
  private step(application: number): void {
    const { machine: { kernel, costs }, state, log, fn } = this;
    const { uplink } = this.applications[application]!.vif;
    const to = uplink.via === 0 ? log.uplinkOf(state.row[application]! - 1) : 0;
    const driver = to === 0 ? undefined : uplink.driverAt(to);
    state.to[application] = to;
    if (driver === undefined || driver.f !== NONE) {
      if (state.returns[application] === to) this.cancel(state.returning, application);
      return this.ask(application, false);
    }
    const f = driver.candidates.find((candidate) => driver.nic.isFree(candidate));
    if (f === undefined) {
      this.mark(fn.device_assigned, driver.id, EBUSY);
      return this.over(application, "no function free");
    }
    driver.give(f);
    state.last[application] = state.row[application]!;
    state.steps[application] = Steps.assigning;
    state.assigning[application] = kernel.schedule(costs.of(fn.assign_device, 0), Priority.timeout, this.component, SwitchesOp.assigned, application);
  }

  /** The function's memory is mapped: the driver can be told. */
  private assigned(application: number): void {
    const { machine: { costs, kernel }, state, fn } = this;
    const time = costs.of(fn.assign_device, 0);
    const driver = this.applications[application]!.vif.uplink.driverAt(state.to[application]!);
    state.assigning[application] = NONE;
    kernel.mark(fn.assign_device, driver.id, this.context, kernel.now - time, time, NONE, driver.f);
    if (state.row[application] === 0) this.over(application, "timed out");
    else this.ask(application, true);
  }

  /** Events go out: to the server first, where its interface is to give the address up. */
  private ask(application: number, fresh: boolean): void {
    const { machine: { cpus }, state } = this;
    const { vif, server, serverDomain } = this.applications[application]!;
    const to = state.to[application]!;
    if (to !== 0 && !cpus.isOn(serverDomain.id)) return this.over(application, "server died");
    state.last[application] = state.row[application]!;
    state.steps[application] = Steps.switching;
    vif.uplink.want(to, fresh);
    if (to === 0) return void cpus.raise(vif.uplink.line);
    server.addresses.want(vif.channelNumber, false);
    cpus.raise(server.switchLineOf(vif.channelNumber));
  }

  /** The steps are over, and with them what they were taken for, if that has not timed out. */
  private over(application: number, outcome: Outcome): void {
    const { state, log } = this;
    const row = state.row[application]! - 1;
    state.steps[application] = Steps.none;
    if (row >= 0) {
      const isHalf = outcome === "done" && this.applications[application]!.vif.uplink.via !== log.uplinkOf(row);
      if (isHalf && state.next[application] === 0) {
        this.step(application);
        return this.giveBack(application);
      }
      this.stopTimer(application);
      state.row[application] = 0;
      this.end(application, row, isHalf ? "superseded" : outcome);
    }
    this.next(application);
    this.giveBack(application);
  }

  private timedOut(application: number): void {
    const { state } = this;
    const { vif, server } = this.applications[application]!;
    const isUnderWay = state.row[application] !== 0;
    const rows = isUnderWay ? state.row : state.next;
    state.timer[application] = NONE;
    this.end(application, rows[application]! - 1, "timed out");
    rows[application] = 0;
    if (!isUnderWay) return;
    if (vif.uplink.giveUp()) server.addresses.want(vif.channelNumber, true);
    this.next(application);
    this.giveBack(application);
  }

  /** The functions that it had for a time have gone back with its memory. */
  private applicationDied(application: number): void {
    const { state } = this;
    this.cancel(state.assigning, application);
    this.cancel(state.returning, application);
    if (state.steps[application] !== Steps.none) this.over(application, "application died");
  }

  /** The application is told, and what it is about ends; its memory does not change before that. */
  private serverDied(application: number): void {
    const { machine: { kernel, costs }, state, component } = this;
    if (state.steps[application] !== Steps.switching) return;
    kernel.schedule(costs.latency("event to a vCPU"), Priority.timeout, component, SwitchesOp.released, application);
  }

  private released(application: number): void {
    const { uplink, id } = this.applications[application]!.vif;
    this.mark(this.fn["@releaseDomain"], id);
    if (this.state.steps[application] === Steps.switching) uplink.serverDied();
  }

  // --- Functions that go back ---------------------------------------------------------------------------------------

  /** Takes back what the application has for a time and neither drives nor is about to. */
  private giveBack(application: number): void {
    const { machine: { kernel, costs }, state, fn } = this;
    if (state.returning[application] !== NONE) return;
    const { uplink } = this.applications[application]!.vif;
    const index = this.driversOf(application).findIndex((driver, i) => {
      const isFresh = state.steps[application] === Steps.assigning && state.to[application] === i + 1;
      return driver.isLent && !isFresh && !uplink.drives(i + 1);
    });
    if (index < 0) return;
    state.returns[application] = index + 1;
    state.returning[application] = kernel.schedule(costs.of(fn.deassign_device, 0), Priority.timeout, this.component, SwitchesOp.deassigned, application);
  }

  /** A function goes back: it is reset, and can be assigned again after that. */
  private deassigned(application: number): void {
    const { machine: { costs, kernel }, state, fn } = this;
    const time = costs.of(fn.deassign_device, 0);
    const driver = this.applications[application]!.vif.uplink.driverAt(state.returns[application]!);
    state.returning[application] = NONE;
    kernel.mark(fn.deassign_device, driver.id, this.context, kernel.now - time, time, NONE, driver.f);
    driver.reclaim();
    this.giveBack(application);
  }

  private mark(fn: number, component: number, a = 0): void {
    const { kernel } = this.machine;
    kernel.mark(fn, component, this.context, kernel.now, 0, NONE, a);
  }

  // --- For people ---------------------------------------------------------------------------------------------------

  private refusedOf(application: number): number {
    const { server, vif } = this.applications[application]!;
    return server.addresses.refusedOf(vif.channelNumber);
  }

  /** What every request came to, in the order in which they were made. */
  reports(): SwitchReport[] {
    return Array.from({ length: this.log.count }, (_, row) => this.log.report(
      row, (application) => this.applications[application]!.domain.path,
      (application, to) => this.pathOf(application, to), (application) => this.refusedOf(application),
    ));
  }

  /** Of each application, paths of its domain and of the interface that carries its frames. */
  activeUplinks(): (readonly [string, string])[] {
    return this.applications.map(({ domain, vif }, application) => [domain.path, this.pathOf(application, vif.uplink.via)]);
  }

  private pathOf(application: number, uplink: number): string {
    const { vif, drivers } = this.applications[application]!.domain.switchable!;
    return uplink === 0 ? vif.path : drivers[uplink - 1]!.path;
  }
}
