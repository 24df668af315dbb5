import { execFile } from "node:child_process";
import { mkdir, readlink, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { out, repository } from "../paths.mjs";
import { installVSCode } from "./install.mjs";

const run = promisify(execFile);

/** @type {Promise<string> | undefined} */
let packaging;

/**
 * Packages the extension as it stands, once for this process.
 * @returns {Promise<string>} the `.vsix` file.
 */
export function packageExtension() {
  packaging ??= (async () => {
    const file = join(out, "package", "exoscope.vsix");
    await rm(file, { force: true });
    await mkdir(dirname(file), { recursive: true });
    await run("npm", ["run", "package", "--", "--out", file], { cwd: repository });
    return file;
  })();
  return packaging;
}

/**
 * Packages the extension and installs it as VS Code does.
 * @param {string} extensionsFolder
 */
export async function installPackage(extensionsFolder) {
  const file = await packageExtension();
  const { node, server } = await installVSCode();
  const folders = ["--extensions-dir", extensionsFolder, "--server-data-dir", join(dirname(extensionsFolder), "data")];
  await run(node, [server, ...folders, "--accept-server-license-terms", "--install-extension", file]);
}

/**
 * Lets a server run the extension from the repository, so that a window shows the last build when it is loaded again. A served VS Code of a release
 * takes an extension under development from a window's address only while it is automated (`enableSmokeTestDriver` in its
 * browserEnvironmentService), and then it suppresses notifications and questions.
 * @param {string} extensionsFolder
 */
export async function linkExtension(extensionsFolder) {
  const link = join(extensionsFolder, "exoscope");
  if ((await readlink(link).catch(() => undefined)) === repository) return;
  await mkdir(extensionsFolder, { recursive: true });
  await rm(link, { recursive: true, force: true });
  await symlink(repository, link, "junction");
  // VS Code's list of what is installed here. Without it VS Code looks into the folders.
  await rm(join(extensionsFolder, "extensions.json"), { force: true });
}
