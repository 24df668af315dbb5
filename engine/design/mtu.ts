/** The largest IP datagram that fits the ways of a domain's frames, and datagrams of workloads that are longer. */
import type { HostDraft, WorkloadDraft } from "./draft";
import type { Component, Domain, Host } from "./model";
import { replacement } from "./problems";
import type { Source } from "./section";
import { deviceOf, switchableUplinks } from "./switchable";

/** MTU of Ethernet where nothing else is said (IEEE 802.3), bytes. */
const STANDARD_MTU = 1500;
/** Largest datagram for a guest that does not offer scatter and gather (Linux `xenvif_change_mtu`). */
export const NETBACK_MTU = 1500;
/** IPv4 header (RFC 791) and UDP's (RFC 768), or ICMP's of an echo (RFC 792), which is as long. */
export const DATAGRAM_HEADERS = 28;

/** What is looked into: of a design, or of what is being read. */
interface Hosts {
  readonly hosts: readonly Pick<Host, "domains" | "devices">[];
}

/** Largest datagram that every adapter takes which the domain's frames may leave by, through a network server or not. */
export function mtuOf(design: Hosts, domain: Domain, seen: readonly string[] = []): number {
  // A loop of channels is reported by itself.
  if (seen.includes(domain.path)) return STANDARD_MTU;
  const below = (uplink: Component): number => mtuBelow(design, uplink, [...seen, domain.path]);
  const elsewhere = calledBy(design, domain);
  if (elsewhere !== undefined) {
    const owner = domainWith(design, elsewhere.path);
    return elsewhere.bind === undefined && owner !== undefined ? mtuOf(design, owner, [...seen, domain.path]) : below(elsewhere);
  }
  const switchable = switchableUplinks(domain);
  const uplinks = switchable === undefined ? domain.components.filter((c) => c.path === domain.activeUplink) : [switchable.vif, ...switchable.drivers];
  return uplinks.length === 0 ? STANDARD_MTU : uplinks.reduce((least, uplink) => Math.min(least, below(uplink)), Infinity);
}

function mtuBelow(design: Hosts, uplink: Component, seen: readonly string[]): number {
  if (uplink.channel !== undefined) {
    const server = domainWith(design, uplink.channel);
    const below = server === undefined ? STANDARD_MTU : mtuOf(design, server, seen);
    return uplink.type === "netfront" ? Math.min(below, NETBACK_MTU) : below;
  }
  const device = design.hosts.flatMap((h) => h.devices).find((d) => uplink.bind !== undefined && deviceOf(uplink.bind) === d.path);
  return device?.mtu ?? STANDARD_MTU;
}

/** What a domain calls in another one to send: its stack's driver, else its C library's stack; undefined where it has its own. */
function calledBy({ hosts }: Hosts, { components }: Domain): Component | undefined {
  const below = (components.find(({ type }) => type === "tcpip") ?? components.find(({ type }) => type === "libc"))?.below;
  return below === undefined ? undefined : hosts.flatMap((h) => h.domains).flatMap((d) => d.components).find(({ path }) => path === below);
}

function domainWith({ hosts }: Hosts, component: string): Domain | undefined {
  return hosts.flatMap((h) => h.domains).find(({ components }) => components.some(({ path }) => path === component));
}

/** How a workload's messages are datagrams, where they are; and what its server answers with is as long. */
function datagramsOf({ kind }: WorkloadDraft["part"], answering: Component): { readonly noun: string; readonly headers: string } | undefined {
  if (kind === "ping") return { noun: "An echo request with", headers: "IPv4 and ICMP" };
  const overUdp = kind === "udp-stream" || (kind === "open-loop" && answering.options["protocol"] === "udp");
  return overUdp ? { noun: "A datagram with", headers: "IPv4 and UDP" } : undefined;
}

/** A datagram fits a frame all the way: no stack here cuts one into IP fragments, and each would be refused (EMSGSIZE), or dropped on the way. */
export function checkDatagrams({ problems }: Source, drafts: readonly HostDraft[], to: Domain, answering: Component, { part, section }: WorkloadDraft): void {
  const datagrams = datagramsOf(part, answering);
  if (datagrams === undefined) return;
  const hosts = drafts.map((host) => host.part);
  const home = hosts.find(({ path, domains }) => path === part.from || domains.some((d) => d.path === part.from));
  const from = home?.domains.find(({ path }) => path === part.from) ?? home?.domains[0];
  if (from === undefined) return;
  const mtu = Math.min(mtuOf({ hosts }, from), mtuOf({ hosts }, to));
  const most = mtu - DATAGRAM_HEADERS;
  const { arrivals, list, size } = part.options;
  const key = arrivals === "listed" ? "list" : "size";
  // Sizes of a file are not known yet.
  if (arrivals === "file") return;
  const longest = key === "size" ? Number(size) : Array.isArray(list) ? (list as readonly (readonly [number, number])[]).reduce((a, [, bytes]) => Math.max(a, bytes), 0) : 0;
  if (!(longest > most)) return;
  const range = section.valueRange(key);
  problems.error(
    "beyond-mtu", range,
    `${datagrams.noun} ${longest} B does not fit: the MTU from ${part.from} to ${part.to} is ${mtu} B, of which ${datagrams.headers} take ${DATAGRAM_HEADERS}, and the simulation has no IP fragments. Make ${key === "size" ? "“size”" : "the sizes in “list”"} ${most}B at most, or raise the “mtu” of the device.`,
    key === "size" && section.has("size") ? replacement(`Change to ${most}B`, range, `${most}B`) : undefined,
  );
}
