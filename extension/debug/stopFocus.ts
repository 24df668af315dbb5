import * as vscode from "vscode";
import type { CursorOrigin } from "../../protocol/cursor";
import { diagramViewType } from "./designs";

/** Longest wait for VS Code to show a stop, milliseconds; after that the focus may be where the user has put it since. */
const PATIENCE = 3000;

const focusGroup = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth"].map((which) => `workbench.action.focus${which}EditorGroup`);

/**
 * Keeps tabs and keyboard focus in place over a stop.
 *
 * VS Code opens the source of a stop in the active group wherever that group shows the same file, in whatever editor:
 * with the diagram active, the text would open over it. And it moves the focus into the text, whichever view the
 * cursor was chosen in. So the text's column becomes the active one before a stop is reported, and the focus goes back
 * when the stop has been shown.
 */
export class StopFocus {
  /** The column of the diagram that was active when the stop came. */
  private diagramColumn: vscode.ViewColumn | undefined;
  /** Counts the stops: a later one makes an earlier one's focus pointless. */
  private stops = 0;

  constructor(private readonly session: vscode.DebugSession) {}

  /** Puts the design's text on the screen in a column of its own, and that column in front of an active diagram. */
  async before(design: vscode.Uri): Promise<void> {
    this.stops++;
    const { all: groups, activeTabGroup } = vscode.window.tabGroups;
    const diagram = showsDiagram(activeTabGroup);
    this.diagramColumn = diagram ? activeTabGroup.viewColumn : undefined;
    const key = design.toString();
    const shown = vscode.window.visibleTextEditors.find((editor) => editor.document.uri.toString() === key && editor.viewColumn !== undefined);
    if (shown && !diagram) return;
    const others = groups.filter((group) => !showsDiagram(group));
    const holding = others.find((group) => group.tabs.some((tab) => tab.input instanceof vscode.TabInputText && tab.input.uri.toString() === key));
    const viewColumn = shown?.viewColumn ?? holding?.viewColumn ?? others[0]?.viewColumn ?? vscode.ViewColumn.Beside;
    await vscode.window.showTextDocument(design, { viewColumn, preserveFocus: !diagram, preview: false });
  }

  /**
   * Gives the focus back once VS Code has shown the stop: to the timeline if the cursor was chosen there, else to the
   * diagram if that had it.
   * @param frame The id of the frame on top of the stack.
   */
  async after(frame: number, origin: CursorOrigin): Promise<void> {
    const command = origin === "timeline" ? "exoscope.timeline.focus" : this.diagramColumn === undefined ? undefined : focusGroup[this.diagramColumn - 1];
    if (command === undefined) return;
    const stop = this.stops;
    const shown = await this.shown(frame);
    if (shown && stop === this.stops) await vscode.commands.executeCommand(command);
  }

  /** Resolves when the frame is the one in focus, which VS Code makes it after it has opened its source; false if that takes too long. */
  private shown(frame: number): Promise<boolean> {
    return new Promise((resolve) => {
      const done = (shown: boolean): void => {
        subscription.dispose();
        clearTimeout(timer);
        resolve(shown);
      };
      const subscription = vscode.debug.onDidChangeActiveStackItem((item) => {
        if (item instanceof vscode.DebugStackFrame && item.session.id === this.session.id && item.frameId === frame) done(true);
      });
      const timer = setTimeout(() => done(false), PATIENCE);
    });
  }
}

function showsDiagram(group: vscode.TabGroup): boolean {
  const input = group.activeTab?.input;
  return input instanceof vscode.TabInputCustom && input.viewType === diagramViewType;
}
