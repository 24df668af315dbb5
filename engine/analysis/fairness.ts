/**
 * Jain's index of fairness: (Σx)² / (n · Σx²), 1 when all get the same, 1/n when one gets everything (Jain, Chiu, Hawe,
 * "A Quantitative Measure of Fairness", DEC-TR-301, 1984).
 * @param shares what each got, in any unit, those who got nothing included; not negative
 * @returns undefined for fewer than two shares, and where nobody got anything: nothing was shared
 */
export function fairness(shares: Iterable<number>): number | undefined {
  let n = 0;
  let sum = 0;
  let squares = 0;
  for (const share of shares) {
    n++;
    sum += share;
    squares += share * share;
  }
  return n < 2 || squares === 0 ? undefined : (sum * sum) / (n * squares);
}
