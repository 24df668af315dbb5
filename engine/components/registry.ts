import type { PlacedModel, Placement } from "../machine/machine";
import { Bridge } from "./bridge";
import { Compute } from "./compute";
import { discard } from "./discard";
import { echo } from "./echo";
import { httpServer } from "./httpServer";
import { Ixgbe } from "./ixgbe";
import { keyValueStore } from "./keyValueStore";
import { Libc } from "./libc";
import { LoadGenerator } from "./loadGenerator";
import { memcached } from "./memcached";
import { Nat } from "./nat";
import { Netback } from "./netback";
import { Netfront } from "./netfront";
import { netpipeServer } from "./netpipeServer";
import { Netserver } from "./netserver";
import { TcpIp } from "./tcpip";
import { Vif } from "./vif";

/** Component models by the type that a design names. To add one: a file beside these, an entry here and in `design/catalogue/components.ts`. */
export const componentModels: Readonly<Record<string, (place: Placement) => PlacedModel>> = {
  "http-server": httpServer,
  "key-value-store": keyValueStore,
  memcached,
  echo,
  discard,
  "netpipe-server": netpipeServer,
  compute: (place) => new Compute(place),
  "load-generator": (place) => new LoadGenerator(place),
  libc: (place) => new Libc(place),
  tcpip: (place) => new TcpIp(place),
  vif: (place) => new Vif(place),
  netserver: (place) => new Netserver(place),
  netfront: (place) => new Netfront(place),
  netback: (place) => new Netback(place),
  bridge: (place) => new Bridge(place),
  nat: (place) => new Nat(place),
  ixgbe: (place) => new Ixgbe(place),
  igb: (place) => new Ixgbe(place),
};
