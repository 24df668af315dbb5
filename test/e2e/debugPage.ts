import type { Locator } from "playwright-core";
import { eventually } from "./eventually";
import type { VSCodeWindow } from "./harness";

export type DebugView = "debug-variables" | "debug-call-stack";

/** What VS Code's own debugger shows, read from the screen. */
export class DebugPage {
  constructor(private readonly window: VSCodeWindow) {}

  /** A button of the debug toolbar, e.g. `Step Back`. */
  button(name: string): Locator {
    return this.window.page.locator(`.debug-toolbar .action-label[aria-label="${name}"], .debug-toolbar .action-label[aria-label^="${name} ("]`);
  }

  /** The row of the trace on top of the stack; undefined while the simulation runs, or there is none. */
  row(): Promise<number | undefined> {
    return this.window.evaluate((api) => (api.debug.activeStackItem instanceof api.DebugStackFrame ? api.debug.activeStackItem.frameId - 1 : undefined));
  }

  /** Does what moves the cursor. @returns the row that it moves to. */
  async moved(act: () => Promise<void>): Promise<number> {
    const before = await this.row();
    await act();
    return eventually(async () => {
      const row = await this.row();
      return row !== before && row;
    }, `the debugger moves on from row ${before}`);
  }

  /**
   * Text of the line that is highlighted as the current one, without what VS Code inserts invisibly where its marks stand.
   * Of other threads VS Code highlights lines as well, but the caret is in the line of the thread that stopped.
   */
  highlightedLine(): Promise<string | undefined> {
    return this.window.page.evaluate(() => {
      const topOf = (element: Element | null): string | undefined => element?.closest<HTMLElement>("[style*=top]")?.style.top;
      const marks = [...document.querySelectorAll(".monaco-editor .view-overlays .debug-top-stack-frame-line, .monaco-editor .view-overlays .debug-focused-stack-frame-line")];
      const editor = marks[0]?.closest(".monaco-editor");
      const caret = topOf(editor?.querySelector(".line-numbers.active-line-number") ?? null);
      if (!editor || !marks.some((mark) => topOf(mark) === caret)) return undefined;
      const line = [...editor.querySelectorAll<HTMLElement>(".view-line")].find((each) => each.style.top === caret);
      return line?.textContent.replaceAll("\u00a0", " ").replaceAll(/[^ -~]/g, "").trim();
    });
  }

  /** All rows of a view in Run and Debug, scrolled through from top to bottom: only those in sight are in the document. */
  async rows(view: DebugView): Promise<string[]> {
    const texts = new Map<number, string>();
    await this.scrollThrough(view, async () => {
      const rows = await this.window.page.locator(`.${view} .monaco-list-row`).evaluateAll((all) => all.map((row) => [Number(row.dataset["index"]), row.textContent] as const));
      for (const [index, text] of rows) texts.set(index, text);
      return false;
    });
    return [...texts].sort(([a], [b]) => a - b).map(([, text]) => text);
  }

  /** All rows of a view, once some of them say each of that: a view fills when the debugger has answered. */
  rowsWith(view: DebugView, ...wanted: readonly RegExp[]): Promise<string[]> {
    return eventually(async () => {
      const rows = await this.rows(view);
      return wanted.every((each) => rows.some((text) => each.test(text))) && rows;
    }, `${view} has rows with ${wanted.join(" and ")}`);
  }

  /**
   * Clicks the first row that says so, wherever it is in its view.
   * @param state selects among such rows.
   */
  async clickRow(view: DebugView, text: RegExp, state = ""): Promise<void> {
    const list = this.window.page.locator(`.${view} .monaco-list`);
    const row = list.locator(`.monaco-list-row${state}`, { hasText: text }).first();
    // The list draws rows beyond its edges, too: those cannot be clicked yet.
    const within = async (): Promise<boolean> => {
      const [outer, inner] = [await list.boundingBox(), (await row.count()) > 0 ? await row.boundingBox() : null];
      return outer !== null && inner !== null && inner.y >= outer.y && inner.y + inner.height <= outer.y + outer.height;
    };
    await eventually(async () => {
      let found = false;
      await this.scrollThrough(view, async () => (found = await within()));
      return found && row.click({ timeout: 5000 }).then(() => true, () => false);
    }, `${view} has a row with ${text} to click`);
  }

  /** @param visit looks at what is on the screen; true: it has seen enough. */
  private async scrollThrough(view: DebugView, visit: () => Promise<boolean>): Promise<void> {
    const { page } = this.window;
    const list = page.locator(`.${view} .monaco-list`);
    /** How far the rows are scrolled up, and whether the last one is in sight. */
    const place = (): Promise<{ readonly up: number; readonly isEnd: boolean }> => list.evaluate((element) => {
      const [outer, inner] = [element.getBoundingClientRect(), element.querySelector(".monaco-list-rows")?.getBoundingClientRect() ?? new DOMRect()];
      return { up: outer.top - inner.top, isEnd: inner.bottom <= outer.bottom + 1 };
    });
    await eventually(async () => {
      await list.hover();
      await page.mouse.wheel(0, -5000);
      await page.waitForTimeout(100);
      return (await place()).up < 1;
    }, `${view} is scrolled to its top`);
    for (;;) {
      if (await visit()) return;
      const before = await place();
      if (before.isEnd) return;
      await list.hover();
      await page.mouse.wheel(0, 200);
      // A list that has become shorter meanwhile may be at its end already.
      await eventually(async () => {
        const now = await place();
        return now.up !== before.up || now.isEnd;
      }, `${view} scrolls down`);
    }
  }

  /** Sees from now on what the debugger answers in sessions that begin. */
  async watchBreakpoints(): Promise<void> {
    await this.window.evaluate((api) => {
      const seen = globalThis as { breakpointsTaken?: number };
      seen.breakpointsTaken = 0;
      api.debug.registerDebugAdapterTrackerFactory("exoscope", {
        createDebugAdapterTracker: () => ({ onDidSendMessage: (message) => void (message.command === "setFunctionBreakpoints" && seen.breakpointsTaken!++) }),
      });
    });
  }

  /** Stops at nothing but a function, and waits until the debugger has taken that. */
  async breakOnlyAt(name: string): Promise<void> {
    const taken = await this.window.evaluate((api, fn) => {
      const before = (globalThis as { breakpointsTaken?: number }).breakpointsTaken ?? 0;
      api.debug.removeBreakpoints(api.debug.breakpoints);
      api.debug.addBreakpoints([new api.FunctionBreakpoint(fn)]);
      return before;
    }, name);
    await eventually(() => this.window.evaluate((_api, before) => ((globalThis as { breakpointsTaken?: number }).breakpointsTaken ?? 0) > before, taken), `the debugger knows of the breakpoint at ${name}`);
  }

  /** Opens a row of the variables that is closed. */
  async expand(text: RegExp): Promise<void> {
    await this.clickRow("debug-variables", text, "[aria-expanded=false]");
  }

  /** Opens or closes a pane of Run and Debug, e.g. `Watch`. */
  async togglePane(name: string): Promise<void> {
    await this.window.page.locator(`.pane-header[aria-label^="${name}"]`).click();
  }
}
