import { NONE } from "../trace/trace";
import type { CpuParts } from "./cpuParts";
import { describeDomain } from "./cpuVariables";
import type { KernelSystem } from "./crossing";
import { spinLock } from "./lockClasses";
import { schedulerFunctions } from "./schedulerFunctions";
import { threadPolicies } from "./threadPolicies";
import { VcpuState, type DomainSetup } from "./vcpus";

/** A domain with a scheduler of threads, and no vCPUs yet. @throws Error for a scheduler that is none */
export function addDomain(cpus: CpuParts, setup: DomainSetup): number {
  const { kernel, vcpus, threads, work, locks, crossings } = cpus;
  const id = vcpus.domains.length;
  const Policy = threadPolicies[setup.scheduler];
  if (Policy === undefined) throw new Error(`There is no scheduler ${setup.scheduler}.`);
  const component = kernel.component(setup.path, "domain", setup.host, setup.path, { fire: () => {}, describe: () => [{ name: "Scheduling", variables: describeDomain(cpus, id) }] });
  const own: number[] = [];
  const { vcpu } = vcpus;
  const fn = kernel.functions({ ...schedulerFunctions[setup.system] });
  const policy = new Policy({
    kernel, threads, fn,
    domain: {
      path: setup.path, vcpus: own,
      isIdle: (v) => vcpu.state[v] !== VcpuState.off && vcpu.thread[v] === NONE && vcpu.lineHead[v] === NONE,
      current: (v) => vcpu.thread[v]!,
      ranNow: (v) => {
        const thread = vcpu.thread[v]!;
        const w = thread === NONE ? NONE : threads.thread.work[thread]!;
        return w === NONE ? 0 : work.ranSince(w);
      },
    },
  });
  const idleLock = policy.idleLock === undefined ? NONE : locks.add(id, spinLock, "timeq_lock");
  vcpus.addDomain({ ...setup, component, vcpus: own, usable: own, threads: [], policy, fn, idleLock, kernel: id });
  crossings.addSpace(component);
  crossings.place(component, id);
  return id;
}

/**
 * A process of a kernel: threads of its own in an address space of its own, on the kernel's vCPUs.
 * @param path that of the kernel for a process that the design does not name
 */
export function addProcess(cpus: CpuParts, path: string, below: number, system: KernelSystem): number {
  const { kernel, vcpus, crossings } = cpus;
  const id = vcpus.domains.length;
  const above = vcpus.domains[below]!;
  const component = path === above.path ? above.component
    : kernel.component(path, "domain", above.host, path, { fire: () => {}, describe: () => [{ name: "Scheduling", variables: describeDomain(cpus, id) }] });
  vcpus.addDomain({ ...above, path, component, threads: [], kernel: below });
  crossings.addProcess(below, system);
  return id;
}
