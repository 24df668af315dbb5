/** Gives every stack its IPv4 address: as the file says, its network server's, one of the server's pool, or the next that is free. */
import { formatIpv4, parseIpv4 } from "../network/addresses";
import type { ComponentDraft, DomainDraft, HostDraft } from "./draft";
import { optionRange } from "./resolve";
import type { Source } from "./section";
import { switchableUplinks } from "./switchable";

/** A component with an address, and the network server whose addresses it may use. */
interface Addressed {
  readonly component: ComponentDraft;
  /** The server that the frames go through, where that has an address. */
  readonly server: ComponentDraft | undefined;
  /** Whether the application can leave the server: it then needs an address to take along. */
  readonly leaves: boolean;
}

const hasAddress = ({ part: { type } }: ComponentDraft): boolean => type === "tcpip" || type === "nat" || type === "netserver";

/** The last address of a server's pool is this one plus its `pool`. */
const addressOf = ({ part }: ComponentDraft): number | undefined => (part.options["ip"] === undefined ? undefined : parseIpv4(String(part.options["ip"])));

/**
 * Assigns addresses, in the file's order. A network server with an `ip` shares it among the applications that always go through it
 * (LibrettOS 3.3); those that can switch to direct access get one each of its pool, the addresses after its own, as in its prototype
 * (`xen/common/rumprun_service.c`). Everybody else has an address alone: without one in the file, the next free one from 10.0.0.1.
 */
export function assignAddresses({ problems }: Source, hosts: readonly HostDraft[]): void {
  const all = hosts.flatMap(({ domains }) => domains.flatMap((domain) => domain.components.filter(hasAddress).map((component): Addressed => {
    const { server, leaves } = component.part.type === "tcpip" ? serverOf(hosts, domain) : { server: undefined, leaves: false };
    return { component, server, leaves };
  })));
  const servers = all.filter(({ component: { part } }) => part.type === "netserver" && part.options["ip"] !== undefined);
  const stacks = all.filter(({ component: { part } }) => part.type !== "netserver");
  const owners = new Map<unknown, string>();
  const pools = new Map<string, ComponentDraft>();
  for (const { component } of servers) claim(component, undefined);
  for (const { component } of servers) for (const ip of poolOf(component)) if (!pools.has(ip)) pools.set(ip, component);
  for (const { component, server, leaves } of stacks) if (component.part.options["ip"] !== undefined) claim(component, server, leaves);

  function claim(component: ComponentDraft, server: ComponentDraft | undefined, leaves = false): void {
    const ip = String(component.part.options["ip"]);
    const owner = owners.get(ip);
    const pool = pools.get(ip);
    if (owner === undefined && (pool === undefined || pool === server)) owners.set(ip, component.part.path);
    else if (owner === undefined) problems.error("address-taken", optionRange(component, "ip"), `${ip} is in the pool of ${pool!.part.path}. Choose another, or leave it out to have one assigned.`);
    else if (owner !== server?.part.path) problems.error("address-taken", optionRange(component, "ip"), `${ip} is the address of ${owner} already. Choose another, or leave it out to have one assigned.`);
    else if (leaves) problems.error("address-taken", optionRange(component, "ip"), `${ip} is the address that ${owner} shares among its applications, and ${component.part.domain} can leave it for direct access. Leave it out to have one of the pool.`);
  }

  let next = 1;
  for (const { component, server, leaves } of stacks) {
    if (component.part.options["ip"] !== undefined) continue;
    let ip = server === undefined ? undefined : leaves ? poolOf(server).find((free) => !owners.has(free)) : String(server.part.options["ip"]);
    if (ip === undefined && server !== undefined) {
      problems.error("pool-exhausted", optionRange(server, "pool"), `No address of the pool is left for ${component.part.domain}: every application that can switch to direct access needs one. Raise “pool”.`);
    }
    if (ip === undefined) {
      do ip = `10.${(next >>> 16) & 255}.${(next >>> 8) & 255}.${next++ & 255}`;
      while (owners.has(ip) || pools.has(ip) || ip.endsWith(".255") || ip.endsWith(".0"));
    }
    if (!owners.has(ip)) owners.set(ip, component.part.path);
    component.part.options = { ...component.part.options, ip };
  }
}

/** The addresses after a server's own that it hands out. */
function poolOf(server: ComponentDraft): string[] {
  const first = addressOf(server) ?? 0;
  const count = Math.max(0, Math.min(Number(server.part.options["pool"]) || 0, 0xffff_ffff - first));
  return Array.from({ length: count }, (_, i) => formatIpv4(first + 1 + i));
}

/** The network server at the other end of the VIF that a domain's sockets are bound to, if that has an address. */
function serverOf(hosts: readonly HostDraft[], { part }: DomainDraft): { server: ComponentDraft | undefined; leaves: boolean } {
  const switchable = switchableUplinks(part);
  const vif = switchable?.vif ?? part.components.find(({ path, type }) => type === "vif" && path === part.activeUplink);
  const server = vif && hosts.flatMap(({ domains }) => domains).flatMap(({ components }) => components).find((component) => component.part.path === vif.channel);
  return { server: server?.part.options["ip"] === undefined || server.part.type !== "netserver" ? undefined : server, leaves: switchable !== undefined };
}
