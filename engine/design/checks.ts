/** What cannot work, or hardly, although every word of it is known: one function a rule. */
import { checkBeginning } from "./beginning";
import { componentType, FRAME_TAKERS, isInterface } from "./catalogue/components";
import { isDriver } from "./catalogue/devices";
import { LINK_CONDITIONS } from "./catalogue/faults";
import { WORKLOADS, type WorkloadType } from "./catalogue/workloads";
import { checkDriver, checkQueues } from "./devices";
import { checkDriverDomain, checkForwards } from "./driverDomains";
import type { ComponentDraft, DesignDraft, DomainDraft, HostDraft } from "./draft";
import type { Component, Domain, Problem } from "./model";
import { checkDatagrams } from "./mtu";
import { replacement, type Problems } from "./problems";
import { stackOf } from "./processes";
import { checkProcessors } from "./processors";
import { optionRange } from "./resolve";
import { checkProbes } from "./switches";
import type { Source } from "./section";
import { formatQuantity } from "./units";
import { DOMAIN_KINDS } from "./vocabulary";
import { checkWishes } from "./vfPolicies";
import { checkLinks, checkReach } from "./wires";
import { insertKey } from "./yamlEdit";

export function check(source: Source, draft: DesignDraft): void {
  for (const host of draft.hosts) {
    checkProcessors(source, host);
    for (const domain of host.domains) {
      checkPlacement(source, host, domain);
      checkDriverDomain(source, host, domain);
      for (const component of domain.components) {
        checkDriver(source, host, domain, component);
        checkQueues(source, host, domain, component);
        checkWishes(source, host, component);
        checkBinding(source, host, domain, component);
      }
    }
    checkServers(source, host);
    checkProbes(source, host);
    checkChannelLoops(source, host);
  }
  checkPorts(source, draft);
  checkForgeries(source, draft);
  checkLinks(source, draft);
  checkLoadGenerators(source, draft);
  checkTraffic(source, draft);
  checkSimulated(source, draft);
  checkFaults(source, draft);
  checkBeginning(source, draft);
}

/** What a design may say and the diagram draws, while the engine has no model of it: silence would pass for a result. */
function checkSimulated({ problems }: Source, { hosts }: DesignDraft): void {
  for (const { domains } of hosts) {
    for (const { part: domain, section } of domains) {
      const kind = DOMAIN_KINDS.find(({ value }) => value === domain.kind);
      if (kind && "simulated" in kind) problems.warning("not-simulated", section.valueRange("kind"), `The simulation has no model of the kind “${domain.kind}” yet and treats ${domain.path} as a vm.`);
    }
  }
}

/** A domain that hangs is restarted by whoever finds out; a link that is said to change does. */
function checkFaults({ problems }: Source, { faults }: DesignDraft): void {
  for (const { part, section } of faults) {
    if (part.kind === "degrade" && LINK_CONDITIONS.every(({ name }) => part.options[name] === undefined)) {
      problems.error("missing-key", part.nameRange, "This does not say what the link does to frames. Add that, such as loss: 5%.");
    }
    if (part.kind === "hang" && part.options["restart"] !== undefined && part.options["watchdog"] === undefined) {
      problems.error("missing-key", section.valueRange("restart"), "Nobody would notice that it hangs, and restart it. Add a watchdog, such as watchdog: 100ms.");
    }
  }
}

/** What a malicious domain needs for what it is to do. */
const FORGERY_NEEDS: Readonly<Record<string, { readonly type: string; readonly noun: string }>> = {
  index: { type: "vif", noun: "ring to a network server: there is no vif" },
  length: { type: "vif", noun: "ring to a network server: there is no vif" },
  vlan: { type: "ixgbe", noun: "adapter to send tagged frames by: there is no driver" },
  dma: { type: "ixgbe", noun: "adapter to misuse: there is no driver" },
  portmap: { type: "netserver", noun: "portmap in reach: only a domain with a netserver maps it" },
};

