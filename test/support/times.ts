import fc, { type Parameters } from "fast-check";

// Mocha loads this file before any test.
const soak = process.env["EXOSCOPE_SOAK"];

// The same cases in every `npm test`, which so finds the same in the same code, and new ones in every `npm run test:soak`.
fc.configureGlobal(soak === undefined ? { seed: 1 } : { numRuns: times(100) });

/**
 * How many random cases a property is tried on: `cases` in `npm test`, many times that in `npm run test:soak`, which sets the factor.
 */
export function times(cases: number): number {
  return cases * Number(soak ?? 1);
}

/**
 * So many cases, in `npm test` those of a seed: where two tests of one property are to try different ones. There the first that fails is told as it is: to look for
 * the smallest one that fails too takes a quarter of an hour where each is a machine's run.
 */
export function trials(cases: number, seed: number): Pick<Parameters, "numRuns" | "seed" | "endOnFailure"> {
  return { numRuns: times(cases), ...(soak === undefined ? { seed, endOnFailure: true } : {}) };
}
