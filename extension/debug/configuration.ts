import * as vscode from "vscode";
import { activeDesign, designPath, designUri } from "./designs";
import { isTrace, traceOfDesign } from "../traces/traceUri";

export const debugType = "exoscope";

/** The configuration that runs a design without a launch.json, or looks at a trace: also where that is seen as the design in it. */
export function runConfiguration(uri: vscode.Uri): vscode.DebugConfiguration {
  const program = traceOfDesign(uri) ?? uri;
  const file = program.path.slice(program.path.lastIndexOf("/") + 1);
  const name = isTrace(program) ? vscode.l10n.t("Trace {0}", file) : vscode.l10n.t("Simulate {0}", file);
  return { type: debugType, request: "launch", name, program: designPath(program), stopOnEntry: true };
}

/** Fills in what a launch configuration leaves out: the design is the one that the user looks at. */
export const configurationProvider: vscode.DebugConfigurationProvider = {
  resolveDebugConfiguration(_folder, config) {
    if (config.type && config["program"] !== undefined) return config;
    const uri = activeDesign();
    if (uri) {
      const { name, program, ...rest } = runConfiguration(uri);
      return { ...rest, ...config, type: debugType, request: "launch", name: config.name || name, program };
    }
    void vscode.window.showInformationMessage(vscode.l10n.t("Open a design (a file whose name ends in .exo.yaml) and run it again, or name it as “program” in launch.json."));
    return undefined;
  },

  resolveDebugConfigurationWithSubstitutedVariables(folder, config) {
    const program: unknown = config["program"];
    if (typeof program !== "string" || program === "") {
      void vscode.window.showErrorMessage(vscode.l10n.t("“program” in the launch configuration must be the path of a design, or of a trace."));
      return undefined;
    }
    const absolute = /^([/\\]|[A-Za-z]:|[a-z][a-z0-9+.-]+:\/)/i.test(program);
    const uri = absolute || !folder ? designUri(program) : vscode.Uri.joinPath(folder.uri, program);
    // The panel opens on the timeline; the debug console, which VS Code would show there, is one click away.
    const quiet = vscode.workspace.getConfiguration("exoscope").get("timeline.openOnStart", true) ? { internalConsoleOptions: "neverOpen" } : {};
    return { ...quiet, ...config, program: designPath(uri) };
  },

  async provideDebugConfigurations() {
    const designs = await vscode.workspace.findFiles("**/*.exo.yaml", "**/node_modules/**", 1);
    const program = designs[0] ? `\${workspaceFolder}/${vscode.workspace.asRelativePath(designs[0], false)}` : "${file}";
    return [{ type: debugType, request: "launch", name: vscode.l10n.t("Simulate Design"), program, stopOnEntry: true }];
  },
};

/** The designs of the workspace, for the list of things that can be run. */
export const workspaceDesigns: vscode.DebugConfigurationProvider = {
  async provideDebugConfigurations() {
    return (await vscode.workspace.findFiles("**/*.exo.{yaml,yml}", "**/node_modules/**", 50)).map(runConfiguration);
  },
};
