import type { MachineEngine } from "../../../engine/create";
import { COMPONENT, EVENT_BITS } from "../../../engine/kernel/eventLists";

/** Rows that say that a domain is no more. */
const ENDS: readonly string[] = ["domain_kill", "kernel stops", "process ends"];

/** @returns what tells of a row whether it is a domain's death: the domain's path, or undefined */
export function deathsOf({ trace, names }: MachineEngine): (row: number) => string | undefined {
  const ends = new Set(names.functions.filter(({ name }) => ENDS.includes(name)).map(({ id }) => id));
  return (row) => (ends.has(trace.fn(row)) ? names.components[trace.component(row)]!.path : undefined);
}

/** @returns what tells, between two dispatches, whether the next one is a fault's, a watchdog's or a restart's: domains may die or start in it */
export function strikesNext({ built: { machine: { kernel } } }: MachineEngine): () => boolean {
  const striking = new Set(kernel.names.components.filter(({ type }) => ["fault", "watchdog", "lifecycle"].includes(type)).map(({ id }) => id));
  return () => {
    const next = kernel.queue.peek();
    return next >= 0 && striking.has(kernel.queue.words.word[(next << EVENT_BITS) + COMPONENT]!);
  };
}
