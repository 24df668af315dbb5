import * as vscode from "vscode";

/** Files in traces: so far the design that ran. */
export const TRACE_SCHEME = "exoscope-trace";

/** Whether a file is a trace, by its name. */
export function isTrace(uri: vscode.Uri): boolean {
  return uri.scheme !== TRACE_SCHEME && /\.exotrace$/i.test(uri.path);
}

/** The design that ran, as the trace has kept it: named like the trace, and as if in it. */
export function designOfTrace(trace: vscode.Uri): vscode.Uri {
  const name = trace.path.slice(trace.path.lastIndexOf("/") + 1).replace(/\.exotrace$/i, "");
  return vscode.Uri.from({ scheme: TRACE_SCHEME, path: `${trace.path}/${name}.exo.yaml` });
}

/** The trace that a design is in; undefined for one that is a file of its own. */
export function traceOfDesign(design: vscode.Uri): vscode.Uri | undefined {
  return design.scheme === TRACE_SCHEME ? vscode.Uri.file(design.path.slice(0, design.path.lastIndexOf("/"))) : undefined;
}
