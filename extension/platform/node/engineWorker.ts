import { parentPort } from "node:worker_threads";
import type { ToWorker } from "../../../protocol/session";
import { openDesign } from "../../debug/worker/openDesign";
import { SessionServer } from "../../debug/worker/sessionServer";

if (!parentPort) throw new Error("This file runs as a worker of the extension.");
const port = parentPort;
const clock = { now: () => performance.now(), defer: (callback: () => void) => void setImmediate(callback) };
const server = new SessionServer((message) => port.postMessage(message), clock, openDesign);
port.on("message", (message: ToWorker) => server.receive(message));
