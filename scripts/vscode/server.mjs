import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { Complaint } from "../runScript.mjs";
import { installVSCode } from "./install.mjs";

/**
 * @typedef {object} ServerOptions
 * @property {string} dataFolder settings, logs and state of this server; made if it is not there.
 * @property {string} extensionsFolder extensions installed in this server.
 * @property {number} [port] 0, the default, for a free one.
 * @property {boolean} [trusted] false: windows start in Restricted Mode. Default true.
 * @property {boolean} [automated] lets a page be driven, and tests run in its extension host. Default false.
 * @property {NodeJS.ProcessEnv} [environment] added to that of the extension hosts.
 */

/**
 * @typedef {object} Address
 * @property {string} folder
 * @property {string} [file] opened in an editor.
 * @property {string} [extension] folder of an extension under development; only an automated server heeds it.
 * @property {string} [tests] script whose `run` is called in the extension host; only by an automated server.
 */

/**
 * @typedef {object} Server
 * @property {number} port
 * @property {(address: Address) => string} address of a window.
 * @property {() => boolean} hasSettings whether the user's settings have ever been set.
 * @property {(settings: Record<string, unknown>) => Promise<void>} setSettings replaces the user's settings, for windows opened from now on.
 * @property {Promise<void>} closed fulfilled when the server has ended, for whatever reason.
 * @property {() => Promise<void>} close
 */

/**
 * Starts VS Code's server on a loopback port.
 * @param {ServerOptions} options
 * @returns {Promise<Server>} once it answers.
 * @throws {Complaint} if it does not start, with what it printed.
 */
export async function startServer(options) {
  const { node, server } = await installVSCode();
  const { dataFolder, extensionsFolder, port = 0, trusted = true, automated = false, environment } = options;
  await mkdir(dataFolder, { recursive: true });
  await mkdir(extensionsFolder, { recursive: true });
  const parameters = [
    server,
    ...["--host", "127.0.0.1", "--port", String(port), "--without-connection-token", "--accept-server-license-terms"],
    ...["--server-data-dir", dataFolder, "--extensions-dir", extensionsFolder, "--telemetry-level", "off"],
    ...(trusted ? ["--disable-workspace-trust"] : []),
    ...(automated ? ["--enable-smoke-test-driver"] : []),
  ];
  const child = spawn(node, parameters, { env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
  /** @type {Promise<void>} */
  const closed = new Promise((resolve) => child.once("close", () => resolve()));
  const stop = () => child.kill();
  process.once("exit", stop);
  void closed.then(() => process.off("exit", stop));
  /** @type {string[]} */
  const output = [];
  const listening = new Promise((resolve, reject) => {
    child.once("error", reject);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on("line", (line) => {
        if (output.length < 200) output.push(line);
        const match = /^Extension host agent listening on (\d+)/.exec(line);
        if (match) resolve(Number(match[1]));
        // After this the server neither listens nor ends.
        if (line.includes("EADDRINUSE")) child.kill();
      });
    }
    void closed.then(() => reject(new Complaint(startFailure(port, output))));
  });
  const actualPort = await listening;
  const settingsFile = join(dataFolder, "data", "User", "settings.json");
  return {
    port: actualPort,
    address: (address) => windowAddress(actualPort, address),
    hasSettings: () => existsSync(settingsFile),
    setSettings: async (settings) => {
      await mkdir(dirname(settingsFile), { recursive: true });
      await writeFile(settingsFile, JSON.stringify(settings, undefined, 2));
    },
    closed,
    close: async () => {
      child.kill();
      await closed;
    },
  };
}

/** @param {number} port @param {string[]} output */
function startFailure(port, output) {
  const text = output.join("\n");
  if (text.includes("EADDRINUSE")) return `Port ${port} is in use by another program. Choose another one, or none for a free one.`;
  return `VS Code's server did not start:\n${text}`;
}

/** @param {number} port @param {Address} address */
function windowAddress(port, { folder, file, extension, tests }) {
  const remote = (/** @type {string} */ path) => `vscode-remote://127.0.0.1:${port}${encodeURI(path)}`;
  const payload = [
    ["skipWelcome", "true"],
    ["skipReleaseNotes", "true"],
    ...(file ? [["openFile", remote(file)]] : []),
    ...(extension ? [["extensionDevelopmentPath", remote(extension)]] : []),
    ...(tests ? [["extensionTestsPath", remote(tests)]] : []),
  ];
  const parameters = new URLSearchParams({ folder, payload: JSON.stringify(payload) });
  return `http://127.0.0.1:${port}/?${parameters}`;
}
