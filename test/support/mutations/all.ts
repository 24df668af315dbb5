import { readFileSync } from "node:fs";
import { crossingMutations } from "./crossings";
import { deviceMutations } from "./devices";
import { portmapMutations } from "./portmap";
import { failureMutations } from "./failures";
import { frameMutations } from "./frames";
import { lockMutations } from "./locks";
import { ringMutations } from "./rings";
import type { Mutation } from "./mutation";
import { schedulingMutations } from "./scheduling";
import { streamMutations } from "./streams";
import { switchingMutations } from "./switching";

/** One fault or more for every invariant. */
export const mutations: readonly Mutation[] = [
  { breaks: 81, file: "engine/network/link.ts", replace: "kernel.schedule(delay, Priority.hardware, this.id, Op.due, twin, end);", by: "for (let i = 0; i < 2; i++) kernel.schedule(delay, Priority.hardware, this.id, Op.due, twin, end);" },
  { breaks: 79, file: "engine/network/link.ts", replace: "const OVERHEAD = 4 + 8 + 12;", by: "const OVERHEAD = 4 + 8;" },
  { breaks: 77, file: "engine/kernel/kernel.ts", replace: "this.queue.schedule(this.now + delay,", by: "this.queue.schedule(this.now - delay,", dispatches: 200 },
  { breaks: 81, file: "engine/network/link.ts", replace: "    this.ends[1 - end]!.received(packet);", by: "    this.ends[1 - end]!.received(packet);\n    kernel.mark(this.fn.arrive, this.id, this.contexts[end]!, kernel.now, 0, packet, 0);" },
  { breaks: 80, file: "engine/workloads/clients/netpipe.ts", replace: "(8e12 * size) / oneWay", by: "(4e12 * size) / oneWay", design: readFileSync("samples/workloads/netpipe.exo.yaml", "utf8"), dispatches: 200_000 },
  { breaks: 27, file: "engine/network/link.ts", replace: "      kernel.mark(fn[\"lost on the link\"], this.id, context, kernel.now, 0, sent);\n", by: "      kernel.mark(fn[\"lost on the link\"], this.id, context, kernel.now, 0, sent);\n      kernel.schedule(this.delay, Priority.hardware, this.id, Op.serialised, sent, end);\n" },
  { breaks: 76, file: "engine/kernel/random.ts", replace: "    const scrambled = Math.imul(x1, 5);", by: "    const scrambled = Math.imul(x1, 5) + ((globalThis as { drawn?: number }).drawn = ((globalThis as { drawn?: number }).drawn ?? 0) + 1);" },
  ...schedulingMutations,
  ...lockMutations,
  ...crossingMutations,
  ...ringMutations,
  ...deviceMutations,
  ...switchingMutations,
  ...portmapMutations,
  ...failureMutations,
  ...streamMutations,
  ...frameMutations,
];
