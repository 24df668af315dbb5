import type { Ixgbe } from "../../components/ixgbe";
import type { Switch, SwitchPolicy as PolicySpec } from "../../design/model";
import type { Scope } from "../../inspect";
import type { Model } from "../../kernel/kernel";
import { Priority } from "../../kernel/queue";
import type { Mode, Sample } from "../../policy/policy";
import { policyOf, type PolicyEntry } from "../../policy/registry";
import { NONE } from "../../trace/trace";
import type { DomainPlace, Machine } from "../machine";
import { Switches } from "./switches";
import type { SwitchReport } from "./switchLog";

/** What is more is what switches go on with: `SwitchesOp`. */
const Op = { asked: 0, decide: 1 } as const;

/** A policy of the design at work. */
interface Policy extends PolicyEntry {
  readonly applications: readonly number[];
  readonly component: number;
}

/**
 * What tells applications of a host to switch between network server and direct access: by the design's list, or by policies; how they do is
 * {@link Switches}. Dom0 itself is not simulated: its rows stand on a context of their own.
 */
export class Toolstack implements Model {
  readonly id: number;
  private readonly fn;
  private readonly context: number;
  /** Rows are policies, and applications within them. */
  private readonly counted;
  private readonly switches: Switches;
  private readonly listed: { readonly spec: Switch; readonly application: number; readonly component: number }[] = [];
  private readonly policies: Policy[] = [];

  /** @param domains those of the host */
  constructor(private readonly machine: Machine, host: string, private readonly domains: readonly DomainPlace[]) {
    const { kernel, design } = machine;
    this.id = kernel.component(`${host}/toolstack`, "toolstack", host, undefined, this);
    this.context = machine.lifecycle.contextOf(host);
    this.fn = kernel.functions({
      "rumprun_service switch": { file: "rumprun-utils/service.c", kind: "hypervisor", a: "uplink" },
      "policy decides": { kind: "hypervisor", a: "decisions", b: "functions free" },
    });
    this.switches = new Switches(machine, host, this.id, this.context);
    this.counted = kernel.store.table(`what policies of ${host} have counted`, { frames: "f64", bytes: "f64", time: "f64", boots: "i32" });
    for (const domain of domains) if (domain.switchable !== undefined) this.switches.add(domain, domains);
    for (const spec of design.switches) {
      const application = this.switches.indexOf(spec.domain);
      if (application < 0) continue;
      this.listed.push({ spec, application, component: kernel.component(spec.path, "switch", host, undefined, this) });
      kernel.schedule(spec.at, Priority.control, this.id, Op.asked, this.listed.length - 1);
    }
    for (const spec of design.policies) this.addPolicy(spec, host);
  }

  private addPolicy(spec: PolicySpec, host: string): void {
    const { kernel } = this.machine;
    const applications = spec.domains.map((path) => this.switches.indexOf(path)).filter((a) => a >= 0);
    if (applications.length === 0) return;
    const entry = policyOf(spec);
    this.policies.push({ ...entry, applications, component: kernel.component(spec.path, "policy", host, undefined, this) });
    for (const _ of applications) this.counted.alloc();
    kernel.schedule(entry.period, Priority.control, this.id, Op.decide, this.policies.length - 1);
  }

  // --- Events -------------------------------------------------------------------------------------------------------

  fire(op: number, a: number): void {
    if (op === Op.asked) this.asked(a);
    else if (op === Op.decide) this.timeToDecide(a);
    else this.switches.fire(op, a);
  }

  /** The time of an entry of the design has come. */
  private asked(s: number): void {
    const { spec, application, component } = this.listed[s]!;
    const { switchable } = this.domains.find(({ path }) => path === spec.domain)!;
    const uplink = switchable!.drivers.findIndex(({ path }) => path === spec.to) + 1;
    this.mark(this.fn["rumprun_service switch"], component, uplink);
    this.switches.want(application, uplink);
  }

  /** It is time for a policy, if there is a host to run it on. */
  private timeToDecide(p: number): void {
    const { kernel, lifecycle } = this.machine;
    if (lifecycle.findsHost(this.domains[0]!)) this.decide(p);
    kernel.schedule(this.policies[p]!.period, Priority.control, this.id, Op.decide, p);
  }

