import { readFileSync } from "node:fs";
import type { Mutation } from "./mutation";

/** A process whose threads are at a lock nearly all the time ends, and another goes on. */
const crash = `exoscope: 1
hosts:
  server:
    domains:
      os: { kind: kernel, system: linux, vcpus: 2 }
      one: { kind: process, components: [ compute: { burst: 100us, threads: 3, lock: 90us } ] }
      other: { kind: process, components: [ compute: { burst: 100us } ] }
faults:
  - { at: 1ms, crash: one }
run: { until: 20ms }
`;

/** NetBSD's kernel, in which threads that wake and soft interrupts take the CPU from calls under KERNEL_LOCK and softnet_lock. */
const netbsd = [2, 3].map((vcpus) => readFileSync("samples/placement/monolithic-netbsd.exo.yaml", "utf8").replace("vcpus: 4", `vcpus: ${vcpus}`)
  .replace("workers: 2", "workers: 6").replace("concurrency: 8", "concurrency: 32")
  .replace("      nginx:", "      busy: { kind: process, components: [ compute: { burst: 300us, threads: 3 } ] }\n      nginx:"));

/** Faults of locks. */
export const lockMutations: readonly Mutation[] = [
  // Two have it at once.
  { breaks: 87, file: "engine/scheduling/locks.ts", replace: "if (lock.holder[l] !== NONE && !isKept && (lock.holder[l] !== vcpu || !this.classOf(l).recursive)) return false;", by: "" },
  // A mutex that is handed over is handed to all who sleep for it.
  { breaks: 87, file: "engine/scheduling/sections.ts", replace: "      if (waiting !== \"adapt\") return;\n", by: "" },
  // A section goes without its lock.
  { breaks: 87, file: "engine/scheduling/sections.ts", replace: "if (lock === NONE || held[w] === lock) return true;", by: "if (lock === NONE || held[w] !== NONE || lock % 3 === 0) return true;" },
  // It is not let go in the end.
  { breaks: 87, file: "engine/scheduling/sections.ts", replace: "    } else {\n      this.keep(w, NONE, NONE);\n    }", by: "    }" },
  // It outlives the process that had it.
  { breaks: 87, file: "engine/scheduling/sections.ts", replace: "    this.parts.work.set(w, THREAD, NONE);\n    this.keep(w, NONE, NONE);", by: "", design: crash },
  // The owner of a socket lets it go with a backlog.
  { breaks: 88, file: "engine/scheduling/sections.ts", replace: "if (thread === NONE || !locks.hasJob(lock)) return this.unlock(lock);", by: "if (thread !== -2) return this.unlock(lock);" },
  // A soft interrupt waits for the owner.
  { breaks: 88, file: "engine/scheduling/sections.ts", replace: "if (soft && !locks.isSoft(lock)) {", by: "if (soft && lock < 0) {" },
  // Who holds a spin lock of the kernel's is preempted: under it, and between two pieces of work.
  { breaks: 89, file: "engine/scheduling/dispatcher.ts", replace: " || (unfinished === NONE ? this.cpus.locks.keepsOnVcpu(before) : work.keepsVcpu(unfinished))", by: "", design: netbsd, dispatches: 60_000 },
  { breaks: 89, file: "engine/scheduling/sections.ts", replace: "return lock !== NONE && this.parts.locks.classOf(lock).holderStays;", by: "return false;", design: netbsd, dispatches: 60_000 },
  // A wake-up is lost: nobody is looked for, or nobody is told.
  { breaks: 90, file: "engine/scheduling/sections.ts", replace: "if (!locks.release(lock) || locks.waiting(lock) === 0) return;", by: "if (!locks.release(lock) || locks.waiting(lock) !== 1) return;" },
  { breaks: 90, file: "engine/scheduling/sections.ts", replace: "      wake(this.word(w, THREAD));\n", by: "" },
];
