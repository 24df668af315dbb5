/** Mean of replications and half of its confidence interval. @param t quantile of Student's distribution for that many */
export function meanAndError(values: readonly number[], t: number): { mean: number; error: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (values.length - 1);
  return { mean, error: t * Math.sqrt(variance / values.length) };
}
