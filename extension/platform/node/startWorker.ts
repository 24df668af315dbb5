import { Worker } from "node:worker_threads";
import type { FromWorker, ToWorker, WorkerPort } from "../../../protocol/session";

/**
 * Starts the engine's worker on Node.
 * @param file Absolute path of the bundled worker.
 * @param explain Turns the technical reason for an unexpected end into a sentence for people.
 */
export function startWorker(file: string, explain: (reason: string) => string): WorkerPort {
  const worker = new Worker(file);
  let asked = false;
  let reason: string | undefined;
  worker.on("error", (error) => { reason = error instanceof Error ? error.message : String(error); });
  return {
    send: (message: ToWorker) => worker.postMessage(message),
    // Only the engine's worker has the other end, and it is built from the same protocol.
    onMessage: (listener) => void worker.on("message", (message: FromWorker) => listener(message)),
    onEnd: (listener) => void worker.on("exit", (code) => { if (!asked) listener(explain(reason ?? `exit code ${code}`)); }),
    terminate: () => {
      asked = true;
      void worker.terminate();
    },
  };
}
