import { report, type RunReport } from "../../engine/analysis/report";
import { createEngine, type MachineEngine } from "../../engine/create";
import { attachFiles } from "../../engine/design/files";
import { parseDesign } from "../../engine/design/parse";
import type { Design } from "../../engine/design/model";

/** The design of a text that must have no error. @param files texts of the files that it names */
export function designOf(text: string, files: Readonly<Record<string, string>> = {}): Design {
  const { design, problems } = parseDesign(text);
  const attached = design && attachFiles(design, (name) => files[name]);
  const errors = [...problems, ...(attached?.problems ?? [])].filter((p) => p.severity === "error");
  if (attached === undefined || errors.length > 0) throw new Error(`design with errors: ${errors.map((p) => p.message).join(" ")}`);
  return attached.design;
}

/** Runs a design to its end. */
export function runDesign(text: string, files?: Readonly<Record<string, string>>): { readonly engine: MachineEngine; readonly report: RunReport } {
  const engine = createEngine(designOf(text, files));
  while (engine.dispatch());
  return { engine, report: report(engine) };
}