  /** A policy looks at what was counted, and says what is to change. */
  private decide(p: number): void {
    const { decide, applications, component } = this.policies[p]!;
    const samples = applications.map((application, i) => this.sample(application, this.rowOf(p) + i));
    const decisions = decide(samples);
    this.mark(this.fn["policy decides"], component, decisions.length, this.unassigned(applications));
    for (const { application, to } of decisions) {
      const a = applications[application]!;
      this.switches.want(a, to === "server" ? 0 : this.uplinkFor(a));
    }
  }

  // --- What policies see --------------------------------------------------------------------------------------------

  private modeOf(application: number): Mode {
    if (!this.machine.cpus.isOn(this.switches.domainOf(application).id)) return "down";
    if (this.switches.isSwitching(application)) return "switching";
    return this.switches.vifOf(application).uplink.via === 0 ? "server" : "direct";
  }

  /** What passed since the row was looked at last. */
  private sample(application: number, row: number): Sample {
    const { counted, switches, machine: { kernel, lifecycle } } = this;
    const { traffic: { frames, bytes }, driver } = switches.vifOf(application).uplink;
    const { boots } = lifecycle.historyOf(switches.domainOf(application));
    // It counts from 0 again: its memory is new.
    if (boots !== counted.boots[row]) counted.frames[row] = counted.bytes[row] = 0;
    const seconds = (kernel.now - counted.time[row]!) / 1e12;
    const last = switches.lastOf(application);
    const disturbed = last.settled > counted.time[row]! || boots !== counted.boots[row];
    const mode = this.modeOf(application);
    const drivers = switches.driversOf(application);
    const sample = {
      mode: disturbed && mode !== "down" ? "switching" as const : mode, dwelt: kernel.now - last.end,
      has: mode === "down" || driver === undefined ? undefined : driver.nic.functions[driver.f]?.path,
      suitable: drivers.flatMap(({ nic, candidates }) => candidates.map((f) => nic.functions[f]!.path)), free: drivers.flatMap((d) => this.freeFor(d, d.f)),
      bits: ((bytes - counted.bytes[row]!) * 8) / seconds, frames: (frames - counted.frames[row]!) / seconds,
    };
    counted.frames[row] = frames;
    counted.bytes[row] = bytes;
    counted.time[row] = kernel.now;
    counted.boots[row] = boots;
    return sample;
  }

  /** Functions that could be assigned to one of the applications now. */
  private unassigned(applications: readonly number[]): number {
    return new Set(applications.flatMap((a) => this.switches.driversOf(a).flatMap((driver) => this.freeFor(driver, NONE)))).size;
  }

  /** Functions that a driver could have now: its own, or one that is assigned to nobody. */
  private freeFor({ nic, candidates }: Ixgbe, own: number): string[] {
    return candidates.filter((candidate) => candidate === own || nic.isFree(candidate)).map((candidate) => nic.functions[candidate]!.path);
  }

  /** The first driver that could have a function now. */
  private uplinkFor(application: number): number {
    return Math.max(0, this.switches.driversOf(application).findIndex((driver) => this.freeFor(driver, driver.f).length > 0)) + 1;
  }

  private rowOf(policy: number): number {
    return this.policies.slice(0, policy).reduce((sum, { applications }) => sum + applications.length, 0);
  }

  private mark(fn: number, component: number, a: number, b = 0): void {
    const { kernel } = this.machine;
    kernel.mark(fn, component, this.context, kernel.now, 0, NONE, a, b);
  }

  // --- For people ---------------------------------------------------------------------------------------------------

  /** Whether a switch of the domain is under way, also one that has timed out. */
  isSwitching(domain: string): boolean {
    const application = this.switches.indexOf(domain);
    return application >= 0 && this.switches.isSwitching(application);
  }

  /** The same, without those that have timed out. */
  isUnderWay(domain: string): boolean {
    const application = this.switches.indexOf(domain);
    return application >= 0 && this.switches.isUnderWay(application);
  }

  /** See {@link Switches.reports}. */
  reports(): SwitchReport[] {
    return this.switches.reports();
  }

  /** See {@link Switches.activeUplinks}. */
  activeUplinks(): (readonly [string, string])[] {
    return this.switches.activeUplinks();
  }

  describe(): Scope[] {
    return [{
      name: "Switching",
      variables: this.switches.activeUplinks().map(([domain], a) => ({ name: domain, value: this.modeOf(a), children: [this.switches.vifOf(a).uplink.describe()] })),
    }];
  }
}
