import { crossingMutations } from "./crossings";
import { deviceMutations } from "./devices";
import { ringMutations } from "./rings";
import type { Mutation } from "./mutation";
import { switchingMutations } from "./switching";

/** One fault or more for every invariant. */
export const mutations: readonly Mutation[] = [
  { breaks: 53, file: "engine/scheduling/work.ts", replace: "    slot.remaining[w] = slot.end[w]! - this.kernel.now;", by: "    slot.remaining[w] = 0;" },
  { breaks: 79, file: "engine/network/link.ts", replace: "const OVERHEAD = 4 + 8 + 12;", by: "const OVERHEAD = 4 + 8;" },
  { breaks: 77, file: "engine/kernel/kernel.ts", replace: "this.queue.schedule(this.now + delay,", by: "this.queue.schedule(this.now - delay,", dispatches: 200 },
  { breaks: 56, file: "engine/scheduling/hypervisor.ts", replace: "this.cpus.suspend(before);", by: ";" },
  { breaks: 81, file: "engine/network/link.ts", replace: "    this.ends[1 - end]!.received(packet);", by: "    this.ends[1 - end]!.received(packet);\n    kernel.mark(this.fn.arrive, this.id, this.contexts[end]!, kernel.now, 0, packet, 0);" },
  ...crossingMutations,
  ...ringMutations,
  ...deviceMutations,
  ...switchingMutations,
];
