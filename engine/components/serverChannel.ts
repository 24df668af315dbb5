import type { ChannelGrants } from "../machine/channelGrants";
import type { FrameRing } from "../machine/frameRing";
import type { Vif } from "./vif";

/** A network server's end of the IPC channel to one application: a pair of rings, and event channels (LibrettOS 3.2, Figure 4). */
export interface ServerChannel {
  /** Path of the application's domain. */
  readonly application: string;
  readonly vif: Vif;
  /** The application's event-channel port. */
  readonly line: number;
  /** The server's own port for this application, and the one on which it is welcomed with rings that it has granted. */
  readonly ownLine: number;
  /** The server's port for switches of this application. */
  readonly switchLine: number;
  readonly welcomeLine: number;
  readonly helloPort: () => number;
  readonly memory: ChannelGrants;
  /** The application's Tx ring. */
  readonly toServer: FrameRing;
  /** Its Rx ring. */
  readonly toApplication: FrameRing;
  /** The application's address, which outbound frames must carry: its own, or the one that the server shares. */
  readonly address: () => number;
}
