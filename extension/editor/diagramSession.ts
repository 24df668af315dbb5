import * as vscode from "vscode";
import type { Design, ParseResult, Problem } from "../../engine/design/model";
import { parseDesign } from "../../engine/design/parse";
import { STARTER_DESIGN } from "../../engine/design/starter";
import type { CursorView } from "../../protocol/cursor";
import { boxAround, type FromDiagram, type ToDiagram } from "../../protocol/diagram";
import type { Simulations } from "../debug/simulations";
import type { ActiveUplinks } from "./activeUplink";
import { goTo, revealQuietly, spelledPart } from "./designText";
import { diagramModel } from "./diagramModel";
import { drawnCursor } from "./drawnCursor";
import { partAt } from "./marks";
import { movableUplinks, moveTargets } from "./moveTargets";
import { applyMove, pickAndMove, type Outcome } from "./moveUplink";
import { applyPins } from "./pinParts";
import { readOnlyReason } from "./readOnly";

/** Typing faster than this redraws once, milliseconds. */
const DEBOUNCE_MS = 120;

/** One open diagram: keeps the webview in step with its document, the caret and the debugger, and carries out its gestures. */
export class DiagramSession implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[] = [];
  /** Ends with the simulation that it watches. */
  private watching: vscode.Disposable[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ready = false;
  private design: Design | undefined;
  private problems: readonly Problem[] = [];
  private readOnly = false;
  /** In use where the debugger stands. */
  private uplinks: ActiveUplinks = {};
  private drawnVersion = -1;
  /** What is on the screen was read from text that was whole YAML. */
  private drawnWhole = false;
  private selected: string | undefined;
  /** Where we have put carets that VS Code has not told us of yet, oldest first. */
  private revealed: vscode.Position[] = [];

  constructor(
    readonly document: vscode.TextDocument,
    private readonly panel: vscode.WebviewPanel,
    private readonly simulations: Simulations,
  ) {
    const key = document.uri.toString();
    this.disposables.push(
      panel.webview.onDidReceiveMessage((message: FromDiagram) => void this.receive(message)),
      vscode.workspace.onDidChangeTextDocument((event) => {
        if (event.document.uri.toString() === key && event.contentChanges.length > 0) this.schedule();
      }),
      vscode.window.onDidChangeTextEditorSelection((event) => {
        if (event.textEditor.document.uri.toString() === key) this.followCaret(event.selections[0]?.active);
      }),
      simulations.onDidChangeActive(() => this.watch()),
    );
    this.watch();
  }

  dispose(): void {
    clearTimeout(this.timer);
    for (const each of [...this.disposables, ...this.watching]) each.dispose();
  }

  /** The page takes the keyboard. */
  focus(): void {
    this.post({ type: "focus" });
  }

  /** The palette's and the context menu's way to move an uplink. */
  async pickTarget(uplink: string | undefined): Promise<void> {
    this.report(await pickAndMove(this.document, uplink ?? this.selected));
  }

  /** Lets the box around a part stand where it would by itself. @param path the selected part, if not given */
  async unpin(path: string | undefined): Promise<void> {
    const part = path ?? this.selected;
    // Of the text as it is now: the pin may be younger than the picture.
    const { design } = parseDesign(this.document.getText());
    const box = part === undefined || !design ? undefined : boxAround(diagramModel(design, [], vscode.l10n.t).nodes, part);
    if (!box || design?.pins.has(box.path) !== true) {
      this.report({ ok: false, message: box ? vscode.l10n.t("{0} is not pinned.", box.label) : vscode.l10n.t("Choose a part of the diagram that is pinned.") });
      return;
    }
    this.report(await applyPins(this.document, new Map([[box.path, undefined]]), vscode.l10n.t("{0} is no longer pinned.", box.label)));
  }

  private async receive(message: FromDiagram): Promise<void> {
    switch (message.type) {
      case "ready":
        this.ready = true;
        this.drawnWhole = false;
        await this.update();
        this.watch();
        break;
      case "select":
        await this.choose(message.path, message.focus);
        break;
      case "askTargets":
        await this.answerTargets(message.uplink);
        break;
      case "move":
        this.report(await applyMove(this.document, message.uplink, message.target));
        break;
      case "pickTarget":
        await this.pickTarget(message.uplink);
        break;
      case "pin": {
        const name = message.path.slice(message.path.lastIndexOf("/") + 1);
        this.report(await applyPins(this.document, new Map(message.pins.map(({ path, x, y }) => [path, { x, y }])), vscode.l10n.t("{0} is pinned where it stands now.", name)));
        break;
      }
      case "unpin":
        await this.unpin(message.path);
        break;
      case "reveal":
        await goTo(this.document, message.offset);
        break;
      case "insertStarter":
        await this.insertStarter();
        break;
    }
  }

  private schedule(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.update(), DEBOUNCE_MS);
  }

  /** Reads the text and sends what there is to draw. */
  private async update(): Promise<void> {
    if (!this.ready) return;
    clearTimeout(this.timer);
    this.readOnly = (await readOnlyReason(this.document)) !== undefined;
    const { version } = this.document;
    const text = this.document.getText();
    if (text.trim() === "") {
      this.design = undefined;
      this.post({ type: "empty", readOnly: this.readOnly });
      return;
    }
    const { design, problems }: ParseResult = parseDesign(text);
    this.drawnVersion = version;
    // An open bracket swallows the rest of the text: rather the last design that was whole than a torn one.
    const torn = problems.some(({ code }) => code === "syntax");
    if (design && design.hosts.length > 0 && !(torn && this.drawnWhole)) {
      this.design = design;
      this.problems = problems;
      this.drawnWhole = !torn;
      this.draw(design);
      const editor = vscode.window.visibleTextEditors.find((each) => each.document === this.document);
      this.followCaret(editor?.selection.active);
    } else {
      this.design = undefined;
      this.post({ type: "unreadable", problem: this.describe(firstError(problems)) });
    }
  }

  private draw(design: Design): void {
    this.post({ type: "design", model: diagramModel(design, this.problems, vscode.l10n.t, this.uplinks), readOnly: this.readOnly });
  }

  private describe(problem: Problem | undefined): { message: string; place: { offset: number; line: number; column: number } } {
    const offset = problem?.range.start ?? 0;
    const { line, character } = this.document.positionAt(offset);
    return { message: problem?.message ?? vscode.l10n.t("There is no host in it."), place: { offset, line: line + 1, column: character + 1 } };
  }

  /** The tile of the line that the caret is in. */
  private followCaret(caret: vscode.Position | undefined): void {
    // The echo of our own reveals comes late: by then another part may be selected.
    const own = caret ? this.revealed.findIndex((position) => position.isEqual(caret)) : -1;
    if (own >= 0) {
      this.revealed.splice(0, own + 1);
      return;
    }
    // Ranges belong to the text that was read: while an edit waits to be read, they would point beside.
    if (!caret || !this.design || this.drawnVersion !== this.document.version) return;
    // Left of a line's first word one is in the line, not in the box around it.
    const indent = /^[\s-]*/.exec(this.document.lineAt(caret).text)?.[0].length ?? 0;
    const path = partAt(this.design, this.document.offsetAt(caret.with({ character: Math.max(caret.character, indent) })))?.path;
    // A part without a line of its own stays selected as long as the caret is in the line that stands for it.
    if (path !== undefined && this.selected !== undefined && spelledPart(this.design, this.selected)?.path === path) return;
    if (path === this.selected) return;
    this.selected = path;
    this.post({ type: "select", path });
  }

  private async choose(path: string, focus: boolean): Promise<void> {
    this.selected = path;
    const part = this.design && this.drawnVersion === this.document.version ? spelledPart(this.design, path) : undefined;
    if (!part) return;
    if (focus) await goTo(this.document, part.nameRange.start);
    else this.revealed.push(...revealQuietly(this.document, part.nameRange));
  }

  private async answerTargets(path: string): Promise<void> {
    const uplink = this.design && movableUplinks(this.design).find((each) => each.path === path);
    const refusal = await readOnlyReason(this.document);
    const targets = this.design && uplink ? moveTargets(this.design, uplink, vscode.l10n.t) : [];
    this.post({ type: "targets", uplink: path, targets, refusal });
  }

  private report(outcome: Outcome | undefined): void {
    if (outcome) this.post({ type: "outcome", ...outcome });
  }

  private async insertStarter(): Promise<void> {
    if (this.document.getText().trim() !== "") return;
    const change = new vscode.WorkspaceEdit();
    change.replace(this.document.uri, new vscode.Range(0, 0, this.document.lineCount, 0), STARTER_DESIGN);
    await vscode.workspace.applyEdit(change);
  }

  /** Shows the cursor of the active simulation if it is one of this design. */
  private watch(): void {
    for (const each of this.watching) each.dispose();
    this.watching = [];
    const simulation = this.simulations.active;
    const ours = simulation && simulation.uri.toString() === this.document.uri.toString() ? simulation : undefined;
    this.showCursor(ours?.cursor);
    if (!ours) return;
    this.watching.push(ours.onDidMoveCursor(({ view }) => this.showCursor(view)), ours.onDidEnd(() => this.showCursor(undefined)));
  }

  private showCursor(view: CursorView | undefined): void {
    this.post({ type: "cursor", cursor: view && drawnCursor(this.design, view) });
    const uplinks = view?.uplinks ?? {};
    if (JSON.stringify(uplinks) === JSON.stringify(this.uplinks)) return;
    this.uplinks = uplinks;
    if (this.design) this.draw(this.design);
  }

  private post(message: ToDiagram): void {
    if (this.ready) void this.panel.webview.postMessage(message);
  }
}

function firstError(problems: readonly Problem[]): Problem | undefined {
  // What breaks the text as YAML explains the rest.
  return problems.find((problem) => problem.code === "syntax") ?? problems.find((problem) => problem.severity === "error") ?? problems[0];
}

