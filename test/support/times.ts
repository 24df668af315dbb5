import type { Parameters } from "fast-check";

const soak = process.env["EXOSCOPE_SOAK"];

/**
 * How many random cases a property is tried on: `cases` in `npm test`, many times that in `npm run test:soak`, which sets the factor.
 */
export function times(cases: number): number {
  return cases * Number(soak ?? 1);
}

/** So many cases: the same ones in every `npm test`, which so finds the same in the same code, and new ones in every `npm run test:soak`. */
export function trials(cases: number, seed: number): Pick<Parameters, "numRuns" | "seed"> {
  return { numRuns: times(cases), ...(soak === undefined ? { seed } : {}) };
}
