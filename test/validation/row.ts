/** What a row is: a point that a cost was fitted on, a prediction, or what has no model. */
export type Kind = "fitted" | "predicted" | "not simulated";

export interface Row {
  /** Section of the LibrettOS paper (VEE 2020). */
  readonly section: string;
  readonly system: string;
  readonly workload: string;
  readonly metric: string;
  readonly paper: string;
  readonly kind: Kind;
  /** What the simulation says; with the error in percent where both are numbers, or whether a statement holds. */
  measure(): Result;
}

export interface Result {
  readonly ours: string;
  readonly error?: number;
  readonly holds?: boolean;
  readonly remark?: string;
}

/** A statement of the paper about which system is faster, or how alike they are. */
export function ordering(section: string, system: string, workload: string, paper: string, measure: () => Result): Row {
  return { section, system, workload, metric: "ordering", paper, kind: "predicted", measure };
}

export function missing(section: string, system: string, workload: string, metric: string, paper: string, ours: string): Row {
  return { section, system, workload, metric, paper, kind: "not simulated", measure: () => ({ ours }) };
}

/** By how much `ours` is above `published`, percent. */
export function percent(ours: number, published: number): number {
  return 100 * (ours / published - 1);
}

export function signed(percentage: number): string {
  return `${percentage >= 0 ? "+" : "−"}${Math.abs(percentage).toFixed(0)} %`;
}
