import type { PlacedModel, Placement } from "../machine/machine";
import { echoOf } from "../workloads/data";
import { DatagramServer } from "./datagramServer";
import { RequestServer } from "./requestServer";
import { ServiceTime } from "./serviceTime";

/** The echo service (RFC 862) of NetBSD's inetd, over TCP or UDP. */
export function echo(place: Placement): PlacedModel {
  const file = "usr.sbin/inetd/inetd.c";
  if (place.spec.options["protocol"] === "udp") return new DatagramServer(place, { echo_dg: { file, kind: "application" } }, true);
  return new RequestServer(place, {
    threadName: "inetd",
    noDelay: true,
    functions: { echo_stream: { file, kind: "application" } },
    service: new ServiceTime(place),
    answer: (_kind, value) => ({ message: echoOf(value), close: false }),
  }, 1);
}
