import { report, type RunReport } from "../../engine/analysis/report";
import { createEngine, type MachineEngine } from "../../engine/create";
import { parseDesign } from "../../engine/design/parse";
import type { Design } from "../../engine/design/model";

/** The design of a text that must have no error. */
export function designOf(text: string): Design {
  const { design, problems } = parseDesign(text);
  const errors = problems.filter((p) => p.severity === "error");
  if (design === undefined || errors.length > 0) throw new Error(`design with errors: ${errors.map((p) => p.message).join(" ")}`);
  return design;
}

/** Runs a design to its end. */
export function runDesign(text: string): { readonly engine: MachineEngine; readonly report: RunReport } {
  const engine = createEngine(designOf(text));
  while (engine.dispatch());
  return { engine, report: report(engine) };
}
