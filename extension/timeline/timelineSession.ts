import * as vscode from "vscode";
import type { FromTimeline, ToTimeline } from "../../protocol/timeline";
import type { Simulation, Simulations } from "../debug/simulations";
import { timelinePage } from "./page";

/** A recording grows many times a second; the view hears of it this often, milliseconds. */
const GROWTH_PAUSE = 200;

/** One life of the timeline's webview: from when it is shown to when it is hidden. */
export class TimelineSession implements vscode.Disposable {
  private generation = 0;
  private readonly disposables: vscode.Disposable[] = [];
  /** What hangs on the simulation that is shown. */
  private watching: vscode.Disposable[] = [];
  private growth: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly view: vscode.WebviewView, extension: vscode.Uri, private readonly simulations: Simulations) {
    view.webview.options = { enableScripts: true, localResourceRoots: [vscode.Uri.joinPath(extension, "dist", "webview")] };
    this.disposables.push(
      view.webview.onDidReceiveMessage((message: FromTimeline) => this.receive(message)),
      simulations.onDidChangeActive(() => this.show()),
    );
    view.webview.html = timelinePage(view.webview, extension);
  }

  dispose(): void {
    this.release();
    this.simulations.timelineKeyboard.moved(false);
    for (const disposable of this.disposables) disposable.dispose();
  }

  post(message: ToTimeline): void {
    void this.view.webview.postMessage(message);
  }

  private release(): void {
    clearTimeout(this.growth);
    this.growth = undefined;
    for (const disposable of this.watching) disposable.dispose();
    this.watching = [];
  }

  /** Shows the active simulation, or that there is none. */
  private show(): void {
    this.release();
    const generation = ++this.generation;
    const simulation = this.simulations.active;
    this.view.description = simulation && nameOf(simulation);
    if (simulation) {
      this.watching.push(
        simulation.onDidGrow(() => (this.growth ??= setTimeout(() => this.grew(simulation), GROWTH_PAUSE))),
        simulation.onDidMoveCursor(({ view, origin }) => this.post({ type: "cursor", generation, cursor: view, reveal: origin !== "timeline" })),
      );
    }
    this.post({
      type: "simulation", generation,
      simulation: simulation && {
        key: simulation.uri.toString(), title: nameOf(simulation), names: simulation.names, rows: simulation.length, time: simulation.time,
        complete: simulation.complete, cursor: simulation.cursor,
      },
    });
  }

  private grew(simulation: Simulation): void {
    this.growth = undefined;
    this.post({ type: "grew", generation: this.generation, rows: simulation.length, time: simulation.time, complete: simulation.complete });
  }

  private receive(message: FromTimeline): void {
    switch (message.type) {
      case "ready": this.show(); break;
      case "run": void vscode.commands.executeCommand("exoscope.run"); break;
      case "keyboard": this.simulations.timelineKeyboard.moved(message.here); break;
      case "ask": void this.answer(message); break;
      case "moveCursor": void this.moveCursor(message); break;
    }
  }

  private async answer({ generation, id, query }: Extract<FromTimeline, { type: "ask" }>): Promise<void> {
    const simulation = this.simulations.active;
    if (generation !== this.generation || !simulation) return;
    try {
      this.post({ type: "answer", generation, id, result: await simulation.timeline(query) });
    } catch (error) {
      this.post({ type: "refused", generation, id, reason: error instanceof Error ? error.message : String(error) });
    }
  }

  private async moveCursor({ generation, row }: Extract<FromTimeline, { type: "moveCursor" }>): Promise<void> {
    if (generation !== this.generation) return;
    try {
      await this.simulations.active?.moveCursor(row, "timeline");
    } catch (error) {
      void vscode.window.showWarningMessage(
        vscode.l10n.t("The debugger cannot go to that event: {0}", error instanceof Error ? error.message : String(error)),
      );
    }
  }
}

function nameOf(simulation: Simulation): string {
  return simulation.uri.path.split("/").at(-1) ?? "";
}
