import type { Ring } from "../kernel/ring";
import type { GrantTables } from "../machine/grants";
import type { Requester } from "../machine/iommu/iommu";
import type { DomainPlace, Machine } from "../machine/machine";
import type { Table } from "../kernel/state";
import type { FrameSwitch } from "./frameSwitch";
import type { netbackFunctions } from "./netbackFunctions";
import type { Netfront } from "./netfront";

/** Ops of netback's component: all but the first and the last four are either half's own. Argument: the number of a guest's interface. */
export const NetbackOp = { interrupt: 0, build: 1, submit: 2, notify: 3, receive: 4, watch: 5, connect: 6, disconnect: 7, release: 8 } as const;

/** A guest's interface in the backend, as wired. */
export interface BackendVif {
  readonly guest: Netfront;
  readonly domain: DomainPlace;
  /** The guest's event-channel port, the backend's, and the watch on the guest's state. */
  readonly guestLine: number;
  readonly line: number;
  readonly watch: number;
  /** What fills the guest's pages (`vifN-guest-rx`), and what unmaps those that it has sent (`vifN-dealloc`). */
  readonly thread: number;
  readonly releaser: number;
  /** Its port at the bridge or router. */
  readonly port: number;
  /** Requests under way: rows of the table of those, in order, and all that are free to be released. */
  readonly taken: Ring;
  readonly released: Ring;
  /** Frames for the guest; the last of them, as many as `waiting` says, are not in the backend's own queue yet. */
  readonly queue: Ring;
}

/**
 * `epoch` grows with each connection: what is under way from an earlier one is answered to nobody. `stale`: the oldest frames for the guest, which are of a
 * connection that is no more. `bytes`: in the backend's own queue; `stopped`: it takes no frames, and `waiting` wait before it.
 */
export const backendSchema = {
  connected: "u8", epoch: "u16", transmitMapping: "i32", receiveMapping: "i32", polling: "u8", releasing: "u8", receiving: "u8", stale: "u16", bytes: "f64", stopped: "u8", waiting: "u16", fromGuest: "f64", toGuest: "f64", dropped: "f64",
} as const;

/** What the halves of a backend share. */
export interface Backend {
  readonly machine: Machine;
  readonly component: number;
  /** Its domain's number: the grantee of the guests' pages. */
  readonly domain: number;
  readonly grants: GrantTables;
  readonly fn: Readonly<Record<keyof (typeof netbackFunctions)["linux"], number>>;
  readonly by: Requester;
  readonly softirq: number;
  readonly state: Table<typeof backendSchema>;
  readonly vifs: readonly BackendVif[];
  switch(): FrameSwitch;
  /** Notifies the guest, as the next thing that the thread does. @param ring 0: of what it sends, 1: of what it receives */
  tell(thread: number, v: number, ring: number): void;
}