function checkForgeries({ problems }: Source, { hosts, faults }: DesignDraft): void {
  const domains = hosts.flatMap((host) => host.domains);
  for (const { part, section } of faults.filter((fault) => fault.part.kind === "forge" && fault.part.target !== "")) {
    const domain = domains.find(({ part: { path } }) => part.target === path || part.target.startsWith(`${path}/`));
    const types = domain?.components.map((component) => component.part.type) ?? [];
    const need = FORGERY_NEEDS[String(part.options["what"])] ?? { type: "tcpip", noun: "address that frames could pretend not to be from: there is no tcpip" };
    if (!isThere(need.type, types)) problems.error("missing-component", section.valueRange("forge"), `${part.target} has no ${need.noun} in it. Name another domain, or forge something else.`);
  }
}

/** Whether a component of a type is among others; of a driver, any driver. */
function isThere(type: string, types: readonly string[]): boolean {
  return types.some((other) => other === type || (isDriver(type) && isDriver(other)));
}

/** Types that work over grants and event channels. */
const NEED_A_MACHINE: readonly string[] = ["vif", "netserver", "netfront", "netback"];

function checkPlacement({ problems }: Source, host: HostDraft, { part, section, components }: DomainDraft): void {
  const types = components.map((c) => c.part.type);
  if ((part.kind === "vm" || part.kind === "driver-domain") && !host.part.hypervisor) {
    problems.error("vm-without-hypervisor", section.has("kind") ? section.valueRange("kind") : part.nameRange, `${part.path} is a virtual machine, but ${host.part.path} has no hypervisor. Add one, such as hypervisor: { model: xen }.`);
  }
  for (const { part: component } of components) {
    const called = components.some((c) => c.part.type === "libc" && c.part.below !== undefined);
    if (part.kind === "process" && NEED_A_MACHINE.includes(component.type)) {
      problems.error("cannot-call", component.nameRange, `${component.id} works over shared rings and event channels, which a hypervisor gives to virtual machines. Make ${part.path} one (“kind: vm”), or place ${component.id} in another domain.`);
    }
    const missing = (componentType(component.type)?.needs ?? []).filter((type) => !isThere(type, types) && !(type === "tcpip" && called));
    if (missing.length > 0) {
      problems.error("missing-component", component.nameRange, `${component.id} needs ${missing.join(" and ")} in the same domain. Add ${missing.length > 1 ? "them" : "it"} below.`);
    }
    if (component.type === "tcpip" && part.uplinks.length === 0 && component.below === undefined) {
      problems.error("no-uplink", component.nameRange, `TCP/IP in ${part.path} has no interface below it. Add “- ixgbe: { bind: … }” or “- vif: { channel: … }”${part.kind === "process" ? ", or name the “driver” of another process" : ""}.`);
    }
    if (component.type === "netserver" && !types.some((type) => type !== "vif" && isInterface(type))) {
      problems.error("server-without-driver", component.nameRange, `The network server in ${part.path} has no device driver to send with. Add “- ixgbe: { bind: … }” below it.`);
    }
  }
  checkIdleParts(problems, host, part, components.map((c) => c.part));
}

/** What is placed where nobody uses it, or it has nobody to use, cannot be built. */
function checkIdleParts(problems: Problems, host: HostDraft, domain: Domain, components: readonly Component[]): void {
  const isServed = (own: Component, i: number): boolean => components.slice(0, i).some(({ type }) => type !== own.type && FRAME_TAKERS.includes(type))
    || host.domains.some((other) => other.components.some(({ part }) => part.below === own.path));
  for (const [i, component] of components.entries()) {
    if (isInterface(component.type) && !isServed(component, i)) {
      problems.error("missing-component", component.nameRange, `Nothing above ${component.id} in ${domain.path} takes its frames. Add “- tcpip” above it, or remove it.`);
    }
    const asks = components.some(({ type }) => componentType(type)?.needs.includes("tcpip") === true);
    if (component.type === "libc" && component.below === undefined && !asks && !components.some(({ type }) => type === "tcpip")) {
      problems.error("missing-component", component.nameRange, `${component.id} in ${domain.path} has no TCP/IP stack to call. Add “- tcpip” below it, name the “stack” of another domain, or remove it.`);
    }
  }
}

