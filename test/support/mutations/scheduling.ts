import type { Mutation } from "./mutation";

/** A domain of two busy vCPUs under a cap, and one without. */
const capped = `exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    hypervisor: { model: xen, scheduler: credit, timeslice: 3ms }
    domains:
      low: { kind: vm, vcpus: 2, cap: 30, components: [compute: { threads: 2 }] }
      high: { kind: vm, weight: 512, components: [compute] }
run: { until: 200ms, seed: 1 }
`;

/** Faults of both levels of scheduling. */
export const schedulingMutations: readonly Mutation[] = [
  { breaks: 51, file: "engine/scheduling/dispatcher.ts", replace: "    threads.thread.state[thread] = ThreadState.ready;\n    const d = vcpus.entry(v);", by: "    const d = vcpus.entry(v);" },
  { breaks: 52, file: "engine/scheduling/dispatcher.ts", replace: "    vcpus.vcpu.thread[v] = NONE;\n    if (unfinished", by: "    if (unfinished" },
  { breaks: 53, file: "engine/scheduling/work.ts", replace: "    slot.remaining[w] = slot.end[w]! - kernel.now;", by: "    slot.remaining[w] = 0;" },
  { breaks: 53, file: "engine/scheduling/dispatcher.ts", replace: "      if (c.resched[v] === 0 ||", by: "      if ((c.resched[v] === 0 && this.cpus.kernel.now % 7 !== 0) ||" },
  { breaks: 54, file: "engine/scheduling/sections.ts", replace: "    else if (spinner !== NONE) this.parts.work.proceed(spinner);\n", by: "" },
  { breaks: 54, file: "engine/scheduling/sections.ts", replace: "this.letLook(lock);", by: ";" },
  { breaks: 55, file: "engine/scheduling/waking.ts", replace: "if (c.idle[v] === 1) return this.nudge(v);\n    const running", by: "if (c.idle[v] === 1) return;\n    const running" },
  { breaks: 55, file: "engine/scheduling/waking.ts", replace: "if (c.state[v] === VcpuState.blocked) return this.kick(v, by);\n    if (c.state[v] !==", by: "if (c.state[v] !==" },
  { breaks: 56, file: "engine/scheduling/hypervisor.ts", replace: "this.cpus.suspend(vcpu);", by: ";" },
  { breaks: 56, file: "engine/scheduling/roundRobin.ts", replace: "return allowed.length === 0 || allowed.includes(pcpu);", by: "return true;" },
  { breaks: 56, file: "engine/scheduling/credit.ts", replace: "return affinity.length === 0 || affinity.includes(pcpu);", by: "return true;" },
  { breaks: 57, file: "engine/scheduling/creditAccounting.ts", replace: "(picoseconds * CREDITS_PER_MS) / MILLISECOND", by: "(picoseconds * CREDITS_PER_MS) / (1.01 * MILLISECOND)" },
  { breaks: 57, file: "engine/scheduling/creditAccounting.ts", replace: "let fair = (total * weight) / weights;", by: "let fair = total / active.length;" },
  { breaks: 57, file: "engine/scheduling/creditAccounting.ts", replace: "total += ((fair - peak) * weights) / left;", by: "total += (2 * (fair - peak) * weights) / left;" },
  { breaks: 57, file: "engine/scheduling/creditAccounting.ts", replace: "if (ceiling > 0) peak = Math.min(peak, ceiling);", by: "", design: capped },
  { breaks: 57, file: "engine/scheduling/credit.ts", replace: "if (c.queued[v] === 1 || c.parked[v] === 1) return;", by: "if (c.queued[v] === 1) return;", design: capped },
  { breaks: 58, file: "engine/scheduling/credit.ts", replace: "ran < this.ratelimit)", by: "ran < 0)" },
  { breaks: 59, file: "engine/scheduling/credit.ts", replace: "      if (this.vcpu.priority[v] === Priority.boost) this.vcpu.priority[v] = Priority.under;\n", by: "" },
  { breaks: 78, file: "engine/kernel/kernel.ts", replace: "      spent += cost;", by: "      spent += 3 * cost;" },
  { breaks: 91, file: "engine/scheduling/hypervisor.ts", replace: "counts.exits[domainOf[vcpu]!]!++;", by: "" },
  { breaks: 91, file: "engine/scheduling/hypervisor.ts", replace: "if (enters) this.take(p);", by: "if (enters && p !== 0) this.take(p);", design: capped },
  { breaks: 91, file: "engine/scheduling/hypervisor.ts", replace: "if (this.pcpus.isIdle(p)) return this.reschedule(p);\n    this.interrupt(", by: "if (this.pcpu.vcpu[p] !== NONE && this.pcpu.inside[p] === Inside.guest) this.cpus.suspend(this.pcpu.vcpu[p]!);\n    if (this.pcpu.inside[p] === Inside.guest) return this.reschedule(p);\n    this.interrupt(" },
  { breaks: 91, file: "engine/scheduling/masterAccounting.ts", replace: " + activeDomains * this.perDomain", by: "", design: capped },
  { breaks: 91, file: "engine/scheduling/pcpus.ts", replace: "this.costs.of(fn, 0), Priority.scheduler", by: "this.costs.of(fn, 0) / 2, Priority.scheduler" },
  { breaks: 91, file: "engine/scheduling/pcpus.ts", replace: "this.pcpu.overhead[p]! += now - from;", by: "" },
];
