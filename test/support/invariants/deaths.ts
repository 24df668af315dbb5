import type { MachineEngine } from "../../../engine/create";
import { COMPONENT, EVENT_BITS } from "../../../engine/kernel/eventLists";
import { VcpuState } from "../../../engine/scheduling/vcpus";

/** Rows that say that a domain is no more, and that it runs again. */
const ENDS: readonly string[] = ["domain_kill", "kernel stops", "process ends"];
const STARTS: readonly string[] = ["domain_create", "kernel starts", "process starts"];

/** @returns what tells of a row whether it is a domain's death: the domain's path, or undefined */
export function deathsOf(engine: MachineEngine): (row: number) => string | undefined {
  return domainsIn(engine, ENDS);
}

/** The same of a start after one. */
export function startsOf(engine: MachineEngine): (row: number) => string | undefined {
  return domainsIn(engine, STARTS);
}

function domainsIn({ trace, names }: MachineEngine, wanted: readonly string[]): (row: number) => string | undefined {
  const ids = new Set(names.functions.filter(({ name }) => wanted.includes(name)).map(({ id }) => id));
  return (row) => (ids.has(trace.fn(row)) ? names.components[trace.component(row)]!.path : undefined);
}

/** When the work was begun that left a row: what happened since then it could not know. */
export function begunAt({ trace }: MachineEngine, row: number): number {
  let first = row;
  while (!trace.isFirst(first)) first--;
  return trace.begin(first);
}

/** @returns what tells, between two dispatches, whether the next one is a fault's, a watchdog's or a restart's: domains may die or start in it */
export function strikesNext({ built: { machine: { kernel } } }: MachineEngine): () => boolean {
  const striking = new Set(kernel.names.components.filter(({ type }) => ["fault", "watchdog", "lifecycle"].includes(type)).map(({ id }) => id));
  return () => {
    const next = kernel.queue.peek();
    return next >= 0 && striking.has(kernel.queue.words.word[(next << EVENT_BITS) + COMPONENT]!);
  };
}

/** @returns what tells of a domain, by its path, whether it is dead, or something in it hangs: it need not do what it should */
export function isStruck({ built: { domains, machine: { cpus } } }: MachineEngine): (path: string) => boolean {
  const lifeCycle = cpus["lifeCycle"];
  const ids = new Map(domains.map(({ path, id }) => [path, id]));
  return (path) => {
    const id = ids.get(path)!;
    return !cpus.isOn(id) || cpus.vcpusOf(id).some((v) => cpus.vcpu.frozen[v] === 1 || cpus.vcpu.state[v] === VcpuState.held) || cpus.crossings.componentsOf(id).some((component) => lifeCycle.isHung(component));
  };
}
