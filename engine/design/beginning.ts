/** When workloads begin, and what a design has happen before, where nothing would come of it. */
import type { DesignDraft } from "./draft";
import type { Host, Range } from "./model";
import type { Source } from "./section";
import { formatQuantity } from "./units";

/** The servers are up before the first request, and the VFs through their mailboxes; network servers have mapped the rings of their applications. */
const START = 10e9;
/** Time that a network server takes to connect an application, with room to spare: 2,320 grants mapped (`backend_connect`). */
const CONNECT = 1.25e9;

/** When the workloads of a design begin, all of them at once, picoseconds. */
export function beginOfWorkloads(hosts: readonly Pick<Host, "domains">[]): number {
  const channels = hosts.flatMap(({ domains }) => domains).flatMap(({ components }) => components).filter(({ channel }) => channel !== undefined);
  return Math.max(START, channels.length * CONNECT);
}

/** The run goes on until after the workloads have begun, and what is to disturb them strikes, or is asked for, then. */
export function checkBeginning({ problems }: Source, { hosts, workloads, faults, switches, run }: DesignDraft): void {
  if (workloads.length === 0) return;
  const begin = beginOfWorkloads(hosts.map(({ part }) => part));
  const instant = formatQuantity("time", begin);
  const warn = (range: Range, what: string, remedy: string): void => problems.warning("before-workloads", range, `Workloads begin at ${instant}, when the machine is up and its channels are connected: ${what}. ${remedy}`);
  if (run.part.until <= begin) warn(run.section.valueRange("until"), "the run is over before the first request", `Set “until” to more than ${instant}.`);
  for (const { part, section } of faults) {
    // What a link does to frames from then on, it does to those of the workloads as well.
    const lasts = part.options["for"];
    const isOver = part.kind !== "degrade" || (typeof lasts === "number" && part.at + lasts <= begin);
    if (part.at < begin && isOver) warn(section.valueRange("at"), "this strikes before there is any traffic", `Set “at” to ${instant} or later.`);
  }
  for (const { part, section } of switches) {
    if (part.at < begin) warn(section.valueRange("at"), `${part.domain || "the domain"} switches before there is any traffic`, `Set “at” to ${instant} or later.`);
  }
}
