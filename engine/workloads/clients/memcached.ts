import { numberOption, type ClientKind } from "../client";
import { Kind, message } from "../protocol";
import { ClosedLoop } from "./closedLoop";

/** memtier_benchmark over memcached's binary protocol: SETs and GETs of values that are there, in a given proportion (LibrettOS 5.6). */
export const memcached: ClientKind = {
  transport: () => "tcp",
  noDelay: true,
  create(runner) {
    const value = numberOption(runner, "value");
    const sets = numberOption(runner, "sets");
    const all = sets + numberOption(runner, "gets");
    return new ClosedLoop(runner, {
      requests: numberOption(runner, "requests"),
      keepAlive: true,
      request: (_number, draw) => message(draw % all < sets ? Kind.memcacheSet : Kind.memcacheGet, value),
    });
  },
};
