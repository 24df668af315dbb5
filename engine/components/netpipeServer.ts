import type { Placement } from "../machine/machine";
import { echoOf } from "../workloads/data";
import { RequestServer } from "./requestServer";

/** The receiving end of NetPIPE (LibrettOS 5.1): it reads each message whole and sends it back; functions of NetPIPE 3.7's TCP module. */
export function netpipeServer(place: Placement): RequestServer {
  return new RequestServer(place, {
    threadName: "NPtcp",
    noDelay: true,
    functions: { RecvData: { file: "src/tcp.c", kind: "application" }, SendData: { file: "src/tcp.c", kind: "application" } },
    answer: (_kind, value) => ({ message: echoOf(value), close: false }),
  }, 1);
}
