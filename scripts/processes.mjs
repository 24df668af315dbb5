import { spawn } from "node:child_process";
import { repository } from "./paths.mjs";

/**
 * Runs a script with this Node, in the repository, its output passed through. It ends with this process at the latest.
 * @param {string[]} parameters the script and what it is given.
 * @param {{ environment?: NodeJS.ProcessEnv, limit?: number }} [options] what is added to this process's environment; milliseconds after which it is ended.
 * @returns {Promise<number>} the exit code; 1 if a signal ended it.
 */
export function runNode(parameters, { environment, limit } = {}) {
  const child = spawn(process.execPath, parameters, { cwd: repository, stdio: "inherit", env: { ...process.env, ...environment } });
  const stop = () => child.kill();
  process.once("exit", stop);
  const timer = limit === undefined ? undefined : setTimeout(stop, limit);
  return new Promise((/** @type {(code: number) => void} */ resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  }).finally(() => {
    process.off("exit", stop);
    clearTimeout(timer);
  });
}
