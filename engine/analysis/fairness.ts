/**
 * Jain's index of fairness: (Σx)² / (n · Σx²), 1 when all get the same, 1/n when one gets everything (Jain, Chiu, Hawe,
 * "A Quantitative Measure of Fairness", DEC-TR-301, 1984).
 * @param shares what each got, in any unit; not negative
 * @returns 1 for fewer than two shares, and where nobody got anything
 */
export function fairness(shares: readonly number[]): number {
  let sum = 0;
  let squares = 0;
  for (const share of shares) {
    sum += share;
    squares += share * share;
  }
  return shares.length < 2 || squares === 0 ? 1 : (sum * sum) / (shares.length * squares);
}
