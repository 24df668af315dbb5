import type { Placement } from "../machine/machine";
import { Kind, message } from "../workloads/protocol";
import { RequestServer } from "./requestServer";

/** Redis: one thread, values in memory (LibrettOS 5.7); functions of Redis 4.0. */
export function keyValueStore(place: Placement): RequestServer {
  return new RequestServer(place, {
    threadName: "redis-server",
    noDelay: true,
    functions: {
      readQueryFromClient: { file: "src/networking.c", kind: "application" },
      processCommand: { file: "src/server.c", kind: "application" },
      writeToClient: { file: "src/networking.c", kind: "application" },
    },
    answer: (kind, value) => ({ message: kind === Kind.get ? message(Kind.bulk, value) : message(Kind.ok, 0), close: false }),
  }, 1);
}
