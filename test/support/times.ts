/**
 * How many random cases a property is tried on: `cases` in `npm test`, many times that in `npm run test:soak`, which sets the factor.
 */
export function times(cases: number): number {
  return cases * Number(process.env["EXOSCOPE_SOAK"] ?? 1);
}
