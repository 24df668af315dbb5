import type { Kernel } from "../../engine/kernel/kernel";
import { Priority } from "../../engine/kernel/queue";

const steps = new WeakMap<Kernel, { readonly id: number; action: (() => void) | undefined }>();

/** Does something as a model would: inside a dispatch of its own, now. */
export function inDispatch<T>(kernel: Kernel, action: () => T): T {
  let step = steps.get(kernel);
  if (step === undefined) {
    const fn = kernel.functions({ "test step": { kind: "device" } })["test step"];
    const made = {
      id: kernel.component("test step", "test", "h", undefined, {
        fire: () => {
          kernel.mark(fn, made.id, 0, kernel.now, 0);
          const wanted = made.action;
          made.action = undefined;
          wanted?.();
        },
      }),
      action: undefined as (() => void) | undefined,
    };
    steps.set(kernel, (step = made));
  }
  const results: T[] = [];
  step.action = () => results.push(action());
  kernel.schedule(0, Priority.control, step.id, 0);
  while (step.action !== undefined) kernel.dispatch();
  return results[0]!;
}
