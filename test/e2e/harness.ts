import { cp, mkdtemp, mkdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { Browser, Frame, Page } from "playwright-core";
import type * as vscode from "vscode";
import { out, repository } from "../../scripts/paths.mjs";
import { launchChromium } from "../../scripts/vscode/chromium.mjs";
import { startServer, type Server } from "../../scripts/vscode/server.mjs";
import { installPackage } from "../../scripts/vscode/extensions.mjs";
import { eventually } from "./eventually";
import { chooseCommand } from "./palette";

export type Theme = "light" | "dark" | "highContrast" | "highContrastLight";

export interface WindowOptions {
  /** Folder that the window opens a fresh copy of. Default: the samples. */
  readonly workspace?: string;
  /** A file of the workspace to open at once, e.g. `librettos/librettos.exo.yaml`. */
  readonly file?: string;
  /** The extension as in the repository (default), or as packaged and installed. */
  readonly extension?: "development" | "vsix";
  /** Default: light. */
  readonly theme?: Theme;
  /** False: the window is in Restricted Mode. Default: true. */
  readonly trusted?: boolean;
  /** User settings besides those that keep the window quiet. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Size of the window in CSS pixels. Default: 1400 × 900. */
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** A window of a real VS Code. Everything that a user can do goes through `page`. */
export interface VSCodeWindow {
  readonly page: Page;
  /** The window's own copy of the workspace, on disk. */
  readonly workspacePath: string;
  /** Evaluates a function in the extension host, with the `vscode` API. It must not refer to anything around it; what it takes and returns crosses as JSON. */
  evaluate<Result, Argument = undefined>(
    body: (api: typeof vscode, argument: Argument) => Result | PromiseLike<Result>,
    argument?: Argument,
  ): Promise<Result>;
  /** Runs a command as a user does: F1, its title (with its category, `Exoscope: …`), Enter. */
  runCommand(title: string): Promise<void>;
  /** Opens a file of the workspace in the editor that VS Code chooses, and waits until its tab is active. */
  openFile(path: string): Promise<void>;
  /** Text of the active text editor, saved or not. */
  editorText(): Promise<string>;
  /** The document inside one of the extension's webviews, e.g. `diagram` or `timeline`: the one that runs `dist/webview/<name>.js`. */
  webviewFrame(name: string): Promise<Frame>;
  /** Changes the theme, and waits until the workbench has it. */
  setTheme(theme: Theme): Promise<void>;
  /** Writes out/screenshots/<name>.png. */
  screenshot(name: string): Promise<void>;
  close(): Promise<void>;
}

const themes: Record<Theme, string> = {
  light: "Light Modern",
  dark: "Dark Modern",
  highContrast: "Default High Contrast",
  highContrastLight: "Default High Contrast Light",
};

/** Class of the workbench under a theme. */
const themeClasses: Record<Theme, string> = { light: "vs", dark: "vs-dark", highContrast: "hc-black", highContrastLight: "hc-light" };

/** Nothing that is not under test shows up by itself. */
const quietSettings = {
  "workbench.startupEditor": "none",
  "workbench.enableExperiments": false,
  "workbench.tips.enabled": false,
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "chat.disableAIFeatures": true,
  "telemetry.telemetryLevel": "off",
  "extensions.ignoreRecommendations": true,
  "extensions.autoCheckUpdates": false,
  "extensions.autoUpdate": false,
  "update.mode": "none",
  "git.enabled": false,
  // A served VS Code saves by itself after a second; a file changes only when a test saves it.
  "files.autoSave": "off",
  "remote.autoForwardPorts": false,
  "security.workspace.trust.startupPrompt": "never",
  "security.workspace.trust.banner": "never",
  "window.autoDetectColorScheme": false,
  "window.autoDetectHighContrast": false,
};

let browser: Promise<Browser> | undefined;
const servers = new Map<string, Promise<Server>>();
const openPages = new Set<Page>();
const openWindows = new Set<VSCodeWindow>();
let serverFolder: Promise<string> | undefined;

/**
 * Opens a window on a fresh copy of a workspace, in a browser without history, and waits until the workbench is there.
 * Windows with the same extension and trust share a server, and so its user settings: those of the window opened last.
 */
export async function openVSCode(options: WindowOptions = {}): Promise<VSCodeWindow> {
  const { workspace = join(repository, "samples"), extension = "development", theme = "light", trusted = true } = options;
  const server = await serverFor(extension, trusted);
  await server.setSettings({ ...quietSettings, ...options.settings });

  const folder = await mkdtemp(join(tmpdir(), "exoscope-window-"));
  const workspacePath = join(folder, basename(workspace));
  await cp(workspace, workspacePath, { recursive: true });

  const page = await openPage(options.viewport);
  const development = extension === "development" ? repository : undefined;
  const file = options.file === undefined ? undefined : join(workspacePath, options.file);
  await page.goto(server.address({ folder: workspacePath, extension: development, file }));
  await page.waitForFunction(() => "driver" in globalThis);
  await page.waitForSelector(".monaco-workbench .part.editor");
  const port = Number(await eventually(() => readFile(join(folder, "companion.port"), "utf8").catch(() => undefined), "the extension host is up"));

  const window: VSCodeWindow = {
    page,
    workspacePath,
    async evaluate<Result, Argument>(body: (api: typeof vscode, argument: Argument) => Result | PromiseLike<Result>, argument?: Argument): Promise<Result> {
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: "POST", body: JSON.stringify({ source: String(body), argument }) });
      // What comes back was JSON in the extension host: `Result` is the caller's promise that it survives that.
      const answer = (await response.json()) as { readonly value: Result; readonly error?: string };
      if (answer.error !== undefined) throw new Error(`In the extension host: ${answer.error}`);
      return answer.value;
    },
    async runCommand(title) {
      await chooseCommand(page, title);
      const input = page.locator(".quick-input-widget input:visible").first();
      await input.waitFor({ state: "hidden", timeout: 20_000 }).catch((error: unknown) => {
        // The command may itself ask for input in the same place.
        if (!(error instanceof Error && error.name === "TimeoutError")) throw error;
      });
    },
    async openFile(path) {
      const opened = join(workspacePath, path);
      await window.evaluate((api, fsPath) => api.commands.executeCommand("vscode.open", api.Uri.file(fsPath)).then(() => undefined), opened);
      await page.locator(".tab.active", { hasText: basename(path) }).first().waitFor();
    },
    editorText() {
      return window.evaluate((api) => api.window.activeTextEditor?.document.getText() ?? "");
    },
    webviewFrame: (name) => webviewFrame(page, name),
    async setTheme(wanted) {
      await window.evaluate((api, id) => api.workspace.getConfiguration("workbench").update("colorTheme", id, true), themes[wanted]);
      await page.waitForFunction((kind) => document.querySelector(".monaco-workbench")?.classList.contains(kind), themeClasses[wanted]);
    },
    screenshot: (name) => screenshot(page, name),
    async close() {
      openWindows.delete(window);
      await page.context().close();
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
  openWindows.add(window);
  // A served VS Code overlooks the theme of the settings that it starts with; a change it follows.
  await window.setTheme(theme);
  if (file !== undefined) await page.locator(".tab.active", { hasText: basename(file) }).first().waitFor();
  return window;
}

/** A page of a browser without history, closed at the latest after the last test. It may be closed with its context. */
export async function openPage(viewport = { width: 1400, height: 900 }): Promise<Page> {
  browser ??= launchChromium();
  const context = await (await browser).newContext({ viewport });
  // Many times what anything takes: the machine may be busy with other things.
  context.setDefaultTimeout(60_000);
  // The compiler of the tests keeps functions' names with this helper; pages that evaluate such functions need it.
  await context.addInitScript("globalThis.__name ??= (value) => value;");
  // Nothing leaves this machine: a test must not depend on the network.
  await context.route(
    (url) => url.hostname !== "127.0.0.1" && url.hostname !== "localhost",
    (route) => route.abort(),
  );
  const page = await context.newPage();
  openPages.add(page);
  page.once("close", () => openPages.delete(page));
  return page;
}

/** See {@link VSCodeWindow.webviewFrame}. */
export function webviewFrame(page: Page, name: string): Promise<Frame> {
  return eventually(async () => {
    for (const frame of page.frames()) {
      const found = await frame.$(`script[src*="/dist/webview/${name}.js"]`).catch(() => null);
      if (found) return frame;
    }
    return undefined;
  }, `the webview ${name} is there`);
}

/** Writes out/screenshots/<name>.png. */
export async function screenshot(page: Page, name: string): Promise<void> {
  await mkdir(join(out, "screenshots"), { recursive: true });
  await page.screenshot({ path: join(out, "screenshots", `${name}.png`) });
}

function serverFor(extension: "development" | "vsix", trusted: boolean): Promise<Server> {
  const key = `${extension}-${trusted ? "trusted" : "restricted"}`;
  const existing = servers.get(key);
  if (existing) return existing;
  const starting = (async () => {
    serverFolder ??= mkdtemp(join(tmpdir(), "exoscope-servers-"));
    const folder = join(await serverFolder, key);
    const extensionsFolder = join(folder, "extensions");
    await cp(join(repository, "test/e2e/companion"), join(extensionsFolder, "exoscope-test.companion-1.0.0"), { recursive: true });
    if (extension === "vsix") await installPackage(extensionsFolder);
    return startServer({ dataFolder: join(folder, "data"), extensionsFolder, trusted, automated: true });
  })();
  servers.set(key, starting);
  return starting;
}

// Mocha's root hooks, for every file that imports the harness: a failure leaves a picture, the end leaves no process.
afterEach(async function () {
  if (this.currentTest?.state !== "failed") return;
  const name = this.currentTest.fullTitle().replaceAll(/[^A-Za-z0-9]+/g, "-");
  let index = 0;
  for (const page of openPages) await screenshot(page, `failed-${name}-${index++}`).catch(() => undefined);
});

after(async () => {
  for (const window of openWindows) await window.close();
  await (await browser)?.close();
  for (const server of await Promise.allSettled(servers.values())) if (server.status === "fulfilled") await server.value.close();
  if (serverFolder) await rm(await serverFolder, { recursive: true, force: true, maxRetries: 5 });
});
