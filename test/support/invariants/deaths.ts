import type { MachineEngine } from "../../../engine/create";

/** Rows that say that a domain is no more. */
const ENDS: readonly string[] = ["domain_kill", "kernel stops", "process ends"];

/** @returns what tells of a row whether it is a domain's death: the domain's path, or undefined */
export function deathsOf({ trace, names }: MachineEngine): (row: number) => string | undefined {
  const ends = new Set(names.functions.filter(({ name }) => ENDS.includes(name)).map(({ id }) => id));
  return (row) => (ends.has(trace.fn(row)) ? names.components[trace.component(row)]!.path : undefined);
}
