import type { Mutation } from "./mutation";

/** Faults in what TCP promises to applications. */
export const streamMutations: readonly Mutation[] = [
  { breaks: 82, file: "engine/network/tcp/input.ts", replace: "  if (seq === t.rcvNxt[conn]) {", by: "  if (seq >= 0) {" },
  { breaks: 82, file: "engine/network/tcp/reassembly.ts", replace: "const end = after(right, next) ? right : next;", by: "const end = (after(right, next) ? right : next) + 1;" },
];
