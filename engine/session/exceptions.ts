import type { FunctionInfo, FunctionKind } from "../trace/trace";

/**
 * The groups in which a run can be stopped at what goes wrong, in the order in which they are offered. What a guard refuses
 * is three of them, since people look for different things: a lie, a reach into another's memory, a request without a right to it.
 */
export const EXCEPTION_FILTERS = ["drop", "forgery", "memory", "refusal", "timeout", "fault", "switch"] as const;

export type ExceptionFilter = (typeof EXCEPTION_FILTERS)[number];

/** Violations whose subject is what a frame or a ring entry says. */
const forgeries: ReadonlySet<string> = new Set([
  "MAC anti-spoof", "VLAN anti-spoof", "forged source MAC", "forged source IP", "forged source port", "forged source on the wire",
  "source is not the guest's", "ring index out of range", "frame longer than its slot",
]);

/** Violations whose subject is memory, or an interrupt, which is a write to it. */
const accesses: ReadonlySet<string> = new Set([
  "IOMMU fault", "stale translation", "interrupt not remapped", "write to a read-only page", "grant is another's", "grant has ended",
  "grant is read-only", "granted page is another's", "grant still in use",
]);

/** What a switch of an application's uplink consists of, and how it fails. */
const switching: ReadonlySet<string> = new Set([
  "rumprun_service switch", "assign_device", "deassign_device", "rump_virtif_switch", "device_assigned", "switch cannot begin", "switch timed out", "switch failed",
  "switch superseded", "nothing to switch",
]);

const kinds: Readonly<Partial<Record<ExceptionFilter, FunctionKind>>> = { drop: "drop", timeout: "timeout", fault: "fault" };

export function isExceptionFilter(name: string): name is ExceptionFilter {
  return EXCEPTION_FILTERS.some((filter) => filter === name);
}

/** Whether a row of this function is one that the group stops at. A violation is in exactly one of its three groups. */
export function isExceptionOf(filter: ExceptionFilter, { name, kind }: Pick<FunctionInfo, "name" | "kind">): boolean {
  switch (filter) {
    case "switch": return switching.has(name);
    case "forgery": return kind === "violation" && forgeries.has(name);
    case "memory": return kind === "violation" && accesses.has(name);
    case "refusal": return kind === "violation" && !forgeries.has(name) && !accesses.has(name);
    default: return kind === kinds[filter];
  }
}
