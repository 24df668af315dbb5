import type { MachineEngine } from "../../engine/create";
import { Priority } from "../../engine/kernel/queue";

/** Does something at a time, picoseconds from now, in a dispatch of its own. */
export function act(engine: MachineEngine, delay: number, action: () => void): void {
  const { kernel } = engine.built.machine;
  const name = `test-${kernel.models.length}`;
  const fn = kernel.functions({ "the test acts": { kind: "workload" } })["the test acts"];
  const context = kernel.context("thread", name, "server", undefined);
  const id = kernel.component(name, "test", "server", undefined, {
    fire: () => {
      kernel.mark(fn, id, context, kernel.now, 0);
      action();
    },
  });
  kernel.schedule(delay, Priority.control, id, 0);
}

/** Rows of the functions of a name, in order. */
export function rowsOf({ names, trace }: MachineEngine, name: string): number[] {
  const ids = names.functions.filter((f) => f.name === name).map(({ id }) => id);
  return Array.from({ length: trace.length }, (_, row) => row).filter((row) => ids.includes(trace.fn(row)));
}
