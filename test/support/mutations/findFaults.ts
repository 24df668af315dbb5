import assert from "node:assert/strict";
import fc from "fast-check";
import { invariants } from "../invariants/all";
import { randomMachine } from "../randomMachine";
import { type Mutation, Mutator } from "./mutation";

/** Random machines that are tried before a fault counts as not found. */
const MACHINES = 150;
const DISPATCHES = 20_000;

/** Tests that the rule which a fault breaks fires, for each fault. */
export function findFaults(mutations: readonly Mutation[]): void {
  let mutator: Mutator;
  before(() => void (mutator = new Mutator()));
  after(() => mutator.dispose());
  for (const { breaks, design, dispatches = DISPATCHES, ...mutation } of mutations) {
    const rule = invariants.find(({ number }) => number === breaks);
    it(`invariant ${breaks} fires for ${mutation.file}: ${mutation.by.trim() || `without ${mutation.replace.trim()}`}`, async () => {
      assert.ok(rule !== undefined, `there is no invariant ${breaks}`);
      const { run } = await mutator.mutate(mutation);
      const designs = design !== undefined ? [design].flat() : fc.sample(randomMachine, { numRuns: MACHINES, seed: breaks }).map(({ text }) => text);
      let error: string | undefined;
      for (const text of designs) {
        const wrong = run(text, dispatches, breaks);
        if (wrong?.invariant === true) return;
        error ??= wrong?.message;
      }
      assert.fail(`“${rule.says}” held in all ${designs.length} machines${error === undefined ? "" : `; one ended with: ${error}`}`);
    });
  }
}
