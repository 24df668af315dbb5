import * as vscode from "vscode";
import { readQuantity } from "../../engine/design/units";
import { formatTime } from "../../engine/session/format";
import { runConfiguration } from "./configuration";
import { activeDesign, isDesign } from "./designs";
import type { Registry } from "./registry";
import type { RunningSimulation } from "./runningSimulation";
import { traceOfDesign } from "../traces/traceUri";

/** The debugger's own commands. */
export function registerCommands(registry: Registry): vscode.Disposable {
  const withSimulation = (action: (simulation: RunningSimulation) => Promise<unknown>) => async (): Promise<void> => {
    const simulation = registry.active;
    if (simulation) await action(simulation);
    else void vscode.window.showInformationMessage(vscode.l10n.t("No simulation is running. Open a design and press F5."));
  };
  const { registerCommand } = vscode.commands;
  return vscode.Disposable.from(
    registerCommand("exoscope.run", (uri?: unknown) => run(registry, uri instanceof vscode.Uri && isDesign(uri) ? uri : undefined)),
    registerCommand("exoscope.exportCapture", withSimulation(exportCapture)),
    registerCommand("exoscope.goToEvent", withSimulation(goToEvent)),
    registerCommand("exoscope.nextEvent", withSimulation(({ adapter }) => adapter.stepEvent("nextEvent"))),
    registerCommand("exoscope.previousEvent", withSimulation(({ adapter }) => adapter.stepEvent("previousEvent"))),
    registerCommand("exoscope.followPacket", withSimulation(followPacket)),
  );
}

async function run(registry: Registry, given: vscode.Uri | undefined): Promise<boolean> {
  const uri = given ?? activeDesign();
  if (!uri) {
    void vscode.window.showInformationMessage(vscode.l10n.t("Open a design (a file whose name ends in .exo.yaml) to run it."));
    return false;
  }
  const running = registry.of(uri);
  if (running) await vscode.debug.stopDebugging(running.session);
  return vscode.debug.startDebugging(vscode.workspace.getWorkspaceFolder(uri), runConfiguration(uri));
}

async function exportCapture(simulation: RunningSimulation): Promise<void> {
  const file = traceOfDesign(simulation.uri) ?? simulation.uri;
  const base = file.path.replace(/\.(exo\.ya?ml|exotrace)$/i, "");
  const target = await vscode.window.showSaveDialog({
    defaultUri: file.with({ path: `${base}.pcapng` }), title: vscode.l10n.t("Export Packet Capture"),
    filters: { [vscode.l10n.t("Packet capture")]: ["pcapng"] },
  });
  if (!target) return;
  try {
    await vscode.workspace.fs.writeFile(target, await simulation.capture());
  } catch (error) {
    void vscode.window.showErrorMessage(vscode.l10n.t("The capture was not written: {0}", error instanceof Error ? error.message : String(error)));
    return;
  }
  void vscode.window.showInformationMessage(vscode.l10n.t("Wrote the packets of the first {0} to {1}.", formatTime(simulation.time), vscode.workspace.asRelativePath(target)));
}

async function goToEvent(simulation: RunningSimulation): Promise<void> {
  const text = await vscode.window.showInputBox({
    title: vscode.l10n.t("Go to Event"), prompt: vscode.l10n.t("The number of an event, or a time such as 2.5ms"),
    value: String(simulation.cursor?.row ?? 0),
    validateInput: (value) => (readDestination(value) ? undefined : vscode.l10n.t("Write the number of an event (0 is the first), or a time with a unit: ns, us, ms or s.")),
  });
  const destination = text === undefined ? undefined : readDestination(text);
  if (destination) await simulation.adapter.moveTo(destination, "debugger");
}

function readDestination(text: string): { kind: "row"; row: number } | { kind: "time"; time: number } | undefined {
  const trimmed = text.trim().replace(/^#/, "");
  if (/^\d{1,10}$/.test(trimmed)) return { kind: "row", row: Number(trimmed) };
  const time = readQuantity("time", trimmed);
  return "failure" in time ? undefined : { kind: "time", time: time.value };
}

async function followPacket({ adapter, cursor }: RunningSimulation): Promise<void> {
  if (cursor && cursor.packet >= 0) await adapter.toggleFollow(cursor.packet);
  else void vscode.window.showInformationMessage(vscode.l10n.t("The current event belongs to no packet."));
}
