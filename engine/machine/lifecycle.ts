import type { Scope } from "../inspect";
import type { Model } from "../kernel/kernel";
import { Priority } from "../kernel/queue";
import type { ScopeCopy } from "../kernel/state";
import { HostState } from "../scheduling/vcpus";
import { NONE } from "../trace/trace";
import type { DomainPlace, Machine, PlacedModel } from "./machine";

const Op = { boot: 0, released: 1 } as const;

/** A death of a domain. Times in picoseconds. */
export interface Death {
  readonly domain: string;
  /** Path of the component of the trace that brought it about: a fault of the design, a watchdog. */
  readonly cause: string;
  readonly at: number;
  /** How long the domain did not run; undefined: it does not run yet. */
  readonly down: number | undefined;
}

/** What starts and dies with a domain. */
export type Living = Pick<PlacedModel, "start" | "reclaim" | "resetTime" | "peerDied">;

/**
 * Life and death of domains. A domain's own memory dies with it: the tables of its components go back to what they held
 * when the machine was switched on, its threads lose their jobs, nothing that was scheduled for it happens. What others hold
 * for it stays as it is until they let go of it: the hypervisor's portmap, pages that a peer maps, frames on the chip.
 *
 * There is no isolation inside a domain, so that a domain is what dies and what restarts, whichever component is at fault.
 */
export class Lifecycle implements Model {
  readonly id: number;
  private readonly fn;
  /** Rows are domains, by their id. */
  private readonly life;
  /** Deaths so far: domain, causing component, time, time of the boot after it or −1; grants that were unmapped and ended by force, and how long that takes. */
  private readonly death;
  private readonly contexts = new Map<string, number>();
  private readonly models = new Map<DomainPlace, Living[]>();
  /** What the memory of each domain that is to restart held when the machine was switched on. */
  private readonly memory = new Map<DomainPlace, ScopeCopy>();
  private readonly restarting = new Set<DomainPlace>();

  constructor(private readonly machine: Machine, private readonly domains: readonly DomainPlace[]) {
    const { kernel } = machine;
    this.id = kernel.component("domains", "lifecycle", "", undefined, this);
    this.fn = kernel.functions({
      domain_kill: { file: "xen/common/domain.c", kind: "hypervisor" },
      domain_create: { file: "xen/common/domain.c", kind: "hypervisor" },
      "kernel stops": { kind: "device" },
      "kernel starts": { kind: "device" },
      "process ends": { kind: "kernel" },
      "process starts": { kind: "kernel" },
      "not running": { kind: "device" },
      "runs already": { kind: "device" },
      "no progress": { kind: "thread" },
    });
    this.life = kernel.store.table("life of domains", { boots: "i32", deaths: "i32", since: "f64", down: "f64", last: "i32" }, Math.max(1, domains.length));
    this.death = kernel.store.table("deaths of domains", { domain: "u16", cause: "u16", at: "f64", boot: "f64", mapped: "u32", granted: "u32", unmapping: "f64" });
    for (const domain of domains) {
      this.life.alloc();
      if (!this.contexts.has(domain.host)) this.contexts.set(domain.host, kernel.context("device", `${domain.host}/toolstack`, domain.host, undefined));
      // From the bottom up, as they are started when the machine is switched on.
      this.models.set(domain, [...domain.components].reverse().map(({ path }) => machine.placed(path)));
    }
  }

  /** Adds what starts with the domain, besides its components. */
  add(domain: DomainPlace, model: Living): void {
    this.models.get(domain)!.push(model);
  }

  /** The domain, with its processes, is to restart some day: what its memory holds at first is kept. Said while the machine is built. */
  willRestart(domain: DomainPlace): void {
    for (const each of this.domains) if (each === domain || each.kernel?.id === domain.id) this.restarting.add(each);
  }

  /** The machine is built: all domains start. */
  switchOn(): void {
    for (const domain of this.restarting) this.memory.set(domain, this.machine.kernel.store.copyScope(domain.path));
    for (const domain of this.domains) this.start(domain);
  }

  /** Starts what is in the domain, from the bottom up. */
  private start(domain: DomainPlace): void {
    for (const model of this.models.get(domain)!) model.start?.();
  }

  /** Where rows about a host's domains stand. */
  contextOf(host: string): number {
    return this.contexts.get(host)!;
  }

  isRunning(domain: DomainPlace): boolean {
    return this.machine.cpus.isOn(domain.id);
  }

