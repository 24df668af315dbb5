import type { Frame } from "playwright-core";

/** Whether the keyboard is in a webview's page: in the frame around the page keys do nothing. */
export function hasKeyboard(page: Frame): Promise<boolean> {
  return page.evaluate(() => document.hasFocus());
}

/**
 * From now on VS Code hears that a webview has lost the keyboard at the worst moment: just when it has given it back, and
 * waits to give it to the page as well. It happens by chance where the webview looks (every 250 ms) right before that.
 */
export async function hearOfBlursLate(page: Frame): Promise<void> {
  const around = page.parentFrame();
  if (!around) throw new Error("A webview's page is in a frame.");
  await around.evaluate(() => {
    const post = MessagePort.prototype.postMessage;
    let late: (() => void) | undefined;
    MessagePort.prototype.postMessage = function (this: MessagePort, message: { readonly channel?: string }, ...rest: []) {
      if (message.channel === "did-focus" || message.channel === "did-blur") late = () => post.call(this, { ...message, channel: "did-blur" }, ...rest);
      if (message.channel !== "did-blur") post.call(this, message, ...rest);
    };
    window.addEventListener("focus", () => late?.());
  });
}
