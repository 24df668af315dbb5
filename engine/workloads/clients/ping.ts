import { numberOption, type ClientKind } from "../client";
import { periodic } from "./arrivals";
import { OpenLoop } from "./openLoop";

/** ping: ICMP echo requests at a fixed distance, answered by the stack of the domain, or by the network server that stands before it. */
export const ping: ClientKind = {
  transport: () => "icmp",
  create: (runner) => new OpenLoop(runner, periodic(numberOption(runner, "requests"), numberOption(runner, "interval"), numberOption(runner, "size"))),
};
