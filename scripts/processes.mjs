import { spawn } from "node:child_process";
import { repository } from "./paths.mjs";

/**
 * Runs a script with this Node, in the repository, its output passed through.
 * @param {string[]} parameters the script and what it is given.
 * @param {NodeJS.ProcessEnv} [environment] added to this process's.
 * @returns {Promise<number>} the exit code; 1 if a signal ended it.
 */
export function runNode(parameters, environment) {
  const child = spawn(process.execPath, parameters, { cwd: repository, stdio: "inherit", env: { ...process.env, ...environment } });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}
