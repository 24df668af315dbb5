import type { Ixgbe } from "../../components/ixgbe";
import type { Netserver } from "../../components/netserver";
import type { Vif } from "../../components/vif";
import type { Switch, SwitchPolicy as PolicySpec } from "../../design/model";
import type { Scope } from "../../inspect";
import type { Model } from "../../kernel/kernel";
import { Priority } from "../../kernel/queue";
import type { Decision, Mode, Sample } from "../../policy/policy";
import { policyOf, type PolicyEntry } from "../../policy/registry";
import { NONE } from "../../trace/trace";
import type { DomainPlace, Machine } from "../machine";
import { SwitchLog, type Outcome, type SwitchReport } from "./switchLog";

const Op = { asked: 0, decide: 1, assigned: 2, deassigned: 3, timeout: 4 } as const;
/** A switch that has not ended by then, beside what claiming the address takes at most, never will: a domain that it needs has died or hangs. Picoseconds. */
const PATIENCE = 2e12;
const EBUSY = 16;

/** An application whose uplink can be switched, as wired. */
interface Application {
  readonly domain: DomainPlace;
  readonly vif: Vif;
  readonly server: Netserver;
  /** The domain that the network server is in. */
  readonly serverDomain: DomainPlace;
}

/** A policy of the design at work. */
interface Policy extends PolicyEntry {
  readonly applications: readonly number[];
  readonly component: number;
}

/**
 * What tells applications of a host to switch between network server and direct access: by the design's list, or by policies. It
 * assigns functions that no application has for good (Xen: `xl pci-attach`), one at a time, and takes them back. Dom0 itself is not
 * simulated: its rows stand on a context of their own.
 *
 * A switch to direct access begins at the server, whose interface gives the address up; one to the server begins at the application
 * (LibrettOS 3.3). Who is asked for something while it switches does that next; the last wish counts.
 */
export class Toolstack implements Model {
  readonly id: number;
  private readonly fn;
  private readonly context: number;
  private readonly applications: Application[] = [];
  /** Rows are applications. */
  private readonly state;
  /** Rows are policies, and applications within them. */
  private readonly counted;
  private readonly log: SwitchLog;
  private readonly switches: { readonly spec: Switch; readonly application: number; readonly component: number }[] = [];
  private readonly policies: Policy[] = [];

  /** @param domains those of the host */
  constructor(private readonly machine: Machine, host: string, domains: readonly DomainPlace[]) {
    const { kernel, design } = machine;
    this.id = kernel.component(`${host}/toolstack`, "toolstack", host, undefined, this);
    this.context = machine.lifecycle.contextOf(host);
    this.fn = kernel.functions({
      "rumprun_service switch": { file: "rumprun-utils/service.c", kind: "hypervisor", a: "uplink" },
      "policy decides": { kind: "hypervisor", a: "decisions", b: "functions free" },
      assign_device: { file: "xen/drivers/passthrough/pci.c", kind: "hypervisor", a: "function" },
      deassign_device: { file: "xen/drivers/passthrough/pci.c", kind: "hypervisor", a: "function" },
      device_assigned: { file: "xen/drivers/passthrough/pci.c", kind: "violation", a: "errno" },
      "switch cannot begin": { kind: "violation" },
      "switch timed out": { kind: "timeout" },
    });
    // `wanted`: the uplink that was asked for last; `row`: of the log, plus one, while a switch is under way; `last`: of the last one that was not refused, plus one.
    this.state = kernel.store.table(`applications that switch on ${host}`, { wanted: "u8", row: "u32", last: "u32", timer: "i32" });
    this.counted = kernel.store.table(`what policies of ${host} have counted`, { frames: "f64", bytes: "f64", time: "f64" });
    this.log = new SwitchLog(kernel.store, host);
    for (const domain of domains) if (domain.switchable !== undefined) this.addApplication(domain, domains);
    for (const spec of design.switches) {
      const application = this.applications.findIndex(({ domain }) => domain.path === spec.domain);
      if (application < 0) continue;
      this.switches.push({ spec, application, component: kernel.component(spec.path, "switch", host, undefined, this) });
      kernel.schedule(spec.at, Priority.control, this.id, Op.asked, this.switches.length - 1);
    }
    for (const spec of design.policies) this.addPolicy(spec, host);
  }

  private addApplication(domain: DomainPlace, domains: readonly DomainPlace[]): void {
    const { machine, log } = this;
    const spec = domain.switchable!.vif;
    const vif = machine.placed(spec.path) as Vif;
    const server = machine.placed(spec.channel!) as Netserver;
    const index = this.applications.push({ domain, vif, server, serverDomain: domains.find(({ path }) => spec.channel!.startsWith(`${path}/`))! }) - 1;
    const row = this.state.alloc();
    this.state.wanted[row] = vif.uplink.via;
    this.state.timer[row] = NONE;
    vif.uplink.onEnd = (end) => this.ended(index, end);
    vif.uplink.onResume = () => {
      const last = this.state.last[index]! - 1;
      if (last >= 0 && log.waits(last)) log.resume(last, machine.kernel.now, this.refusedOf(index));
    };
  }

