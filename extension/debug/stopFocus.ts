import * as vscode from "vscode";
import type { CursorOrigin } from "../../protocol/cursor";
import type { Keyboard } from "../webview/focus";
import { designOfTab, diagramViewType } from "./designs";

/** Steps that follow each other faster than this, milliseconds, are one run of steps: the focus goes back at its end. */
const RUN_OF_STEPS = 200;
/**
 * A webview looks four times a second whether it has the focus, and VS Code makes its group the active one when it hears
 * of it. For this long after the diagram got the focus, milliseconds, its group may become active at any moment.
 */
const FOCUS_NEWS = 350;

/**
 * Keeps tabs and keyboard focus in place over a stop.
 *
 * VS Code opens the source of a stop in the active group wherever that group shows the same file, in whatever editor:
 * with the diagram active, the text would open over it. And it moves the focus into the text, whichever view the
 * cursor was chosen in. So the text's column becomes the active one before a stop is reported, and the focus goes back
 * when the stop has been shown.
 */
export class StopFocus {
  /** The column of the diagram that had the focus before the stop, or before the run of steps. */
  private diagramColumn: vscode.ViewColumn | undefined;
  /** The diagram has not got back yet the focus that it had: a stop on the way belongs to the same run of steps. */
  private owed = false;
  /** The same of the timeline. */
  private timelineOwed = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  /** The focus is on its way back: VS Code was told, and has not answered. */
  private returning: Promise<unknown> | undefined;
  private returnedAt = 0;
  /** Counts the stops: a later one makes an earlier one's focus pointless. */
  private stops = 0;
  /** Ends the wait for a stop to be shown. */
  private giveUp: (() => void) | undefined;

  /** @param timeline whether the timeline has the keyboard. */
  constructor(private readonly session: vscode.DebugSession, private readonly design: vscode.Uri, private readonly timeline: Keyboard) {}

  dispose(): void {
    this.forget();
  }

  /** Puts the design's text on the screen in a column of its own, and that column in front of an active diagram. */
  async before(): Promise<void> {
    this.forget();
    await this.returning;
    if (this.owed && this.diagramColumn !== undefined) await this.uncover(this.diagramColumn);
    const { all: groups, activeTabGroup } = vscode.window.tabGroups;
    // What VS Code did last may not have been told here: a diagram that has just got the focus has it.
    const diagram = showsDiagram(activeTabGroup) || (this.diagramColumn !== undefined && Date.now() < this.returnedAt + FOCUS_NEWS);
    if (showsDiagram(activeTabGroup)) this.diagramColumn = activeTabGroup.viewColumn;
    else if (!diagram && !(this.owed && this.isText(activeTabGroup.activeTab))) this.diagramColumn = undefined;
    this.owed = this.diagramColumn !== undefined;
    const shown = vscode.window.visibleTextEditors.find((editor) =>
      editor.document.uri.toString() === this.design.toString() && editor.viewColumn !== undefined && editor.viewColumn !== this.diagramColumn);
    if (shown && !diagram) return;
    if (diagram) await delay(this.returnedAt + FOCUS_NEWS - Date.now());
    const others = groups.filter((group) => !showsDiagram(group) && group.viewColumn !== this.diagramColumn);
    const holding = others.find((group) => group.tabs.some((tab) => this.isText(tab)));
    const viewColumn = shown?.viewColumn ?? holding?.viewColumn ?? others[0]?.viewColumn ?? vscode.ViewColumn.Beside;
    await vscode.window.showTextDocument(this.design, { viewColumn, preserveFocus: !diagram, preview: false });
  }

  /**
   * Gives the focus back once VS Code has shown the stop: to the timeline if the cursor was chosen there, or if it had the
   * keyboard, else to the diagram if that had it.
   * @param frame The id of the frame on top of the stack.
   */
  async after(frame: number, origin: CursorOrigin): Promise<void> {
    const { stops, diagramColumn } = this;
    const { taken } = this.timeline;
    this.timelineOwed ||= origin === "timeline" || this.timeline.here;
    const shown = await this.shown(frame);
    if (stops !== this.stops) return;
    // VS Code takes the keyboard when a stop is shown, not when it is reported: the timeline may have got it in between.
    const toTimeline = this.timelineOwed || this.timeline.taken !== taken;
    this.timelineOwed = false;
    // Where the user has put the focus meanwhile, it stays.
    if (!shown) this.owed = false;
    if (!shown) return;
    if (diagramColumn !== undefined) await this.uncover(diagramColumn);
    if (stops !== this.stops) return;
    if (toTimeline) {
      this.owed = false;
      await vscode.commands.executeCommand("exoscope.showTimeline");
    } else if (diagramColumn !== undefined) this.timer = setTimeout(() => this.returnTo(diagramColumn), RUN_OF_STEPS);
  }

  /** What earlier stops took is not given back any more. */
  private forget(): void {
    this.stops++;
    this.giveUp?.();
    clearTimeout(this.timer);
  }

  private returnTo(column: vscode.ViewColumn): void {
    this.returning = Promise.resolve(vscode.commands.executeCommand("exoscope.focusDiagram", column)).catch(() => undefined).then(() => {
      this.returning = undefined;
      this.owed = false;
      this.returnedAt = Date.now();
    });
  }

  /** Where the diagram's group became active at the wrong moment after all, takes the text off it again. */
  private async uncover(column: vscode.ViewColumn): Promise<void> {
    const group = vscode.window.tabGroups.all.find(({ viewColumn }) => viewColumn === column);
    const above = group?.activeTab;
    if (!group || !above || !this.isText(above) || !group.tabs.some((tab) => isDiagram(tab))) return;
    // A stop on the way may have closed it.
    await vscode.window.tabGroups.close(above, true).then(undefined, () => false);
  }

  private isText(tab: vscode.Tab | undefined): boolean {
    return tab?.input instanceof vscode.TabInputText && designOfTab(tab)?.toString() === this.design.toString();
  }

  /**
   * Resolves when the frame is the one in focus, which VS Code makes it after it has opened its source, however long that
   * takes; with false when that does not matter any more: the user has taken to a text meanwhile, or another stop comes.
   */
  private shown(frame: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (shown: boolean): void => {
        this.giveUp = undefined;
        watching.dispose();
        resolve(shown);
      };
      this.giveUp = () => done(false);
      const watching = vscode.Disposable.from(
        vscode.debug.onDidChangeActiveStackItem((item) => {
          if (item instanceof vscode.DebugStackFrame && item.session.id === this.session.id && item.frameId === frame) done(true);
        }),
        vscode.window.onDidChangeTextEditorSelection(({ kind }) => {
          if (kind === vscode.TextEditorSelectionChangeKind.Mouse || kind === vscode.TextEditorSelectionChangeKind.Keyboard) done(false);
        }),
      );
    });
  }
}

function isDiagram(tab: vscode.Tab | undefined): boolean {
  return tab?.input instanceof vscode.TabInputCustom && tab.input.viewType === diagramViewType;
}

function showsDiagram(group: vscode.TabGroup): boolean {
  return isDiagram(group.activeTab);
}

function delay(milliseconds: number): Promise<void> {
  return milliseconds > 0 ? new Promise((resolve) => setTimeout(resolve, milliseconds)) : Promise.resolve();
}
