import * as vscode from "vscode";

/**
 * Gives the keyboard to one of our webviews, and to the page in it.
 *
 * VS Code gives it to the frame around the page at once, and to the page 50 ms later, unless it has heard meanwhile that
 * the webview is without focus (`WebviewElement._doFocus`). It hears of that late: the frame looks four times a second
 * (`trackFocus`). A webview that had the focus a moment ago, as before a stop of the debugger, would so be left with its
 * frame focused and the keys lost. The page that is told by us takes the keyboard itself.
 *
 * @param command makes VS Code focus the webview.
 * @param page tells the page, if it is there, by a message of the type `focus`.
 */
export async function focusPage(command: string, page: () => void): Promise<void> {
  await vscode.commands.executeCommand(command);
  page();
}

/** Whether a webview has the keyboard, as its page tells. */
export class Keyboard {
  /** True while it has. */
  here = false;
  /** How often it got it. */
  taken = 0;

  moved(here: boolean): void {
    if (here && !this.here) this.taken++;
    this.here = here;
  }
}
