import type { DebugProtocol } from "@vscode/debugprotocol";
import type { BreakpointOptions } from "../../../engine/session/breakpoints";
import { EXCEPTION_FILTERS, type ExceptionFilter } from "../../../engine/session/exceptions";
import type { BreakpointAnswer, BreakpointRequest } from "../../../protocol/session";
import type { Localizer } from "./adapterHost";
import { readDataId } from "./variables";

interface Options {
  readonly condition?: string;
  readonly hitCondition?: string;
  readonly logMessage?: string;
}

function optionsOf({ condition, hitCondition, logMessage }: Options): BreakpointOptions {
  return { condition, hitCondition, logMessage };
}

/** @param firstLine The client's number of the first line. */
export function lineRequests(breakpoints: readonly DebugProtocol.SourceBreakpoint[], firstLine: number): BreakpointRequest[] {
  return breakpoints.map((breakpoint) => ({ kind: "line", line: breakpoint.line - firstLine, options: optionsOf(breakpoint) }));
}

export function functionRequests(breakpoints: readonly DebugProtocol.FunctionBreakpoint[]): BreakpointRequest[] {
  return breakpoints.map((breakpoint) => ({ kind: "function", name: breakpoint.name, options: optionsOf(breakpoint) }));
}

export function exceptionRequests(args: DebugProtocol.SetExceptionBreakpointsArguments): BreakpointRequest[] {
  const chosen = [...args.filters.map((filterId) => ({ filterId })), ...(args.filterOptions ?? [])];
  return chosen.map(({ filterId, ...options }) => ({ kind: "exception", filter: filterId, options: optionsOf(options) }));
}

/** A data id that nobody wrote here watches nothing and is never verified. */
export function dataRequests(breakpoints: readonly DebugProtocol.DataBreakpoint[]): BreakpointRequest[] {
  return breakpoints.map((breakpoint) => ({
    kind: "data", target: readDataId(breakpoint.dataId) ?? { root: "", names: [] }, options: optionsOf(breakpoint),
  }));
}

export function answer(result: BreakpointAnswer, l10n: Localizer, firstLine: number): DebugProtocol.Breakpoint {
  return {
    id: result.id, verified: result.verified,
    ...(result.line === undefined ? {} : { line: result.line + firstLine }),
    ...(result.problem ? { message: problemText(result.problem, l10n) } : {}),
  };
}

function problemText(problem: NonNullable<BreakpointAnswer["problem"]>, l10n: Localizer): string {
  switch (problem.kind) {
    case "noComponent": return l10n.t("No component stands on this line or after it.");
    case "unknownFunction": return l10n.t("No component of this design has a function “{0}”.", problem.detail);
    case "unknownFilter": return l10n.t("There is no exception filter “{0}”.", problem.detail);
    case "unknownVariable": return l10n.t("This design has no “{0}”.", problem.detail);
    case "badText": return problem.detail;
  }
}

/** The exception filters that the Breakpoints view offers. */
export function exceptionFilters(l10n: Localizer): DebugProtocol.ExceptionBreakpointsFilter[] {
  const texts: Readonly<Record<ExceptionFilter, readonly [label: string, description: string]>> = {
    drop: [l10n.t("Dropped Frames"), l10n.t("Stops at every frame that is dropped, whatever the cause.")],
    forgery: [l10n.t("Forged Frames and Ring Entries"), l10n.t("Stops where an address, a port or a ring entry is not its sender's to use, and where a forged frame reaches the wire.")],
    memory: [l10n.t("Memory: IOMMU, Grants, Page Rights"), l10n.t("Stops where a device or a domain reaches for memory that it may not, or no longer, use.")],
    refusal: [l10n.t("Refused Requests"), l10n.t("Stops where a request is refused: a port in use, a function that another has, a connection that fails.")],
    timeout: [l10n.t("Timeouts"), l10n.t("Stops where TCP's retransmission timer expires, and where a mailbox or a switch is given up.")],
    fault: [l10n.t("Crashes, Hangs and Other Faults"), l10n.t("Stops where a fault of the design strikes, and where a watchdog finds one.")],
    switch: [l10n.t("Switches of Uplinks"), l10n.t("Stops where an application's switch begins, gets or gives back a function, takes effect or fails.")],
  };
  return EXCEPTION_FILTERS.map((filter) => ({
    filter, label: texts[filter][0], description: texts[filter][1], default: byDefault.has(filter), supportsCondition: true,
  }));
}

/** What nobody expects of a design that works. */
const byDefault: ReadonlySet<ExceptionFilter> = new Set(["forgery", "memory", "refusal"]);