  private addPolicy(spec: PolicySpec, host: string): void {
    const { kernel } = this.machine;
    const applications = spec.domains.map((path) => this.applications.findIndex(({ domain }) => domain.path === path)).filter((a) => a >= 0);
    if (applications.length === 0) return;
    const entry = policyOf(spec);
    this.policies.push({ ...entry, applications, component: kernel.component(spec.path, "policy", host, undefined, this) });
    for (const _ of applications) this.counted.alloc();
    kernel.schedule(entry.period, Priority.control, this.id, Op.decide, this.policies.length - 1);
  }

  // --- Events -------------------------------------------------------------------------------------------------------

  fire(op: number, a: number): void {
    if (op === Op.asked) this.asked(a);
    else if (op === Op.decide) this.decide(a);
    else if (op === Op.assigned) this.assigned(a);
    else if (op === Op.deassigned) this.deassigned(a);
    else this.timedOut(a);
  }

  /** The time of an entry of the design has come. */
  private asked(s: number): void {
    const { spec, application, component } = this.switches[s]!;
    const { switchable } = this.applications[application]!.domain;
    const uplink = switchable!.drivers.findIndex(({ path }) => path === spec.to) + 1;
    this.mark(this.fn["rumprun_service switch"], component, uplink);
    this.want(application, uplink);
  }

  /** A policy looks at what was counted, and says what is to change. */
  private decide(p: number): void {
    const { period, decide, applications, component } = this.policies[p]!;
    const samples = applications.map((application, i) => this.sample(application, this.rowOf(p) + i));
    const free = this.freeFor(applications);
    const decisions = decide(samples, free);
    this.mark(this.fn["policy decides"], component, decisions.length, free);
    for (const decision of decisions) this.follow(applications[decision.application]!, decision);
    this.machine.kernel.schedule(period, Priority.control, this.id, Op.decide, p);
  }

  private follow(application: number, { to }: Decision): void {
    this.want(application, to === "server" ? 0 : 1);
  }

  // --- A switch -----------------------------------------------------------------------------------------------------

  private want(application: number, uplink: number): void {
    const { state } = this;
    state.wanted[application] = uplink;
    if (state.row[application] === 0) this.start(application);
  }

  /** Begins what is wanted, unless it is so already. From one driver to another the way leads through the server. */
  private start(application: number): void {
    const { machine, state, log, fn } = this;
    const { kernel, cpus } = machine;
    const { domain, vif, server, serverDomain } = this.applications[application]!;
    const { uplink } = vif;
    const wanted = state.wanted[application]!;
    if (uplink.via === wanted) return;
    const to = uplink.via === 0 ? wanted : 0;
    const row = log.begin(application, to, kernel.now, this.refusedOf(application));
    if (!cpus.isOn(domain.id) || !cpus.isOn(serverDomain.id)) {
      this.mark(fn["switch cannot begin"], vif.id);
      return this.refuse(application, row, "not running");
    }
    state.row[application] = row + 1;
    state.timer[application] = kernel.schedule(PATIENCE + uplink.longestClaim + server.addresses.longestClaim, Priority.timeout, this.id, Op.timeout, application);
    const before = state.last[application]!;
    state.last[application] = row + 1;
    if (to === 0 || uplink.driverAt(to).f !== NONE) return this.ask(application, to, false);
    const driver = uplink.driverAt(to);
    const f = driver.candidates.find((candidate) => driver.nic.isFree(candidate));
    if (f === undefined) {
      this.mark(fn.device_assigned, driver.id, EBUSY);
      this.settle(application);
      state.last[application] = before;
      return this.refuse(application, row, "no function free");
    }
    driver.give(f);
    kernel.schedule(machine.costs.of(fn.assign_device, 0), Priority.timeout, this.id, Op.assigned, application);
  }

  /** A request that leads to nothing: all is as it was, and wanted so. */
  private refuse(application: number, row: number, why: Outcome): void {
    this.log.end(row, why, this.machine.kernel.now);
    this.state.wanted[application] = this.applications[application]!.vif.uplink.via;
  }

  /** The function's memory is mapped: the driver can be told. */
  private assigned(application: number): void {
    const { costs, kernel } = this.machine;
    const { vif } = this.applications[application]!;
    const to = this.state.wanted[application]!;
    const time = costs.of(this.fn.assign_device, 0);
    const driver = vif.uplink.driverAt(Math.max(to, 1));
    kernel.mark(this.fn.assign_device, driver.id, this.context, kernel.now - time, time, NONE, driver.f);
    if (this.state.row[application] !== 0) this.ask(application, this.uplinkOfDriver(vif, driver.id), true);
  }

  private uplinkOfDriver(vif: Vif, component: number): number {
    let uplink = 1;
    while (vif.uplink.driverAt(uplink).id !== component) uplink++;
    return uplink;
  }

  /** Events go out: to the server first, where its interface is to give the address up. */
  private ask(application: number, to: number, fresh: boolean): void {
    const { vif, server } = this.applications[application]!;
    vif.uplink.want(to, fresh);
    if (to === 0) {
      this.machine.cpus.raise(vif.uplink.line);
      return;
    }
    server.addresses.want(vif.channelNumber, false);
    this.machine.cpus.raise(server.switchLineOf(vif.channelNumber));
  }

