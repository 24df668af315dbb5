import { readFileSync } from "node:fs";
import type { Mutation } from "./mutation";

/** Processes of a kernel, one of which ends, in the middle of a call at some of these instants, and starts again. */
const ended = (placement: string, process: string): readonly string[] => [0, 7, 28, 70, 98, 135, 205].map((after) => readFileSync(`samples/placement/${placement}.exo.yaml`, "utf8")
  .replace(/^run:.*$/m, `faults: [{ at: ${11_070 + after}us, crash: ${process}, restart: 100us }]\nrun: { until: 60ms, seed: 1 }`));

/** Faults of crossings between protection domains. */
export const crossingMutations: readonly Mutation[] = [
  { breaks: 66, file: "engine/scheduling/ipc.ts", replace: "cpus.wait(state === ThreadState.idle ? server : NONE);", by: "cpus.wait(NONE);" },
  { breaks: 66, file: "engine/scheduling/rendezvous.ts", replace: "cpus.threads.append(", by: "cpus.threads.prepend(" },
  { breaks: 66, file: "engine/scheduling/ipc.ts", replace: "        callers.push(caller);\n", by: "", design: ended("multiserver", "drv") },
  { breaks: 66, file: "engine/scheduling/ipc.ts", replace: "    if (op !== Op.send && this.isGivenUp(caller, number)) this.cpus.spend(", by: "    if (op === Op.resume && this.isGivenUp(caller, number)) this.cpus.spend(", design: ended("multiserver", "nginx") },
  { breaks: 84, file: "engine/scheduling/lifeCycle.ts", replace: "    crossings.forget(all);\n", by: "", design: ended("monolithic-linux", "nginx") },
  { breaks: 84, file: "engine/scheduling/crossing.ts", replace: "      this.leave();\n      this.at = space;", by: "      this.at = space;" },
  { breaks: 84, file: "engine/scheduling/crossing.ts", replace: "if (!passing) this.pay(fn!.entry,", by: "if (passing) this.pay(fn!.entry," },
];
