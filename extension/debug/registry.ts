import * as vscode from "vscode";
import { Keyboard } from "../webview/focus";
import type { RunningSimulation } from "./runningSimulation";
import type { Simulation, Simulations } from "./simulations";

/** Keeps the simulations of this window, one a debug session, and which of them the views show. */
export class Registry implements Simulations, vscode.Disposable {
  private readonly running = new Map<string, RunningSimulation>();
  private readonly change = new vscode.EventEmitter<Simulation | undefined>();
  private shown: RunningSimulation | undefined;
  private readonly subscription = vscode.debug.onDidChangeActiveDebugSession(() => this.update());
  readonly onDidChangeActive = this.change.event;
  readonly timelineKeyboard = new Keyboard();

  get active(): RunningSimulation | undefined { return this.shown; }

  of(uri: vscode.Uri): RunningSimulation | undefined {
    return [...this.running.values()].find((simulation) => simulation.uri.toString() === uri.toString());
  }

  ofSession(session: vscode.DebugSession): RunningSimulation | undefined { return this.running.get(session.id); }

  add(simulation: RunningSimulation): void {
    this.running.set(simulation.session.id, simulation);
    this.update();
  }

  remove(session: vscode.DebugSession): void {
    const simulation = this.running.get(session.id);
    if (!this.running.delete(session.id)) return;
    simulation?.ended();
    this.update();
  }

  dispose(): void {
    this.subscription.dispose();
    this.change.dispose();
  }

  /** The active session's; while another type of session is active, the one shown before, as long as it runs. */
  private update(): void {
    const session = vscode.debug.activeDebugSession;
    const kept = this.shown && this.running.get(this.shown.session.id);
    const next = (session && this.running.get(session.id)) ?? kept ?? [...this.running.values()].pop();
    if (next === this.shown) return;
    this.shown = next;
    this.change.fire(next);
  }
}
