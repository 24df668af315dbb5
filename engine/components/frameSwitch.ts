/** What joins the virtual interfaces of a driver domain to its device: a bridge, or a router that translates addresses. */

/** A port of the switch that leads to a guest. */
export interface SwitchPort {
  /** The guest's domain. */
  readonly path: string;
  /** The guest's Ethernet address. */
  readonly mac: number;
  /** Largest IP datagram that the port takes, bytes. */
  readonly mtu: number;
  /** Said in `begin`: taking a frame over for the guest. */
  spendDeliver(packet: number): void;
  deliver(packet: number): void;
  /** The guest's IPv4 address. */
  address(): number;
}

/** Takes the guests' frames. */
export interface FrameSwitch {
  /** Adds a guest. @returns the number of its port */
  attach(port: SwitchPort): number;
  /** Said in `begin`: taking a guest's frame and sending it on, wherever it goes. */
  spendForward(port: number, packet: number): void;
  forward(port: number, packet: number): void;
  /** Where a domain finds a server of a guest. @param protocol IP protocol number @param asker path of the domain */
  published(port: number, address: number, protocol: number, server: number, asker: string): { readonly address: number; readonly port: number };
}
