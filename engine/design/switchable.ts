import type { Component, Domain } from "./model";

/** The interfaces that a domain can change between while it runs. */
export interface Switchable {
  /** What its sockets stay bound to, whichever interface carries the frames. */
  readonly vif: Component;
  /** Drivers that the VIF can pass frames to, in the order of the uplinks. */
  readonly drivers: readonly Component[];
}

/**
 * @returns the VIF and the drivers among a domain's uplinks; undefined where there is not one of each, and nothing to switch.
 * Of several VIFs the active one counts, or the first
 */
export function switchableUplinks(domain: Domain): Switchable | undefined {
  if (!domain.components.some(({ type }) => type === "tcpip")) return undefined;
  const uplinks = domain.uplinks.map((path) => domain.components.find((c) => c.path === path)).filter((c) => c !== undefined);
  const vifs = uplinks.filter(({ type }) => type === "vif");
  const vif = vifs.find(({ path }) => path === domain.activeUplink) ?? vifs[0];
  const drivers = uplinks.filter(({ bind }) => bind !== undefined);
  return vif === undefined || drivers.length === 0 ? undefined : { vif, drivers };
}

/** The interface that a domain's sockets are bound to. */
export function socketInterface(domain: Domain): string | undefined {
  return switchableUplinks(domain)?.vif.path ?? domain.activeUplink;
}

/** Whether a driver names a device in place of a function: a VF of it is assigned when the domain switches to it. */
export function isUnassigned(driver: Component): boolean {
  return driver.bind !== undefined && driver.bind.split("/").length === 2;
}

/** The device of a PCI function, or the device itself where `bind` names one. */
export function deviceOf(bind: string): string {
  return bind.split("/").slice(0, 2).join("/");
}
