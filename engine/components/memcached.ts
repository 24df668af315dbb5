import type { Placement } from "../machine/machine";
import { Kind, message } from "../workloads/protocol";
import { RequestServer } from "./requestServer";

/**
 * memcached: worker threads with an event loop each, among which connections are dealt out; functions of memcached 1.4.33. After a command it
 * waits for the next one, so that each takes a read and a write of its own (`drive_machine`).
 */
export function memcached(place: Placement): RequestServer {
  const file = "memcached.c";
  const transmit = { file, kind: "application" } as const;
  return new RequestServer(place, {
    threadName: "worker",
    noDelay: true,
    // try_read_network doubles its buffer of 2 KiB four times in one event; here as one read.
    readSize: 32768,
    reading: { try_read_network: { file, kind: "application" } },
    functions: { dispatch_bin_command: { file, kind: "application" } },
    byKind: {
      [Kind.memcacheGet]: { process_bin_get_or_touch: { file, kind: "application" }, transmit },
      [Kind.memcacheSet]: { process_bin_update: { file, kind: "application" }, complete_update_bin: { file, kind: "application" }, transmit },
    },
    answer: (kind, value) => ({ message: kind === Kind.memcacheGet ? message(Kind.memcacheValue, value) : message(Kind.memcacheStored, 0), close: false }),
  }, Number(place.spec.options["threads"]));
}
