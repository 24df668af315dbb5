import { numberOption, type ClientKind } from "../client";
import { httpValue } from "../http";
import { Kind, message } from "../protocol";
import { ClosedLoop } from "./closedLoop";

/**
 * ApacheBench: requests for one file, with or without keep-alive (LibrettOS 5.5). Its clock starts before it connects (`start_connect` in support/ab.c); of
 * further requests on a connection, when they are written (`read_connection`: "zero connect time with keep-alive").
 */
export const http: ClientKind = {
  transport: () => "tcp",
  create(runner) {
    const keepAlive = runner.spec.options["keepalive"] !== false;
    const request = message(Kind.httpRequest, httpValue(numberOption(runner, "size"), keepAlive));
    return new ClosedLoop(runner, { requests: numberOption(runner, "requests"), keepAlive, countsOpening: true, request: () => request });
  },
};
