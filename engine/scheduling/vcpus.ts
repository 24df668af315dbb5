import type { Kernel } from "../kernel/kernel";
import { NONE } from "../trace/trace";
import type { KernelSystem } from "./crossing";
import type { SchedulerFunctionIds } from "./schedulerFunctions";
import type { ThreadPolicy } from "./threadPolicy";
import type { Topology } from "./topology";

/** What a vCPU is doing, as its hypervisor sees it; `off` where its domain does not run, `held` where the hypervisor itself hangs. */
export const VcpuState = { blocked: 0, runnable: 1, running: 2, off: 3, held: 4 } as const;
/** The same for people. */
export const vcpuStates = ["blocked", "runnable", "running", "off", "held by a hypervisor that hangs"] as const;
/** Whether the vCPU's thread is to give way: at once, or when its job is done. */
export const Resched = { no: 0, now: 1, afterJob: 2 } as const;

/** How a host is: one that is down has nothing that runs, one that hangs has all as it was and gets no further. */
export const HostState = { up: 0, down: 1, hangs: 2 } as const;

/** Where a blocked or woken vCPU is reported: the scheduler of the host. */
export interface VcpuHost {
  /** Its component in the trace. */
  readonly id: number;
  /** Of {@link HostState}. */
  readonly state: number;
  /** A blocked vCPU has something to do. @param from the pCPU of the host on which it is woken; −1: none */
  wake(vcpu: number, from: number): void;
  /** A device's interrupt, or one of a vCPU's own timer, has come to a pCPU, for a vCPU that does not run. */
  deviceInterrupt(pcpu: number): void;
  timerInterrupt(pcpu: number): void;
  /** A running vCPU has nothing to do and halts. */
  block(vcpu: number): void;
  /** A vCPU that is not blocked is taken down for good, wherever it is: running, being switched to, or waiting. */
  takeDown(vcpu: number): void;
}

/** `wait`: without a hypervisor, the core itself waits for an interrupt; the time is nobody's. */
export type Idle = "halt" | "spin" | "wait";

/** What a domain is made with. */
export interface DomainSetup {
  readonly path: string;
  readonly host: string;
  readonly vcpuHost: VcpuHost;
  readonly topology: Topology;
  /** Node of the domain's memory; undefined: where its first vCPU runs first. */
  readonly memoryNode: number | undefined;
  /** Under a hypervisor: interrupts and halts are VM exits. */
  readonly virtual: boolean;
  readonly idle: Idle;
  /** A name of `threadPolicies`. */
  readonly scheduler: string;
  /** Whose kernel it is. */
  readonly system: KernelSystem;
}

/** Static facts of a domain. */
export interface DomainEntry extends DomainSetup {
  /** The domain as a component of the trace: what its own scheduler does. */
  readonly component: number;
  readonly vcpus: number[];
  /** The vCPUs that run threads and take interrupts. */
  usable: readonly number[];
  /** The domain whose vCPUs and run queues its threads use: itself, or a process' kernel. */
  readonly kernel: number;
  readonly threads: number[];
  readonly policy: ThreadPolicy;
  readonly fn: SchedulerFunctionIds;
  /** The lock of idling, see {@link ThreadPolicy.idleLock}; −1: none. */
  readonly idleLock: number;
}

/** What happened to a domain so far. */
export interface DomainCounts {
  /** Times that one of its vCPUs got a pCPU that had run another. */
  readonly vcpuSwitches: number;
  /** Times that a vCPU went from one thread to another. */
  readonly threadSwitches: number;
  /** Times that a thread lost its vCPU in the middle of its work, or a vCPU its pCPU while it had something to do. */
  readonly preemptions: number;
  /** Hypercalls included. */
  readonly exits: number;
  readonly hypercalls: number;
  /** Event-channel sends. */
  readonly notifications: number;
  /** From one vCPU of the domain to another. */
  readonly ipis: number;
  /** Times that a vCPU came to another pCPU than before. */
  readonly migrations: number;
}

/** The vCPUs of the machine, and which belongs to which domain. */
export class Vcpus {
  readonly vcpu;
  readonly counts;
  readonly domains: DomainEntry[] = [];
  readonly domainOf: number[] = [];
  /** By vCPU, its domain: looked up some six times for a piece of work. */
  private readonly entries: DomainEntry[] = [];
  readonly contextOf: number[] = [];