function checkBinding(source: Source, host: HostDraft, { part: domain }: DomainDraft, component: ComponentDraft): void {
  const { problems } = source;
  const { part } = component;
  if (part.bind === undefined) return;
  const range = optionRange(component, "bind");
  if (host.part.iommu || domain.kind === "kernel") return;
  problems.error(
    "direct-without-iommu", range, `Without an IOMMU the device could write anywhere in memory on behalf of ${domain.path}. Set “iommu: on” for ${host.part.path}, or go through a network server.`,
    iommuFix(source, host),
  );
}

function iommuFix({ yaml }: Source, { section, part }: HostDraft): Problem["fix"] {
  const title = `Set “iommu: on” for ${part.path}`;
  if (section.has("iommu")) return replacement(title, section.valueRange("iommu"), "on");
  const edit = insertKey(yaml.text, section.value, "iommu: on");
  return edit && { title, edits: [edit] };
}

/** All VIFs whose channel leads to a server. */
function clientsOf({ domains }: HostDraft, server: string): { domain: DomainDraft; vif: ComponentDraft }[] {
  return domains.flatMap((domain) => domain.components.filter((vif) => vif.part.channel === server).map((vif) => ({ domain, vif })));
}

function serversOf({ domains }: HostDraft): ComponentDraft[] {
  return domains.flatMap(({ components }) => components).filter(({ part: { type } }) => type === "netserver");
}

function checkServers({ problems }: Source, host: HostDraft): void {
  for (const server of serversOf(host)) {
    const most = Number(server.part.options["applications"]);
    for (const { vif } of clientsOf(host, server.part.path).slice(most)) {
      problems.error("server-full", optionRange(vif, "channel"), `${server.part.path} serves at most ${most} applications. Raise its “applications”, or use another server.`);
    }
  }
}

function checkChannelLoops({ problems }: Source, host: HostDraft): void {
  const vifs = host.domains.flatMap(({ components }) => components).filter(({ part: { channel } }) => channel !== undefined);
  for (const vif of vifs) {
    const seen = new Set<string>();
    for (let at: ComponentDraft | undefined = vif; at && !seen.has(at.part.domain); ) {
      seen.add(at.part.domain);
      const { channel }: { channel: string | undefined } = at.part;
      at = vifs.find(({ part: { domain } }) => channel?.startsWith(`${domain}/`) === true);
      if (at?.part.domain === vif.part.domain) {
        problems.error("channel-loop", optionRange(vif, "channel"), `This channel leads back to ${vif.part.domain}; frames would never reach a wire.`);
        break;
      }
    }
  }
}

/**
 * Ports. A network server's portmap is keyed by protocol and port, not by address, and a switched application keeps its
 * entry, so all applications with a channel to one server share one space of ports, as do those of one domain.
 */
function checkPorts({ problems }: Source, { hosts }: DesignDraft): void {
  for (const host of hosts) {
    const servers = serversOf(host).map(({ part }) => ({ where: `in the reach of ${part.path}`, domains: [...new Set(clientsOf(host, part.path).map(({ domain }) => domain))] }));
    const stacks = new Map<string, DomainDraft[]>();
    for (const domain of host.domains) {
      const stack = stackOf(host.part, domain.part)?.domain ?? domain.part.path;
      stacks.set(stack, [...(stacks.get(stack) ?? []), domain]);
    }
    const spaces = [...[...stacks].map(([stack, domains]) => ({ where: `in ${stack}`, domains })), ...servers];
    const reported = new Set<string>();
    for (const { where, domains } of spaces) {
      const owners = { tcp: new Map<number, string>(), udp: new Map<number, string>() };
      for (const component of domains.flatMap(({ components }) => components)) {
        const { port, protocol } = component.part.options;
        if (typeof port !== "number") continue;
        const ports = owners[protocol === "udp" ? "udp" : "tcp"];
        const owner = ports.get(port);
        if (owner === undefined) ports.set(port, component.part.path);
        else if (!reported.has(component.part.path)) {
          reported.add(component.part.path);
          problems.error("port-taken", optionRange(component, "port"), `Port ${port} belongs to ${owner} ${where} already: the portmap is keyed by port, whatever the address. Choose another “port”.`, portFix(component, ports));
        }
      }
    }
  }
}

