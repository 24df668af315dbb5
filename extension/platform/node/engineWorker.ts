import { parentPort } from "node:worker_threads";
import type { ToWorker } from "../../../protocol/session";
import { NodeFile } from "../../../engine/cli/nodeFile";
import { FileChunks } from "../../../engine/trace/byteFile";
import { SpillingChunks } from "../../../engine/trace/chunkStore";
import { opener } from "../../debug/worker/opener";
import { SessionServer } from "../../debug/worker/sessionServer";

/** Memory for the trace, bytes, before it goes to a temporary file: about 20 million events. */
const TRACE_MEMORY = 256 << 20;

if (!parentPort) throw new Error("This file runs as a worker of the extension.");
const port = parentPort;
const clock = { now: () => performance.now(), defer: (callback: () => void) => void setImmediate(callback) };
const server = new SessionServer((message) => port.postMessage(message), clock, opener(() => new SpillingChunks(TRACE_MEMORY, () => new FileChunks(NodeFile.temporary())), (path) => NodeFile.open(path)));
port.on("message", (message: ToWorker) => server.receive(message));
