import * as vscode from "vscode";
import { formatTime } from "../../engine/session/format";
import type { RunningSimulation } from "./runningSimulation";

/** A movement that takes longer than this shows how far it is, milliseconds. */
const PATIENCE = 1000;

/** Shows progress while a movement of the cursor records far ahead; cancelling pauses where it got to. */
export async function showProgress(done: Promise<void>, stop: () => void, simulation: () => RunningSimulation | undefined): Promise<void> {
  const slow = await Promise.race([done.then(() => false), new Promise<boolean>((resolve) => setTimeout(() => resolve(true), PATIENCE))]);
  if (!slow) return;
  const title = vscode.l10n.t("Simulating");
  await vscode.window.withProgress({ location: vscode.ProgressLocation.Notification, title, cancellable: true }, async (progress, token) => {
    token.onCancellationRequested(stop);
    let percent = 0;
    const report = (): void => {
      const running = simulation();
      if (!running) return;
      const reached = Math.floor((100 * running.time) / running.until);
      progress.report({ message: vscode.l10n.t("{0} of {1}", formatTime(running.time), formatTime(running.until)), increment: reached - percent });
      percent = reached;
    };
    report();
    const subscription = simulation()?.onDidGrow(report);
    await done;
    subscription?.dispose();
  });
}
