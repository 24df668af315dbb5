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
  async rows(view: DebugView): Promise<readonly string[]> {
    return (await this.scrollThrough(view)).rows;
  }

  /** All rows of a view, once some of them say each of that: a view fills when the debugger has answered. */
  rowsWith(view: DebugView, ...wanted: readonly RegExp[]): Promise<readonly string[]> {
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
    const row = this.window.page.locator(`.${view} .monaco-list .monaco-list-row${state}`, { hasText: text }).first();
    await eventually(async () => {
      const { found } = await this.scrollThrough(view, { text, state });
      return found && row.click({ timeout: 5000 }).then(() => true, () => false);
    }, `${view} has a row with ${text} to click`);
  }

  /**
   * Scrolls through a view from its top, within the page: to go there and back for each step takes most of a minute.
   * @param wanted where such a row is in sight as a whole, that is far enough.
   * @returns the texts of the rows that were in sight.
   */
  private scrollThrough(view: DebugView, wanted?: { readonly text: RegExp; readonly state: string }): Promise<{ readonly rows: readonly string[]; readonly found: boolean }> {
    const list = this.window.page.locator(`.${view} .monaco-list`);
    return list.evaluate(async (element, look) => {
      const texts = new Map<number, string>();
      const pattern = look && new RegExp(look.source, look.flags);
      const drawn = (state = ""): HTMLElement[] => [...element.querySelectorAll<HTMLElement>(`.monaco-list-row${state}`)];
      const bounds = (): { readonly outer: DOMRect; readonly inner: DOMRect } => ({ outer: element.getBoundingClientRect(), inner: element.querySelector(".monaco-list-rows")?.getBoundingClientRect() ?? new DOMRect() });
      /** How far the rows are scrolled up. */
      const up = (): number => bounds().outer.top - bounds().inner.top;
      /** @returns whether anything moved, which a list that changes meanwhile may refuse. */
      const scroll = async (pixels: number): Promise<boolean> => {
        const before = up();
        // VS Code reads Chromium's older measure, 120 a notch, and scrolls by 50 pixels a notch.
        const wheel = { deltaY: pixels, wheelDeltaY: -pixels * (120 / 50), bubbles: true, cancelable: true };
        element.querySelector(".monaco-list-rows")?.dispatchEvent(new WheelEvent("wheel", wheel));
        await new Promise(requestAnimationFrame);
        return up() !== before;
      };
      const seen = (found: boolean): { rows: string[]; found: boolean } => ({ rows: [...texts].sort(([a], [b]) => a - b).map(([, text]) => text), found });
      while (up() >= 1) if (!(await scroll(-5000))) return seen(false);
      for (;;) {
        for (const row of drawn()) texts.set(Number(row.dataset["index"]), row.textContent);
        const { outer, inner } = bounds();
        const row = look && drawn(look.state).find(({ textContent }) => pattern?.test(textContent))?.getBoundingClientRect();
        // The list draws rows beyond its edges, too: those cannot be clicked yet.
        if (row && row.top >= outer.top && row.bottom <= outer.bottom) return seen(true);
        if (inner.bottom <= outer.bottom + 1 || !(await scroll(Math.max(0.7 * outer.height, 20)))) return seen(false);
      }
    }, wanted && { source: wanted.text.source, flags: wanted.text.flags, state: wanted.state });
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
