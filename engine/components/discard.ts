import type { PlacedModel, Placement } from "../machine/machine";
import { DatagramServer } from "./datagramServer";
import { RequestServer } from "./requestServer";

/** The discard service (RFC 863) of NetBSD's inetd, over TCP or UDP: the receiving end of netperf's streams. */
export function discard(place: Placement): PlacedModel {
  const file = "usr.sbin/inetd/inetd.c";
  if (place.spec.options["protocol"] === "udp") return new DatagramServer(place, { discard_dg: { file, kind: "application" } }, false);
  return new RequestServer(place, { threadName: "inetd", functions: { discard_stream: { file, kind: "application" } } }, 1);
}
