import type { Watch } from "../machine/nic/adapter";
import type { Offloads } from "../machine/nic/model";
import type { BindResult } from "../machine/portmap";

/**
 * How components of one domain call each other down and up the stack. A call is in two parts: what it costs is said when
 * its work begins (`spend…`), what it does happens when the work ends.
 */

/** Below TCP/IP: a driver or a VIF. */
export interface NetworkInterface {
  readonly component: number;
  /** Source address of the frames that leave here. */
  readonly mac: number;
  /** What it computes for the stack; the rest is the CPU's work. */
  readonly offloads: Offloads;
  /** Cost of sending one frame of `bytes`; `packet` is −1 where it does not exist yet. @param like an earlier packet of the same flow, if there is one */
  spendTransmit(packet: number, bytes: number, like?: number): void;
  /** Sends it. What cannot be sent is dropped and marked. */
  transmit(packet: number): void;
  /** Whether it says when a frame is freed that is awaited: {@link FrameConsumer.freed}. What copies frames frees them at once. */
  readonly tellsOfSent?: boolean;
  /** Whether a packet that is sent now is dropped, as too much waits for its transmit queue. */
  isFull?(packet: number): boolean;
  /** Somebody waits until frames are freed: it is to say so soon, of all that are awaited. */
  hasten?(): void;
  /** Takes every frame that comes, whoever it is for: a bridge is above. */
  promiscuous?(): void;
  /** Where another domain finds a server of this one, where something on the way translates addresses. @param protocol IP protocol number @param asker path of that domain */
  published?(address: number, protocol: number, port: number, asker: string): { readonly address: number; readonly port: number };
  /** Where ports are bound in the hypervisor's portmap: the cost of the hypercall. */
  spendBindPort?(): void;
  /** Binds a port of a protocol there. @param protocol IP protocol number, TCP or UDP @param port 0: any free dynamic one */
  bindPort?(protocol: number, port: number): BindResult;
  /** No socket has the port any more: it is given back as soon as what was sent from it is on its way. */
  releasePort?(protocol: number, port: number): void;
}

/** Above an interface: TCP/IP, a network server, or a VIF that passes on what a driver received. */
export interface FrameConsumer {
  /** Cost of taking one frame over, in the interface's own thread. */
  spendInput(packet: number): void;
  input(packet: number): void;
  /** Whether somebody waits until a frame that is sent is freed; or would know of it, as soon as the driver looks. */
  awaits?(packet: number): Watch;
  /** A frame that is awaited is freed, as the adapter has read it; or one could not be sent. @param error why not */
  freed?(packet: number, error?: SendError): void;
  /** The transmit queue that the packet's connection keeps to, as frames of it are there; or −1. */
  queueOf?(packet: number): number;
  /** The packet goes to a transmit queue. */
  queued?(packet: number, q: number): void;
}

/** Why an interface does not take a frame: its queue is full, or it is down. */
export type SendError = "ENOBUFS" | "ENETDOWN";
