import { spawn } from "node:child_process";
import { repository } from "./paths.mjs";

/**
 * Runs a script with this Node, in the repository, its output passed through. It ends with this process at the latest, and with it what it has
 * started itself: a test that loops for ever in a worker of Mocha's does not notice that its parent is gone. Who is ended by a signal has to leave
 * by way of the exit handlers: see `runScript`.
 * @param {string[]} parameters the script and what it is given.
 * @param {{ environment?: NodeJS.ProcessEnv, limit?: number, output?: (text: string) => void }} [options] what is added to this process's environment; milliseconds after which it is
 * ended; who takes its output instead.
 * @returns {Promise<number>} the exit code; 1 if a signal ended it.
 */
export function runNode(parameters, { environment, limit, output } = {}) {
  // Windows has no groups of processes, and opens a window for what is detached.
  const grouped = process.platform !== "win32";
  const child = spawn(process.execPath, parameters, { cwd: repository, stdio: output ? ["ignore", "pipe", "pipe"] : "inherit", detached: grouped, env: { ...process.env, ...environment } });
  if (output) for (const stream of [child.stdout, child.stderr]) stream?.setEncoding("utf8").on("data", output);
  const stop = () => {
    if (!grouped || child.pid === undefined) child.kill();
    else if (child.exitCode === null && child.signalCode === null) process.kill(-child.pid);
  };
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
