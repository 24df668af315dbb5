import type { Mutation } from "./mutation";

/** Faults of crossings between protection domains. */
export const crossingMutations: readonly Mutation[] = [
  { breaks: 66, file: "engine/scheduling/ipc.ts", replace: "cpus.wait(state === ThreadState.idle ? server : NONE);", by: "cpus.wait(NONE);" },
  { breaks: 66, file: "engine/scheduling/rendezvous.ts", replace: "cpus.threads.append(", by: "cpus.threads.prepend(" },
  { breaks: 84, file: "engine/scheduling/crossing.ts", replace: "      this.leave();\n      this.at = space;", by: "      this.at = space;" },
  { breaks: 84, file: "engine/scheduling/crossing.ts", replace: "if (!passing) this.pay(fn!.entry,", by: "if (passing) this.pay(fn!.entry," },
];
