/** Where an application's uplink can go: to a PCI function of its own, or through a network server. */
import { deviceModel } from "./catalogue/devices";
import { hasDriver, noDriver } from "./devices";
import type { Component, Design, Device, Domain, Host, PciFunction, Problem } from "./model";
import type { ProblemCode } from "./problems";

/** What an uplink leads to. */
export type UplinkTarget =
  | { readonly kind: "function"; readonly path: string; readonly function: PciFunction; readonly driver: string }
  | { readonly kind: "server"; readonly path: string; readonly server: Component };

export function findDomain(design: Design, path: string): { host: Host; domain: Domain } | undefined {
  for (const host of design.hosts) {
    const domain = host.domains.find((d) => d.path === path);
    if (domain) return { host, domain };
  }
  return undefined;
}

/** @returns the VFs of a host (of one device, if given) that no driver is bound to, in order. */
export function freeFunctions(design: Design, host: string, device?: string): PciFunction[] {
  return design.hosts
    .filter(({ path }) => path === host)
    .flatMap(({ devices }) => devices)
    .filter(({ path }) => device === undefined || path === device)
    .flatMap(({ functions }) => functions)
    .filter(({ id, boundTo }) => id !== "pf" && boundTo === undefined);
}

/** @returns the path that a domain's active uplink leads to: a PCI function or a server component. */
export function uplinkTarget(domain: Domain): string | undefined {
  const active = domain.components.find(({ path }) => path === domain.activeUplink);
  return active?.bind ?? active?.channel;
}

/** A refusal, at the name of the domain concerned. */
export function refusal(domain: Domain | undefined, code: ProblemCode, message: string): Problem {
  return { severity: "error", code, message, range: domain?.nameRange ?? { start: 0, end: 0 } };
}

/**
 * Whether a domain's uplink can be moved.
 * @param target path of a PCI function, of a network server, or of a device (meaning its first free VF).
 * @returns undefined if it can, else the reason.
 */
export function canMoveUplink(design: Design, domainPath: string, target: string): Problem | undefined {
  const found = resolveMove(design, domainPath, target);
  return "severity" in found ? found : undefined;
}

/** Follows the names of a move and applies its rules. */
export function resolveMove(design: Design, domainPath: string, path: string): UplinkTarget | Problem {
  const place = findDomain(design, domainPath);
  if (!place) return refusal(undefined, "unknown-reference", `There is no domain ${domainPath}.`);
  const { host, domain } = place;
  if (host.kind === "load-generator") return refusal(domain, "not-editable", "A load generator's interface follows from its link; change the link instead.");
  if (domain.uplinks.length === 0) return refusal(domain, "no-uplink", `${domain.path} has no interface to move. Add a vif or a driver to its components first.`);
  for (const other of design.hosts) {
    const device = other.devices.find((d) => path === d.path || path.startsWith(`${d.path}/`));
    const server = other.domains.flatMap(({ components }) => components).find((c) => c.path === path);
    if (!device && !server) continue;
    if (other !== host) return refusal(domain, "other-host", `${path} is on another host than ${domain.path}. An uplink stays on its host.`);
    return device ? toFunction(design, host, domain, device, path) : toServer(host, domain, server);
  }
  return refusal(domain, "unknown-reference", `There is no ${path} in this design.`);
}

function toFunction(design: Design, host: Host, domain: Domain, device: Device, path: string): UplinkTarget | Problem {
  let f = device.functions.find((candidate) => candidate.path === path);
  if (!f && path !== device.path) return refusal(domain, "vf-missing", `There is no ${path}; ${device.id} has ${device.vfs} VFs.`);
  if (!f) {
    f = device.functions.find(({ boundTo }) => boundTo !== undefined && domain.uplinks.includes(boundTo)) ?? freeFunctions(design, host.path, device.path)[0];
    if (!f) return refusal(domain, "no-free-vf", `No VF of ${device.path} is free: ${device.vfs === 0 ? "it has none" : `all ${device.vfs} are bound`}. Raise “vfs”, or move another uplink away first.`);
  }
  if (f.boundTo !== undefined && !domain.uplinks.includes(f.boundTo)) {
    return refusal(domain, "function-taken", `${f.path} is bound to ${f.boundTo} already, and a PCI function has one driver. Choose a free VF.`);
  }
  if (!host.iommu && domain.kind !== "kernel") {
    return refusal(domain, "direct-without-iommu", `${host.path} has no IOMMU, so a device given to ${domain.path} could write anywhere in memory. Set “iommu: on” first.`);
  }
  const model = deviceModel(device.model);
  if (model === undefined) return refusal(domain, "not-editable", `No component drives the ${device.model}.`);
  const { driver } = model;
  if (!hasDriver(model, domain)) return refusal(domain, "wrong-driver", noDriver(model, domain));
  return { kind: "function", path: f.path, function: f, driver };
}

function toServer(host: Host, domain: Domain, server: Component | undefined): UplinkTarget | Problem {
  if (server?.type !== "netserver" && server?.type !== "netback") return refusal(domain, "not-a-server", `${server?.path} is not a network server. Choose a netserver, a netback or a PCI function.`);
  if (leadsTo(host, server.domain, domain.path)) {
    return refusal(domain, "channel-loop", `${server.path} itself sends through ${domain.path}; frames would never reach a wire.`);
  }
  if (server.type === "netback") {
    if (domain.kind !== "vm") return refusal(domain, "not-a-guest", `${domain.path} is a ${domain.kind}, and a netback serves virtual machines. Choose another uplink.`);
    return { kind: "server", path: server.path, server };
  }
  const clients = host.domains.filter((d) => d !== domain && d.components.some(({ channel }) => channel === server.path));
  const most = Number(server.options["applications"]);
  if (clients.length >= most) {
    return refusal(domain, "server-full", `${server.path} serves ${clients.length} applications already, the most that it can. Raise its “applications”, or use another server.`);
  }
  const own = portsOf(domain);
  for (const client of clients) {
    for (const [port, owner] of portsOf(client)) {
      const mine = own.get(port);
      if (mine !== undefined) {
        return refusal(domain, "port-taken", `Port ${port} of ${mine} belongs to ${owner} in the portmap of ${server.path}, which is keyed by port, whatever the address. Change one of the ports first.`);
      }
    }
  }
  return { kind: "server", path: server.path, server };
}

function portsOf(domain: Domain): Map<number, string> {
  const ports = new Map<number, string>();
  for (const { path, options } of domain.components) {
    if (typeof options["port"] === "number") ports.set(options["port"], path);
  }
  return ports;
}

/** Whether frames of `from` pass through `to`, over any of the channels. */
function leadsTo(host: Host, from: string, to: string): boolean {
  const seen = new Set<string>();
  const next = [from];
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    if (at === to) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    for (const { channel } of host.domains.find(({ path }) => path === at)?.components ?? []) {
      if (channel !== undefined) next.push(channel.slice(0, channel.lastIndexOf("/")));
    }
  }
  return false;
}