function portFix(component: ComponentDraft, owners: ReadonlyMap<number, string>): Problem["fix"] {
  const written = component.part.optionRanges.get("port");
  let free = Number(component.part.options["port"]) + 1;
  while (owners.has(free)) free++;
  return written && free <= 65535 ? replacement(`Change to ${free}`, written, String(free)) : undefined;
}

/** A load generator does what workloads say. */
function checkLoadGenerators({ problems }: Source, { hosts, workloads }: DesignDraft): void {
  for (const { part: domain, components } of hosts.filter(({ part }) => part.kind === "machine").flatMap(({ domains }) => domains)) {
    const generator = components.find(({ part: { type } }) => type === "load-generator");
    if (generator === undefined || workloads.some(({ part }) => part.from === domain.path)) continue;
    problems.warning("no-effect", generator.part.nameRange, `No workload names ${domain.path}, so that its load generator does nothing. Add one to “workloads”, such as “- http: { from: ${domain.id}, to: … }”.`);
  }
}

/** A range that an option begins and another one ends; the problem is at one that is written, as the other may be what is there without it. */
function checkRange(problems: Problems, { part, section }: DesignDraft["workloads"][number], range: WorkloadType["range"]): void {
  if (range === undefined) return;
  const [from, to] = range.map((name) => part.options[name]);
  if (typeof from !== "number" || typeof to !== "number" || from <= to) return;
  const [least, most] = range;
  const own = section.has(least) ? least : most;
  problems.error("out-of-range", section.valueRange(own), `“${least}” is ${formatQuantity("size", from)}, more than “${most}”, ${formatQuantity("size", to)}: sizes go up from the one to the other. Make “${least}” smaller, or “${most}” larger.`);
}

function checkTraffic(source: Source, draft: DesignDraft): void {
  const { problems } = source;
  const { hosts, workloads } = draft;
  for (const { part, section } of workloads) {
    if (part.to === "") continue;
    const host = hosts.find(({ domains }) => domains.some((d) => d.part.path === part.to));
    const domain = host?.domains.find((d) => d.part.path === part.to);
    if (!host || !domain) continue;
    const type = WORKLOADS.find(({ kind }) => kind === part.kind);
    if (type?.mix?.every((option) => part.options[option] === 0)) {
      problems.error("out-of-range", section.valueRange(type.mix[0] ?? ""), `Not all of ${type.mix.join(" and ")} can be 0: there would be nothing to ask for.`);
    }
    checkRange(problems, { part, section }, type?.range);
    if (part.options["arrivals"] === "listed" && part.options["list"] === undefined) {
      problems.error("missing-key", section.valueRange("arrivals"), "Arrivals that are listed need the “list”, such as list: [[0, 512B], [10us, 1KiB]].");
    }
    if (part.options["arrivals"] === "file" && part.options["file"] === undefined) {
      problems.error("missing-key", section.valueRange("arrivals"), "Arrivals of a file need the “file”, such as file: arrivals.csv.");
    }
    const answering = domain.components.find((c) => c.part.path === part.server);
    if (answering === undefined) continue;
    checkForwards(problems, hosts, { part, section }, answering);
    checkReach(source, draft, host, domain, { part, section });
    checkDatagrams(source, hosts, domain.part, answering.part, { part, section });
  }
}
