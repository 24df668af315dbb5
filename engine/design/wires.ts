/** Which cable a domain's frames leave by, and whether that leads to the clients that ask for it. */
import type { ComponentDraft, DesignDraft, DomainDraft, HostDraft, WorkloadDraft } from "./draft";
import { optionRange } from "./resolve";
import type { Source } from "./section";
import { deviceOf } from "./switchable";

/** What a domain calls in another one to send: its stack's driver, else its C library's stack. */
function calledBy({ components }: DomainDraft): string | undefined {
  const caller = components.find(({ part: { type } }) => type === "tcpip") ?? components.find(({ part: { type } }) => type === "libc");
  return caller?.part.below;
}

/** The driver that a domain's frames leave by, following an uplink, or the active one, through network servers, and calls into other domains. */
function driverOf(host: HostDraft, domain: DomainDraft, uplink = domain.part.activeUplink): ComponentDraft | undefined {
  const seen = new Set<string>();
  for (let at: DomainDraft | undefined = domain; at && !seen.has(at.part.path); ) {
    seen.add(at.part.path);
    const here: string | undefined = at === domain ? uplink : at.part.activeUplink;
    const active: ComponentDraft | undefined = at.components.find(({ part: { path } }) => path === here);
    if (active?.part.bind !== undefined) return active;
    const next: string | undefined = active ? active.part.channel : calledBy(at);
    at = host.domains.find(({ components }) => components.some(({ part: { path } }) => path === next));
    const driver = at?.components.find(({ part: { path } }) => path === next);
    if (driver?.part.bind !== undefined) return driver;
  }
  return undefined;
}

/** The device that a domain's frames leave by. */
function wireOf(host: HostDraft, domain: DomainDraft, uplink?: string): string | undefined {
  const bind = driverOf(host, domain, uplink)?.part.bind;
  return bind === undefined ? undefined : deviceOf(bind);
}

/** The VLAN that frames of a driver are in on the wire: its own, or that of its VF's policy; 0: none. */
function vlanOf(host: HostDraft, driver: ComponentDraft): number {
  const { bind, options } = driver.part;
  const device = host.devices.find(({ part }) => bind !== undefined && part.path === deviceOf(bind))?.part;
  const vf = device?.functions.findIndex(({ path }) => path === bind) ?? -1;
  return Number(options["vlan"] ?? device?.policies[vf - 1]?.vlan ?? 0);
}

/** A workload's two ends are in one VLAN. */
function checkVlans({ problems }: Source, hosts: readonly HostDraft[], host: HostDraft, domain: DomainDraft, { part, section }: WorkloadDraft): void {
  const client = hosts.find((h) => h.part.path === part.from || h.domains.some((d) => d.part.path === part.from));
  const asking = client?.domains.find((d) => d.part.path === part.from) ?? client?.domains[0];
  const near = client && asking && driverOf(client, asking);
  const far = driverOf(host, domain);
  if (client === undefined || near === undefined || far === undefined) return;
  const [mine, theirs] = [vlanOf(client, near), vlanOf(host, far)];
  if (mine === theirs) return;
  const named = (vlan: number): string => (vlan === 0 ? "no VLAN" : `the VLAN ${vlan}`);
  problems.error("unreachable", section.valueRange("to"), `${part.to} is in ${named(theirs)}, and ${part.from} is in ${named(mine)}: no frame of one reaches the other. ${theirs === 0 ? `Leave out the “vlan” of ${part.from}` : `Set “vlan: ${theirs}” for ${part.from}`}, or ask another domain.`);
}

/** Where a domain asks: its frames reach another function of the same adapter, through the switch in it, or guests of the same bridge or router. */
function checkInside(source: Source, hosts: readonly HostDraft[], host: HostDraft, domain: DomainDraft, { part, section }: WorkloadDraft): void {
  const home = hosts.find(({ domains }) => domains.some((d) => d.part.path === part.from));
  const asking = home?.domains.find((d) => d.part.path === part.from);
  const near = home && asking && driverOf(home, asking);
  const far = driverOf(host, domain);
  if (near?.part.bind === undefined || far?.part.bind === undefined) return;
  const range = section.valueRange("to");
  if (near === far) {
    const below = host.domains.find(({ part: { path } }) => path === near.part.domain)?.components ?? [];
    if (asking !== domain && below.some((c) => c.part.type === "bridge" || c.part.type === "nat")) return;
    source.problems.error("unreachable", range, `${part.from} and ${part.to} send by the same function, ${near.part.bind}, and the adapter does not send a frame back to where it came from. Bind another function for one of them, such as a VF.`);
  } else if (deviceOf(near.part.bind) !== deviceOf(far.part.bind)) {
    source.problems.error("unreachable", range, `Frames of ${part.from} leave by ${deviceOf(near.part.bind)}, and those of ${part.to} by ${deviceOf(far.part.bind)}, with no network between the two. Bind functions of one device for both.`);
  } else checkVlans(source, hosts, host, domain, { part, section });
}

/** A port takes one cable: there is no network switch between two devices and a client. */
export function checkLinks({ problems }: Source, { links }: DesignDraft): void {
  const linked = new Map<string, string>();
  for (const { part, section } of links) {
    const other = linked.get(part.to);
    if (part.to !== "" && other !== undefined) {
      problems.error("link-taken", section.valueRange("to"), `${part.to} is connected to ${other} already, and a port takes one cable. Connect ${part.from} to another device, or let ${other} run its workloads.`);
    } else linked.set(part.to, part.from);
  }
}

/** The domain that a workload asks is at the other end of its client's cable, by the interface that it begins with, and by those that it will switch to. */
export function checkReach(source: Source, { hosts, links, switches, policies }: DesignDraft, host: HostDraft, domain: DomainDraft, { part, section }: WorkloadDraft): void {
  const link = links.find((l) => l.part.from === part.from && l.part.to !== "");
  if (link === undefined) return checkInside(source, hosts, host, domain, { part, section });
  const wire = wireOf(host, domain);
  if (wire !== undefined && wire !== link.part.to) {
    source.problems.error("unreachable", section.valueRange("to"), `Frames of ${part.to} leave by ${wire}, but ${part.from} is connected to ${link.part.to}. Bind a function of ${link.part.to}, or ask from a load generator that is connected to ${wire}.`);
    return;
  }
  checkVlans(source, hosts, host, domain, { part, section });
  const { path, uplinks, activeUplink } = domain.part;
  if (!switches.some((s) => s.part.domain === path) && !policies.some((p) => p.part.domains.includes(path))) return;
  for (const component of domain.components.filter((c) => c.part.path !== activeUplink && uplinks.includes(c.part.path))) {
    const other = wireOf(host, domain, component.part.path);
    if (other === undefined || other === link.part.to) continue;
    source.problems.warning(
      "unreachable", optionRange(component, component.part.bind === undefined ? "channel" : "bind"),
      `When ${path} switches to ${component.part.id}, its frames leave by ${other}, and ${part.from}, which asks for it, is connected to ${link.part.to}: nothing gets through until it switches back. Bind a function of ${link.part.to}, the PF or a VF.`,
    );
  }
}
