import { execFile } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
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
