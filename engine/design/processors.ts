/** What cannot work, or does nothing, of processors, vCPUs and the hypervisor's scheduler. */
import { giveCore } from "../scheduling/ownCores";
import type { DomainDraft, HostDraft } from "./draft";
import type { Section, Source } from "./section";
import { formatQuantity } from "./units";
import { VCPU_SCHEDULERS } from "./vocabulary";

const MICROSECOND = 1e6;
const MILLISECOND = 1e9;
/** XEN_SYSCTL_CSCHED_TSLICE_MIN and _MAX (xen/include/public/sysctl.h), beyond which `csched_sys_cntl` (xen/common/sched_credit.c) returns EINVAL. */
const TIMESLICE = { least: MILLISECOND, most: 1000 * MILLISECOND } as const;
/** XEN_SYSCTL_SCHED_RATELIMIT_MIN and _MAX, or 0. The former is CSCHED_MIN_TIMER too, below which the scheduler sets no timer. */
const RATE_LIMIT = { least: 100 * MICROSECOND, most: 500 * MILLISECOND } as const;

function noNode(host: HostDraft["part"], node: number): string {
  return `There is no NUMA node ${node}: ${host.path} has ${host.numa}, numbered from 0. Raise “numa” of its “cpu”, or choose another node.`;
}

/** Cores, and who schedules what on them. */
export function checkProcessors({ problems }: Source, { part, cpu, hypervisor, devices, domains }: HostDraft): void {
  if (part.cores % part.numa !== 0) {
    problems.error("numa-nodes", cpu.valueRange("numa"), `${part.cores} cores cannot be divided evenly among ${part.numa} NUMA nodes.`);
  }
  checkScheduler(problems, part, hypervisor, domains);
  if (part.hypervisor && hypervisor) checkLimits(problems, part.hypervisor, hypervisor);
  for (const { part: device, section } of devices) {
    if (device.node >= part.numa) problems.error("bad-node", section.valueRange("node"), noNode(part, device.node));
  }
  checkOwnCores(problems, part, domains);
  for (const { part: domain, section } of domains) {
    const outside = domain.affinity.find((core) => core >= part.cores);
    if (outside !== undefined) {
      problems.error("bad-affinity", section.valueRange("affinity"), `There is no pCPU ${outside}: ${part.path} has ${part.cores}, numbered from 0.`);
    }
    if (domain.memoryNode !== undefined && domain.memoryNode >= part.numa) {
      problems.error("bad-node", section.valueRange("memory-node"), noNode(part, domain.memoryNode));
    }
    if (domain.scheduler === "n-1" && domain.vcpus > 1) {
      problems.warning("unused-vcpus", section.valueRange("scheduler"), `${domain.path} runs all its threads on its first vCPU; the other ${domain.vcpus - 1 === 1 ? "one stays" : `${domain.vcpus - 1} stay`} idle. Set “vcpus: 1”, or choose another scheduler.`);
    }
    const usable = domain.affinity.length > 0 ? domain.affinity.length : part.cores;
    if (domain.vcpus > usable && part.kind === "machine") {
      problems.warning("overcommitted", section.has("vcpus") ? section.valueRange("vcpus") : domain.nameRange, `${domain.path} has ${domain.vcpus} vCPUs but may run on only ${usable} ${usable === 1 ? "pCPU" : "pCPUs"}; they will wait for each other.`);
    }
  }
}