  constructor(private readonly kernel: Kernel) {
    this.vcpu = kernel.store.table("vcpus", {
      state: "u8", frozen: "u8", thread: "i32", work: "i32", resched: "u8", halting: "u8", ticking: "u8", tickCause: "i32", idle: "u8", idleSince: "f64", stuckSince: "f64",
      idlePoll: "i32", kicked: "u8", owed: "u8", pcpu: "i16", lastPcpu: "i16", cold: "f64", lineHead: "i32", lineTail: "i32", lastRow: "i32", busy: "f64", ran: "f64", since: "f64",
    });
    this.counts = kernel.store.table("domain counters", {
      vcpuSwitches: "f64", threadSwitches: "f64", preemptions: "f64", exits: "f64", hypercalls: "f64", notifications: "f64", ipis: "f64", migrations: "f64", node: "i16",
    });
  }

  /** A domain, or a process of one. */
  addDomain(entry: DomainEntry): number {
    const row = this.counts.alloc();
    this.counts.node[row] = entry.memoryNode ?? NONE;
    return this.domains.push(inOneShape(entry)) - 1;
  }

  add(domain: number): number {
    const d = this.domains[domain]!;
    const number = d.vcpus.length;
    const path = `${d.path}/vcpu${number}`;
    const v = this.vcpu.alloc();
    const c = this.vcpu;
    c.thread[v] = c.work[v] = c.lineHead[v] = c.lineTail[v] = c.idlePoll[v] = c.lastRow[v] = c.pcpu[v] = c.lastPcpu[v] = NONE;
    this.kernel.names.vcpus.push({ id: v, path, domain: d.path });
    this.contextOf.push(this.kernel.context("thread", `${d.path}/${d.policy.polls ? "poll" : "interrupt"}-${number}`, d.host, d.path));
    d.vcpus.push(v);
    d.usable = d.vcpus.slice(0, d.policy.usable(d.vcpus.length));
    this.domainOf.push(domain);
    this.entries.push(d);
    d.policy.addVcpu(v);
    return v;
  }

  /** The vCPU's domain: a process has none of its own, so that it is always a kernel or a virtual machine. */
  entry(v: number): DomainEntry {
    return this.entries[v]!;
  }

  /** The processes of a kernel, which share its fate. */
  processesOf(kernel: number): number[] {
    return this.domains.flatMap((d, id) => (d.kernel === kernel && id !== kernel ? [id] : []));
  }

  /** How much longer a device on a NUMA node takes to the domain's memory than to memory on its own node, picoseconds. */
  distance(domain: number, node: number): number {
    const { counts, domains } = this;
    const { kernel, topology } = domains[domain]!;
    const memory = counts.node[kernel]!;
    return memory === NONE || memory === node ? 0 : topology.hop;
  }

  /** Threads of a domain, with those of a process that the design does not name and that goes by its kernel's. */
  threadsOf(domain: number): number[] {
    const { path, threads } = this.domains[domain]!;
    return [...threads, ...this.processesOf(domain).filter((p) => this.domains[p]!.path === path).flatMap((p) => this.domains[p]!.threads)];
  }

  /** The vCPU that has left its pCPU runnable does not get it back. */
  preempted(v: number): void {
    if (this.vcpu.thread[v] !== NONE || this.vcpu.work[v] !== NONE) this.counts.preemptions[this.domainOf[v]!]!++;
  }

  countsOf(domain: number): DomainCounts {
    const c = this.counts;
    return {
      vcpuSwitches: c.vcpuSwitches[domain]!, threadSwitches: c.threadSwitches[domain]!, preemptions: c.preemptions[domain]!, exits: c.exits[domain]!,
      hypercalls: c.hypercalls[domain]!, notifications: c.notifications[domain]!, ipis: c.ipis[domain]!, migrations: c.migrations[domain]!,
    };
  }
}

/**
 * The entry by a literal that names every property. An object that is spread gets a shape of its own each time: every dispatch reads
 * its domain's entry several times, and looking the properties up took 3 % of all time.
 */
function inOneShape(entry: DomainEntry): DomainEntry {
  const { path, host, vcpuHost, topology, memoryNode, virtual, idle, scheduler, system, component, vcpus, usable, kernel, threads, policy, fn, idleLock } = entry;
  return { path, host, vcpuHost, topology, memoryNode, virtual, idle, scheduler, system, component, vcpus, usable, kernel, threads, policy, fn, idleLock };
}
