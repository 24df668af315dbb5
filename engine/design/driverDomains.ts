/** Rules of Xen's split network path: what a driver domain must hold, and what reaches its guests. */
import { isDriver } from "./catalogue/devices";
import type { ComponentDraft, DomainDraft, HostDraft, WorkloadDraft } from "./draft";
import { replacement } from "./problems";
import { optionRange } from "./resolve";
import type { Source } from "./section";

/** Entries of a guest's grant table: eight frames of 512, of which the hypervisor keeps eight (mini-os, rumprun: gnttab.c). */
const GUEST_GRANTS = 8 * 512 - 8;
/** Grants that an interface takes: of a VIF all slots and index queues, both ways; of netfront two rings, and a page for each entry of both. */
const GRANTS: Readonly<Record<string, number>> = { vif: 2320, netfront: 2 + 2 * 256 };

const isSwitch = ({ part: { type } }: ComponentDraft): boolean => type === "bridge" || type === "nat";

export function checkDriverDomain(source: Source, host: HostDraft, domain: DomainDraft): void {
  domain.components.forEach((component, index) => {
    const { type } = component.part;
    if (type === "netback") checkNetback(source, domain, component, index);
    else if (type === "netfront") checkNetfront(source, domain, component);
    else if (isSwitch(component)) checkSwitch(source, host, domain, component);
  });
  checkGrants(source, domain);
}

function checkNetback({ problems }: Source, { part, section, components }: DomainDraft, { part: { nameRange } }: ComponentDraft, index: number): void {
  if (part.kind !== "driver-domain") {
    const written = section.has("kind");
    problems.error(
      "not-a-driver-domain", written ? section.valueRange("kind") : part.nameRange, `netback is a part of a driver domain’s kernel, and ${part.path} is a ${part.kind}. Set “kind: driver-domain”.`,
      written ? replacement("Change to “driver-domain”", section.valueRange("kind"), "driver-domain") : undefined,
    );
  }
  if (!components.slice(index + 1).some(isSwitch)) {
    problems.error("netback-without-switch", nameRange, `netback in ${part.path} has nothing to hand frames to. Add “- bridge” or “- nat” below it, above the driver.`);
  }
}

function checkNetfront({ problems }: Source, { part, section }: DomainDraft, { part: { nameRange } }: ComponentDraft): void {
  if (part.kind !== "vm") {
    problems.error("not-a-guest", section.has("kind") ? section.valueRange("kind") : nameRange, `netfront is that of a rumprun guest, and ${part.path} is a ${part.kind}. Set “kind: vm”, or give it a driver.`);
  }
}

/** A device has one taker of its frames, and a bridge sends frames under its guests' addresses. */
function checkSwitch({ problems }: Source, host: HostDraft, { part, components }: DomainDraft, own: ComponentDraft): void {
  const takers = components.filter((c) => isSwitch(c) || c.part.type === "tcpip" || c.part.type === "netserver");
  const second = takers.find((c) => c !== own);
  if (second && (!isSwitch(second) || takers.indexOf(own) < takers.indexOf(second))) {
    problems.error("driver-shared", second.part.nameRange, `${own.part.id} takes all frames of the driver in ${part.path}; nothing would be left for ${second.part.id}. Give it a domain and a function of its own.`);
  }
  const driver = components.slice(components.indexOf(own) + 1).find((c) => c.part.bind !== undefined);
  if (!driver) {
    if (components.some((c) => isDriver(c.part.type))) problems.error("missing-component", own.part.nameRange, `${own.part.id} has no driver below it. Move the driver to the end of the components.`);
    return;
  }
  const pf = host.devices.flatMap(({ functions }) => functions).find(({ path, id }) => path === driver.part.bind && id === "pf");
  if (own.part.type === "bridge" && !pf) {
    problems.error("bridge-on-vf", optionRange(driver, "bind"), "A VF sends only under its own address (MAC anti-spoofing), and receives no other: the guests of a bridge have theirs. Bind the PF, or put a nat in the bridge's place.");
  }
}

/** All the interfaces of a guest grant pages from one table. */
function checkGrants({ problems }: Source, { part, components }: DomainDraft): void {
  let grants = 0;
  for (const { part: { type, id, nameRange } } of components) {
    const before = grants;
    grants += GRANTS[type] ?? 0;
    if (before <= GUEST_GRANTS && grants > GUEST_GRANTS) {
      problems.error("grant-table-full", nameRange, `The grant table of ${part.path} has ${GUEST_GRANTS} entries; with ${id} its interfaces need ${grants}. Leave one of them out.`);
    }
  }
}

/** A server behind a NAT is reached by forwarded ports, but by its neighbours. */
export function checkForwards(problems: Source["problems"], hosts: readonly HostDraft[], { part, section }: WorkloadDraft, server: ComponentDraft): void {
  const host = hosts.find(({ domains }) => domains.some((d) => d.part.path === part.to));
  const domain = host?.domains.find((d) => d.part.path === part.to);
  const uplink = domain?.components.find((c) => c.part.path === domain.part.activeUplink);
  const backend = host?.domains.find(({ components }) => components.some((c) => c.part.path === uplink?.part.channel));
  const nat = uplink?.part.type === "netfront" ? backend?.components.find((c) => c.part.type === "nat") : undefined;
  const forward = nat?.part.options["forward"];
  const { port } = server.part.options;
  const asker = host?.domains.find((d) => d.part.path === part.from);
  const isNeighbour = asker?.components.some((c) => c.part.path === asker.part.activeUplink && c.part.channel === uplink?.part.channel) === true;
  if (nat && !isNeighbour && Array.isArray(forward) && typeof port === "number" && !forward.includes(port)) {
    problems.error("not-forwarded", section.valueRange("to"), `${server.part.path} listens on port ${port}, which ${nat.part.path} does not forward. Add ${port} to its “forward”.`);
  }
}