  /** Whoever would do something to a domain needs its host for it: one that is down or hangs does nothing for anybody, and a row of it says so. */
  findsHost(domain: DomainPlace): boolean {
    const { kernel, cpus } = this.machine;
    const { state, id } = cpus.hostOf(domain.id);
    if (state !== HostState.up) kernel.mark(this.fn[state === HostState.down ? "not running" : "no progress"], id, this.contextOf(domain.host), kernel.now, 0);
    return state === HostState.up;
  }

  /** What is to befall a domain finds it running; if not, a row says so. */
  findsRunning(domain: DomainPlace): boolean {
    const { kernel, cpus } = this.machine;
    const runs = this.isRunning(domain);
    if (!runs) kernel.mark(this.fn["not running"], cpus.componentOf(domain.id), this.contextOf(domain.host), kernel.now, 0);
    return runs;
  }

  /**
   * A domain stops at once, in a dispatch of its own. Nothing happens to one that does not run.
   * @param cause the component of the trace that brings it about
   * @param restart picoseconds until it runs again, at least what its devices take to reset; undefined: never
   */
  kill(domain: DomainPlace, cause: number, restart: number | undefined): void {
    const { machine, life, fn } = this;
    const { kernel, cpus } = machine;
    if (!this.findsRunning(domain)) return;
    // A kernel takes its processes with it; they start after it.
    const processes = this.domains.filter((d) => d.kernel?.id === domain.id && this.isRunning(d));
    for (const process of processes) this.kill(process, cause, undefined);
    kernel.mark(domain.kernel !== undefined ? fn["process ends"] : domain.virtual ? fn.domain_kill : fn["kernel stops"], cpus.componentOf(domain.id), this.contextOf(domain.host), kernel.now, 0, NONE, life.deaths[domain.id]!);
    life.deaths[domain.id]!++;
    life.since[domain.id] = kernel.now;
    const d = this.death.alloc();
    life.last[domain.id] = d;
    this.death.domain[d] = domain.id;
    this.death.cause[d] = cause;
    this.death.at[d] = kernel.now;
    this.death.boot[d] = NONE;
    cpus.stop(domain.id);
    const own = new Set(kernel.names.components.filter((c) => c.domain === domain.path).map(({ id }) => id));
    for (const id of own) cpus.hang(id, false);
    kernel.queue.cancelWhere((target) => own.has(target));
    for (const model of this.models.get(domain)!) model.reclaim?.();
    const release = this.releaseGrants(domain, d);
    for (const [other, models] of this.models) {
      if (other !== domain && this.hears(other)) for (const model of models) model.peerDied?.(domain);
    }
    if (restart !== undefined) this.bootAfter(domain, restart + release);
  }

  /** Who runs learns of another's death, but not on a host that hangs: it is about to die as well, and its timers are gone already. */
  private hears(domain: DomainPlace): boolean {
    return this.isRunning(domain) && this.machine.cpus.hostOf(domain.id).state !== HostState.hangs;
  }

  /**
   * A domain is to start anew: one that runs stops at once; one that has died is created again, and what was to start it before does not. A process
   * whose kernel does not run has nothing to start on.
   * @param takes picoseconds until it runs again, at least what its devices take to reset
   */
  restart(domain: DomainPlace, cause: number, takes: number | undefined): void {
    const { machine: { kernel, cpus }, life, death } = this;
    const lacksKernel = domain.kernel !== undefined && !cpus.isOn(domain.kernel.id);
    if (takes === undefined || lacksKernel || this.isRunning(domain)) return this.kill(domain, cause, takes);
    kernel.queue.cancelWhere((component, op, a) => component === this.id && op === Op.boot && a === domain.id);
    const d = life.last[domain.id]!;
    this.bootAfter(domain, Math.max(takes, death.at[d]! + death.unmapping[d]! - kernel.now));
  }

  /**
   * The hypervisor unmaps what the domain had mapped, on behalf of the toolstack, which waits for it (`domain_kill`) before it creates the domain
   * anew. Peers see the outcome at once.
   * @param d row of the death
   * @returns picoseconds that it takes
   */
  private releaseGrants(domain: DomainPlace, d: number): number {
    const { machine: { kernel, grants }, death } = this;
    const released = grants.get(domain.host)?.release(domain.id);
    if (released === undefined) return 0;
    death.mapped[d] = released.mapped;
    death.granted[d] = released.granted;
    death.unmapping[d] = released.time;
    kernel.schedule(released.time, Priority.timeout, this.id, Op.released, d);
    return released.time;
  }

  private grantsReleased(d: number): void {
    const { machine: { kernel, cpus, grants }, death } = this;
    const domain = this.domains[death.domain[d]!]!;
    const { gnttab_release_mappings } = grants.get(domain.host)!.fn;
    const time = death.unmapping[d]!;
    kernel.mark(gnttab_release_mappings, cpus.componentOf(domain.id), this.contextOf(domain.host), kernel.now - time, time, NONE, death.mapped[d]!, death.granted[d]!);
  }

