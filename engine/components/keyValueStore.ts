import type { Placement } from "../machine/machine";
import { Kind, message } from "../workloads/protocol";
import { RequestServer } from "./requestServer";

/**
 * Redis: one thread, values in memory (LibrettOS 5.7); functions of Redis 4.0. It serves all commands of a read (`processInputBuffer`), and writes
 * their replies before it waits again (`handleClientsWithPendingWrites`): a pipeline takes few system calls.
 */
export function keyValueStore(place: Placement): RequestServer {
  return new RequestServer(place, {
    threadName: "redis-server",
    noDelay: true,
    // PROTO_IOBUF_LEN of src/server.h.
    readSize: 16384,
    reading: { readQueryFromClient: { file: "src/networking.c", kind: "application" } },
    functions: { processCommand: { file: "src/server.c", kind: "application" } },
    writing: { writeToClient: { file: "src/networking.c", kind: "application" } },
    answer: (kind, value) => ({ message: kind === Kind.get ? message(Kind.bulk, value) : message(Kind.ok, 0), close: false }),
  }, 1);
}