  private ended(application: number, end: "done" | "failed"): void {
    const { log, state, machine, fn } = this;
    const row = state.row[application]! - 1;
    if (row < 0) return;
    log.end(row, end, machine.kernel.now);
    this.settle(application);
    const { uplink } = this.applications[application]!.vif;
    if (end === "failed") state.wanted[application] = 0;
    if (this.lentDriver(application) !== undefined) machine.kernel.schedule(machine.costs.of(fn.deassign_device, 0), Priority.timeout, this.id, Op.deassigned, application);
    if (uplink.via !== state.wanted[application]) this.start(application);
  }

  /** The application's driver that has a function which it neither uses nor is about to use, and which is not its own for good. */
  private lentDriver(application: number): Ixgbe | undefined {
    const { vif, domain } = this.applications[application]!;
    for (let uplink = 1; uplink <= domain.switchable!.drivers.length; uplink++) {
      const driver = vif.uplink.driverAt(uplink);
      if (vif.uplink.via !== uplink && this.state.wanted[application] !== uplink && driver.isLent) return driver;
    }
    return undefined;
  }

  /** A function goes back: it is reset, and can be assigned again after that. */
  private deassigned(application: number): void {
    const { costs, kernel } = this.machine;
    const time = costs.of(this.fn.deassign_device, 0);
    const driver = this.lentDriver(application);
    kernel.mark(this.fn.deassign_device, driver?.id ?? this.id, this.context, kernel.now - time, time, NONE, driver?.f ?? NONE);
    driver?.reclaim();
  }

  private timedOut(application: number): void {
    const { state, log, machine, fn } = this;
    const { vif } = this.applications[application]!;
    state.timer[application] = NONE;
    this.mark(fn["switch timed out"], vif.id);
    log.end(state.row[application]! - 1, "timed out", machine.kernel.now);
    state.row[application] = 0;
    state.wanted[application] = vif.uplink.via;
  }

  /** No switch of the application is under way any more. */
  private settle(application: number): void {
    const { state } = this;
    state.row[application] = 0;
    if (state.timer[application] !== NONE) this.machine.kernel.cancel(state.timer[application]!);
    state.timer[application] = NONE;
  }

  // --- What policies see --------------------------------------------------------------------------------------------

  private modeOf(application: number): Mode {
    if (this.state.row[application] !== 0) return "switching";
    return this.applications[application]!.vif.uplink.via === 0 ? "server" : "direct";
  }

  /** What passed since the row was looked at last. */
  private sample(application: number, row: number): Sample {
    const { counted, log, state, machine: { kernel } } = this;
    const { frames, bytes } = this.applications[application]!.vif.uplink.traffic;
    const seconds = (kernel.now - counted.time[row]!) / 1e12;
    const last = state.last[application]! - 1;
    const disturbed = last >= 0 && log.settledAt(last) > counted.time[row]!;
    const sample = {
      mode: disturbed ? "switching" as const : this.modeOf(application), dwelt: last < 0 ? Infinity : kernel.now - log.endOf(last),
      bits: ((bytes - counted.bytes[row]!) * 8) / seconds, frames: (frames - counted.frames[row]!) / seconds,
    };
    counted.frames[row] = frames;
    counted.bytes[row] = bytes;
    counted.time[row] = kernel.now;
    return sample;
  }

  /** Functions that could be assigned to one of the applications now. */
  private freeFor(applications: readonly number[]): number {
    const free = new Set<string>();
    for (const application of applications) {
      const { vif, domain } = this.applications[application]!;
      domain.switchable!.drivers.forEach((_, i) => {
        const { nic, candidates } = vif.uplink.driverAt(i + 1);
        for (const f of candidates) if (nic.isFree(f)) free.add(nic.functions[f]!.path);
      });
    }
    return free.size;
  }

  private rowOf(policy: number): number {
    return this.policies.slice(0, policy).reduce((sum, { applications }) => sum + applications.length, 0);
  }

  private refusedOf(application: number): number {
    const { server, vif } = this.applications[application]!;
    return server.addresses.refusedOf(vif.channelNumber);
  }

  private mark(fn: number, component: number, a = 0, b = 0): void {
    const { kernel } = this.machine;
    kernel.mark(fn, component, this.context, kernel.now, 0, NONE, a, b);
  }

  // --- For people ---------------------------------------------------------------------------------------------------

  /** Whether a switch of the domain is under way. */
  isSwitching(domain: string): boolean {
    const application = this.applications.findIndex((a) => a.domain.path === domain);
    return application >= 0 && this.state.row[application] !== 0;
  }

  /** What every switch came to, in the order in which they were asked for. */
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

  describe(): Scope[] {
    return [{
      name: "Switching",
      variables: this.applications.map(({ domain }, a) => ({ name: domain.path, value: this.modeOf(a), children: [this.applications[a]!.vif.uplink.describe()] })),
    }];
  }
}