/** Xen refuses what its credit scheduler does not take: a slice is a number of milliseconds, a rate limit one of microseconds. */
function checkLimits(problems: Source["problems"], { scheduler, timeslice, ratelimit }: NonNullable<HostDraft["part"]["hypervisor"]>, section: Section): void {
  const time = (value: number): string => formatQuantity("time", value);
  const reads = readsOf(scheduler);
  if (!reads.includes("ratelimit")) {
    if (!reads.includes("timeslice") || timeslice >= RATE_LIMIT.least) return;
    problems.error("scheduler-limits", section.valueRange("timeslice"), `A time slice of ${time(timeslice)} is shorter than any timer that Xen’s scheduler sets, ${time(RATE_LIMIT.least)}: the hypervisor would do little but switch. Set that or more.`);
    return;
  }
  if (timeslice < TIMESLICE.least || timeslice % MILLISECOND !== 0) {
    problems.error("scheduler-limits", section.valueRange("timeslice"), `Xen refuses a time slice of ${time(timeslice)}: its scheduler “${scheduler}” takes whole milliseconds, from ${time(TIMESLICE.least)} to ${time(TIMESLICE.most)}. Choose one of these.`);
  } else if (ratelimit > timeslice) {
    problems.error("scheduler-limits", section.valueRange("ratelimit"), `The rate limit is longer than the time slice (${time(timeslice)}), which Xen refuses; a vCPU could never be preempted. Set ${time(Math.min(timeslice, RATE_LIMIT.most))} or less.`);
    return;
  }
  if (ratelimit === 0 || (ratelimit >= RATE_LIMIT.least && ratelimit <= RATE_LIMIT.most && ratelimit % MICROSECOND === 0)) return;
  problems.error("scheduler-limits", section.valueRange("ratelimit"), `Xen refuses a rate limit of ${time(ratelimit)}: it takes whole microseconds, from ${time(RATE_LIMIT.least)} to ${time(RATE_LIMIT.most)}, or 0 for none. Choose one of these.`);
}

/** Keys for the hypervisor's scheduler, and where it has them from. */
const FOR_SCHEDULER = { hypervisor: ["timeslice", "ratelimit"], domain: ["weight", "cap"] } as const;

function readsOf(scheduler: string): readonly string[] {
  return VCPU_SCHEDULERS.find(({ value }) => value === scheduler)?.reads ?? [];
}

/** What a scheduler does not look at does nothing, and a reader would think that it did. */
function checkScheduler(problems: Source["problems"], host: HostDraft["part"], hypervisor: Section | undefined, domains: readonly DomainDraft[]): void {
  if (host.kind !== "machine") return;
  const scheduler = host.hypervisor?.scheduler;
  const reads = readsOf(scheduler ?? "");
  const ignored = (section: Section, key: string): void => {
    if (!section.has(key) || reads.includes(key)) return;
    const others = VCPU_SCHEDULERS.filter((s) => (s.reads as readonly string[]).includes(key)).map(({ value }) => `“scheduler: ${value}”`).join(" or ");
    problems.warning("no-effect", section.valueRange(key), `The scheduler “${scheduler ?? ""}” of ${host.path} does not read “${key}”. Remove it, or set ${others} in “hypervisor”.`);
  };
  if (hypervisor) for (const key of FOR_SCHEDULER.hypervisor) ignored(hypervisor, key);
  for (const { part, section } of domains) {
    // Of a process, which has no vCPUs, that was said.
    if (part.kind === "process") continue;
    if (host.hypervisor) for (const key of FOR_SCHEDULER.domain) ignored(section, key);
    else for (const key of [...FOR_SCHEDULER.domain, "idle"]) {
      if (section.has(key)) problems.warning("no-effect", section.valueRange(key), `${host.path} has no hypervisor, which alone reads “${key}”. Remove it, or add one, such as hypervisor: { model: xen }.`);
    }
  }
}

/** Where nothing shares pCPUs (bare metal, or pinned), each vCPU has one of its own. */
function checkOwnCores(problems: Source["problems"], host: HostDraft["part"], domains: readonly DomainDraft[]): void {
  if (host.hypervisor && host.hypervisor.scheduler !== "pinned") return;
  const homes: (number | undefined)[] = [];
  const affinities: (readonly number[])[] = [];
  const why = host.hypervisor ? "The pinned scheduler gives every vCPU a pCPU of its own" : "Without a hypervisor every vCPU needs a pCPU of its own";
  for (const { part, section } of domains) {
    for (let v = 0; v < part.vcpus; v++) {
      if (giveCore(affinities.push(part.affinity) - 1, homes, host.cores, (vcpu) => affinities[vcpu]!)) continue;
      const range = section.has("vcpus") ? section.valueRange("vcpus") : part.nameRange;
      if (part.affinity.length === 0) problems.error("too-few-cores", range, `${why}, and none of the ${host.cores} of ${host.path} is left for ${part.path}. Raise “cores”, or lower “vcpus”.`);
      else problems.error("too-few-cores", range, `${why}, and none that ${part.path} may run on is left for it. Name more pCPUs in its “affinity”, or lower “vcpus”.`);
      break;
    }
  }
}
