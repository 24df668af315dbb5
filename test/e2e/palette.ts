import type { Page } from "playwright-core";
import { eventually } from "./eventually";

/**
 * Chooses a command in the palette. It is opened again where it was closed: VS Code gives a view the keyboard a second time, 50 ms after it
 * got it, and that closes what has been opened meanwhile.
 */
export async function chooseCommand(page: Page, title: string): Promise<void> {
  const input = page.locator(".quick-input-widget input.input:visible, .quick-input-widget .quick-input-box input:visible").first();
  const row = page.locator(".quick-input-widget .quick-input-list .monaco-list-row").filter({ has: page.locator(".quick-input-list-entry", { hasText: title }) });
  await eventually(async () => {
    await page.keyboard.press("F1");
    return input.fill(`>${title}`, { timeout: 5000 }).then(() => row.first().click({ timeout: 5000 })).then(() => true, () => false);
  }, `the palette offers ${title}`);
}
