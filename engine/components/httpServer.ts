import type { Placement } from "../machine/machine";
import { keepsAlive } from "../workloads/http";
import { Kind, message } from "../workloads/protocol";
import { RequestServer } from "./requestServer";
import { ServiceTime } from "./serviceTime";

/** nginx serving files from memory (LibrettOS 5.5); functions of nginx 1.8. */
export function httpServer(place: Placement): RequestServer {
  return new RequestServer(place, {
    threadName: "worker",
    noDelay: true,
    functions: {
      ngx_http_process_request: { file: "src/http/ngx_http_request.c", kind: "application" },
      ngx_http_static_handler: { file: "src/http/modules/ngx_http_static_module.c", kind: "application" },
    },
    service: new ServiceTime(place),
    answer: (_kind, value) => ({ message: message(Kind.httpResponse, value), close: !keepsAlive(value) }),
  }, Number(place.spec.options["workers"]));
}
