import type { Numbers } from "./state";

/** Numbers of a model by name; they are consecutive rows of a column that all models share: see `Store.numbers`. */
export type Scalars<F extends string> = Record<F, number>;

type ScalarsClass = new (numbers: Numbers, base: number) => object;

/** By the names. All with the same names are of one class, whatever machine they are of, so that reading one is compiled to reading a row. */
const classes = new Map<string, ScalarsClass>();

/** A class with an accessor for each name: the first is row `base`, and so on. */
export function scalarsOf(fields: readonly string[]): ScalarsClass {
  const key = fields.join();
  const known = classes.get(key);
  if (known !== undefined) return known;
  class Made {
    constructor(readonly numbers: Numbers, readonly base: number) {}
  }
  fields.forEach((field, offset) => {
    Object.defineProperty(Made.prototype, field, {
      get(this: Made): number { return this.numbers.number[this.base + offset]!; },
      set(this: Made, value: number) { this.numbers.number[this.base + offset] = value; },
    });
  });
  classes.set(key, Made);
  return Made;
}
