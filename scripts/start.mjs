// Opens the samples in VS Code with the extension loaded: in the desktop VS Code where there is one, else in one that is
// served to the browser. Options: --port N (of the served one), --served (even if there is a desktop VS Code).
import { spawn } from "node:child_process";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Complaint, runScript } from "./runScript.mjs";
import { repository, rig } from "./paths.mjs";
import { runNode } from "./processes.mjs";
import { linkExtension } from "./vscode/extensions.mjs";
import { startServer } from "./vscode/server.mjs";
import { findProgram } from "./vscode/systemPackages.mjs";

const samples = join(repository, "samples");
const firstSample = join(samples, "librettos", "librettos.exo.yaml");

/** Nothing stands beside the design and its diagram. */
const firstSettings = {
  "workbench.startupEditor": "none",
  "workbench.secondarySideBar.defaultVisibility": "hidden",
  "chat.disableAIFeatures": true,
  "git.openRepositoryInParentFolders": "never",
};

runScript(async () => {
  const { values } = parseArgs({ options: { port: { type: "string" }, served: { type: "boolean" } } });
  const port = Number(values.port ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Complaint(`"${values.port}" is not a port: give a number up to 65535.`);
  if ((await runNode([join(repository, "esbuild.mjs")])) !== 0) throw new Complaint("The extension could not be built; see above.");
  const code = values.served ? undefined : findProgram("code");
  return code ? openDesktop(code) : serve(port);
});

/** @param {string} code the desktop VS Code's command. */
async function openDesktop(code) {
  console.log("Opening the samples in VS Code.");
  const parameters = ["--new-window", `--extensionDevelopmentPath=${repository}`, samples, firstSample];
  const child = spawn(code, parameters, { stdio: "inherit", shell: process.platform === "win32" });
  return new Promise((/** @type {(code: number) => void} */ resolve, reject) => {
    child.once("error", reject);
    child.once("close", (exitCode) => resolve(exitCode ?? 1));
  });
}

/** @param {number} port */
async function serve(port) {
  // Ctrl+C is how this ends, so it is no failure.
  process.prependOnceListener("SIGINT", () => process.exit(0));
  const folder = join(rig, "start");
  const extensionsFolder = join(folder, "extensions");
  await linkExtension(extensionsFolder);
  const server = await startServer({ dataFolder: join(folder, "data"), extensionsFolder, port });
  // The user may change them later, so they are written once.
  if (!server.hasSettings()) await server.setSettings(firstSettings);
  const address = server.address({ folder: samples, file: firstSample });
  console.log(`\nVS Code with Exoscope is open at\n\n  ${address}\n\nCtrl+C ends it.`);
  openBrowser(address);
  await server.closed;
  throw new Complaint("VS Code's server has ended by itself.");
}

/** Shows the address in the user's browser where there is a screen. @param {string} address */
function openBrowser(address) {
  const opener = process.platform === "darwin" ? "open" : process.env.DISPLAY || process.env.WAYLAND_DISPLAY ? findProgram("xdg-open") : undefined;
  if (!opener) return;
  const child = spawn(opener, [address], { stdio: "ignore", detached: true });
  // The address is printed as well: a browser that does not open is no failure.
  child.once("error", () => {});
  child.unref();
}
