import fc from "fast-check";
import { createEngine, type MachineEngine } from "../../engine/create";
import { invariants } from "./invariants/all";
import { runChecked } from "./invariants/invariant";
import { randomMachine } from "./randomMachine";
import { designOf } from "./runDesign";
import { trials } from "./times";

export function start(text: string): MachineEngine {
  return createEngine(designOf(text));
}

/**
 * Tests that random machines keep every invariant. A run is followed for so many dispatches: a machine that spins or computes never ends by
 * itself. Each part is a test of its own, so that a failure says how far to look.
 * @param machines of each part
 * @param seed of the first part's machines, less one
 */
export function keepInvariants({ machines, dispatches, parts, seed }: { readonly machines: number; readonly dispatches: number; readonly parts: number; readonly seed: number }): void {
  for (let part = 1; part <= parts; part++) {
    it(`keep every invariant for ${dispatches} dispatches (${machines} machines, part ${part} of ${parts})`, () => {
      fc.assert(fc.property(randomMachine, ({ text }) => runChecked(start(text), invariants, dispatches)), trials(machines, seed + part));
    });
  }
}