  /** A domain that is dead, and the processes of its kernel, are to run again. @param restart picoseconds, at least what its devices take to reset */
  bootAfter(domain: DomainPlace, restart: number): void {
    const { kernel } = this.machine;
    const ready = this.readyAfter(domain, restart);
    kernel.schedule(ready, Priority.timeout, this.id, Op.boot, domain.id);
    for (const d of this.domains) if (d.kernel?.id === domain.id) kernel.schedule(this.readyAfter(d, ready), Priority.timeout, this.id, Op.boot, d.id);
  }

  /** The hypervisor of a host hangs: no timer of a domain's rings, since it keeps them, and nothing comes of what it was to do for one. */
  hold(host: string): void {
    const { kernel, cpus } = this.machine;
    const own = new Set(kernel.names.components.filter((c) => c.host === host && c.domain !== undefined).map(({ id }) => id));
    kernel.queue.cancelWhere((component) => own.has(component));
    this.cancelBoots(host);
    for (const domain of this.domainsOf(host)) cpus.hold(domain.id);
  }

  /** What was to boot does not, and nothing is unmapped any more: its host has died. */
  cancelBoots(host: string): void {
    const hostOf = (op: number, a: number): string => this.domains[op === Op.boot ? a : this.death.domain[a]!]!.host;
    this.machine.kernel.queue.cancelWhere((component, op, a) => component === this.id && hostOf(op, a) === host);
  }

  /** The domains of a host that have a kernel of their own. */
  domainsOf(host: string): DomainPlace[] {
    return this.domains.filter((domain) => domain.host === host && domain.kernel === undefined);
  }

  /** Picoseconds until a domain can start, not before `least`: its devices reset. */
  private readyAfter(domain: DomainPlace, least: number): number {
    return this.models.get(domain)!.reduce((longest, { resetTime = 0 }) => Math.max(longest, resetTime), least);
  }

  fire(op: number, a: number): void {
    if (op === Op.boot) this.boot(a);
    else this.grantsReleased(a);
  }

  private boot(d: number): void {
    const { machine, life, fn } = this;
    const { kernel, cpus } = machine;
    const domain = this.domains[d]!;
    // A process that died before its kernel did has been started with that, or will be.
    const isLate = this.isRunning(domain) || (domain.kernel !== undefined && !cpus.isOn(domain.kernel.id));
    if (isLate) return kernel.mark(this.isRunning(domain) ? fn["runs already"] : fn["not running"], cpus.componentOf(d), this.contextOf(domain.host), kernel.now, 0);
    kernel.mark(domain.kernel !== undefined ? fn["process starts"] : domain.virtual ? fn.domain_create : fn["kernel starts"], cpus.componentOf(d), this.contextOf(domain.host), kernel.now, 0, NONE, life.boots[d]!);
    life.boots[d]!++;
    life.down[d]! += kernel.now - life.since[d]!;
    this.death.boot[life.last[d]!] = kernel.now;
    kernel.store.restoreScope(domain.path, this.memory.get(domain)!);
    cpus.boot(d);
    this.start(domain);
  }

  /** How often the domain died, and how long it did not run in all, picoseconds. */
  historyOf(domain: DomainPlace): { readonly deaths: number; readonly boots: number; readonly down: number } {
    const { life } = this;
    const d = domain.id;
    const now = this.isRunning(domain) ? 0 : this.machine.kernel.now - life.since[d]!;
    return { deaths: life.deaths[d]!, boots: life.boots[d]!, down: life.down[d]! + now };
  }

  /** All deaths of domains so far, in order. */
  deaths(): Death[] {
    const { death, domains } = this;
    return Array.from({ length: death.rows }, (_, d) => ({
      domain: domains[death.domain[d]!]!.path, cause: this.machine.kernel.names.components[death.cause[d]!]!.path, at: death.at[d]!,
      down: death.boot[d] === NONE ? undefined : death.boot[d]! - death.at[d]!,
    }));
  }

  describe(): Scope[] {
    return [{
      name: "Domains",
      variables: this.domains.map((domain) => {
        const { deaths, boots, down } = this.historyOf(domain);
        return {
          name: domain.path, value: this.isRunning(domain) ? "runs" : "does not run", number: Number(this.isRunning(domain)),
          children: [
            { name: "deaths", value: `${deaths}`, number: deaths },
            { name: "restarts", value: `${boots}`, number: boots },
            { name: "time without it", value: `${(down / 1e9).toFixed(3)} ms`, number: down },
          ],
        };
      }),
    }];
  }
}
