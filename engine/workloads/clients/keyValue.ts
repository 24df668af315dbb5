import { numberOption, type ClientKind } from "../client";
import { Kind, message } from "../protocol";
import { ClosedLoop } from "./closedLoop";

/** redis-benchmark: sets and gets of one key in a given proportion, one after the other or in pipelines (LibrettOS 5.7). */
export const keyValue: ClientKind = {
  transport: () => "tcp",
  noDelay: true,
  create(runner) {
    const value = numberOption(runner, "value");
    const sets = numberOption(runner, "sets");
    const all = sets + numberOption(runner, "gets");
    return new ClosedLoop(runner, {
      requests: numberOption(runner, "requests"),
      keepAlive: true,
      pipeline: numberOption(runner, "pipeline"),
      request: (_number, draw) => message(draw % all < sets ? Kind.set : Kind.get, value),
    });
  },
};
