import { createEngine } from "../../../engine/create";
import { invariants } from "../invariants/all";
import { Broken, runChecked } from "../invariants/invariant";
import { designOf } from "../runDesign";
import type { CheckedRun } from "./mutation";

/** See {@link CheckedRun}. */
export const run: CheckedRun["run"] = (design, dispatches, number) => {
  try {
    runChecked(createEngine(designOf(design)), invariants.filter((invariant) => invariant.number === number), dispatches);
    return undefined;
  } catch (error) {
    return { invariant: error instanceof Broken, message: error instanceof Error ? error.message : String(error) };
  }
};
