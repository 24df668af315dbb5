/** Follows dotted names: `nic0.vf0` from a domain of its host, `server.nic0` from anywhere. */
import { isScalar, isSeq } from "yaml";
import { deviceModel, DEVICES } from "./catalogue/devices";
import { FAULTS } from "./catalogue/faults";
import { isServer } from "./catalogue/workloads";
import { setRate } from "./devices";
import type { DesignDraft, HostDraft, LinkDraft } from "./draft";
import type { Range } from "./model";
import { replacement } from "./problems";
import type { Section, Source } from "./section";
import { closest } from "./spelling";
import type { ReferenceKind } from "./vocabulary";
import { rangeOf } from "./yamlText";

type Kind = "host" | "load-generator" | "device" | "function" | "hypervisor" | "domain" | "component" | "link";

interface Target {
  readonly path: string;
  readonly kind: Kind;
  readonly type: string;
}

const NOUNS: Readonly<Record<Kind, string>> = {
  host: "a host", "load-generator": "a load generator", device: "a device", function: "a PCI function", hypervisor: "a hypervisor",
  domain: "a domain", component: "a component", link: "a link",
};

/** What a reference leads to: the kind, and the type where not every one of the kind will do. `example`: how one is spelled. */
interface Wanted {
  readonly noun: string;
  readonly example?: string;
  readonly kinds: readonly Kind[];
  readonly types?: readonly string[];
}

const WANTED: Readonly<Record<ReferenceKind, Wanted>> = {
  function: { noun: "a PCI function or a device", example: "nic0.vf0", kinds: ["function", "device"] },
  kernel: { noun: "a kernel", example: "os", kinds: ["domain"], types: ["kernel"] },
  stack: { noun: "a TCP/IP component", example: "net.tcpip", kinds: ["component"], types: ["tcpip"] },
  driver: { noun: "a device driver", example: "drv.ixgbe", kinds: ["component"], types: DEVICES.map(({ driver }) => driver) },
  server: { noun: "a network server", example: "netsrv.netserver", kinds: ["component"], types: ["netserver"] },
  backend: { noun: "a netback", example: "driver.netback", kinds: ["component"], types: ["netback"] },
  device: { noun: "a device", example: "server.nic0", kinds: ["device"] },
  domain: { noun: "a domain", kinds: ["domain"] },
  // Which servers answer which workload is checked with it.
  answering: { noun: "a domain, or a server in one", kinds: ["domain", "component"] },
  // What cannot be switched is a problem of its own, which says why.
  "switchable-domain": { noun: "a domain", kinds: ["domain"] },
  "load-generator": { noun: "a load generator, or a domain with one in it", kinds: ["load-generator", "domain"] },
  component: { noun: "a component", kinds: ["component"] },
  link: { noun: "a link", example: "client.link", kinds: ["link"] },
  "domain-or-component": { noun: "a domain or a component", kinds: ["domain", "component"] },
  "domain-or-host": { noun: "a domain, a component, a host or its hypervisor", kinds: ["domain", "component", "host", "load-generator", "hypervisor"] },
  uplink: { noun: "an interface of the domain", kinds: ["component"] },
};

/** Component types at the other end of a channel, by what the reference must lead to. */
const ENDS: Partial<Readonly<Record<ReferenceKind, string>>> = { server: "netserver", backend: "netback" };

/** Names that a message lists before it counts the others. */
const LISTED = 5;

/** The names of a design. */
export class References {
  private readonly targets = new Map<string, Target>();
  private readonly hosts: readonly HostDraft[];

  constructor(private readonly source: Source, hosts: readonly HostDraft[], links: readonly LinkDraft[]) {
    this.hosts = hosts;
    for (const { part, devices, domains } of hosts) {
      this.add(part.path, part.kind === "machine" ? "host" : "load-generator");
      if (part.hypervisor) this.add(part.hypervisor.path, "hypervisor");
      for (const link of links) if (link.part.from === part.path) this.add(link.part.path, "link");
      for (const device of devices) {
        this.add(device.part.path, "device");
        for (const f of device.functions) this.add(f.path, "function");
      }
      for (const domain of domains) {
        this.add(domain.part.path, "domain", domain.part.kind);
        for (const c of domain.components) this.add(c.part.path, "component", c.part.type);
      }
    }
  }

  private add(path: string, kind: Kind, type = ""): void {
    this.targets.set(path, { path, kind, type });
  }

  /**
   * Resolves the reference that `section` has under `key`.
   * @param host the host that short names are of; undefined: any.
   * @returns a path; undefined, with a problem, where the name leads nowhere or to the wrong kind of part.
   */
  follow(section: Section, key: string, to: ReferenceKind, host: string | undefined): string | undefined {
    const text = section.text(key);
    return text === "" ? undefined : this.resolve(text, section.valueRange(key), to, host);
  }

  /** As {@link follow}, for a list. @returns paths, each with the range of its name; names that lead nowhere are left out, with a problem */
  followAll(section: Section, key: string, to: ReferenceKind, host: string | undefined): { path: string; range: Range }[] {
    const value = section.entry(key)?.value;
    if (!isSeq(value)) return [];
    return value.items.filter((item) => isScalar(item)).flatMap((item) => {
      const range = rangeOf(item);
      const path = this.resolve(String(item.value), range, to, host);
      return path === undefined ? [] : [{ path, range }];
    });
  }

  private resolve(text: string, range: Range, to: ReferenceKind, host: string | undefined): string | undefined {
    const { problems } = this.source;
    const { kinds } = WANTED[to];
    const steps = text.replaceAll(".", "/");
    const found = this.find(steps, kinds, host);
    const [first, second] = found;
    if (!first) {
      if (to === "function" && this.missingVf(text, steps, range, host)) return undefined;
      const names = this.spellings(to, host);
      const near = closest(text, names);
      problems.error(
        "unknown-reference", range, `There is no “${text}”. ${near === undefined ? this.demand(to, host) : `This must be ${WANTED[to].noun}. Did you mean “${near}”?`}`,
        near === undefined ? undefined : replacement(`Change to “${near}”`, range, near),
      );
      return undefined;
    }
    if (second) {
      problems.error("ambiguous-reference", range, `“${text}” may be ${first.path.replaceAll("/", ".")} or ${second.path.replaceAll("/", ".")}. Write which.`);
      return undefined;
    }
    const end = ENDS[to];
    if (!kinds.includes(first.kind)) {
      if (end !== undefined && first.kind === "domain" && this.targets.get(`${first.path}/${end}`)?.type === end) {
        problems.error("not-a-server", range, `“${text}” is a domain; name the ${to === "server" ? "server" : "netback"} in it.`, replacement(`Change to “${text}.${end}”`, range, `${text}.${end}`));
      } else problems.error(end !== undefined ? "not-a-server" : "wrong-reference", range, `“${text}” is ${NOUNS[first.kind]}. ${this.demand(to, host)}`);
      return undefined;
    }
    if (to === "load-generator" && !this.asks(first)) {
      problems.error("wrong-reference", range, `There is no load generator in “${text}” that could ask. Add “- load-generator” to its components${this.spellings(to, host).length === 0 ? "." : `, or name another. ${this.demand(to, host)}`}`);
      return undefined;
    }
    if (end !== undefined && first.type !== end) {
      problems.error("not-a-server", range, `“${text}” is not ${to === "server" ? "a network server" : "a netback"}, so there is nothing at the other end of the channel. ${this.demand(to, host)}`);
      return undefined;
    }
    if (host !== undefined && !first.path.startsWith(`${host}/`)) {
      problems.error("other-host", range, `“${text}” is on another host. ${to === "function" ? "A driver reaches only the devices of its own host" : to === "server" ? "Shared rings need shared memory" : "Calls stay on their host"}; use a link between hosts.`);
      return undefined;
    }
    return first.path;
  }

  /** Own host first; then the full path; then, where no host is given, any host's. Of several, those of the wanted kind. */
  private find(steps: string, kinds: readonly Kind[], host: string | undefined): Target[] {
    const own = host === undefined ? undefined : this.targets.get(`${host}/${steps}`);
    const full = this.targets.get(steps);
    for (const target of [own, full]) if (target && kinds.includes(target.kind)) return [target];
    const anywhere = host === undefined ? this.hosts.map(({ part }) => this.targets.get(`${part.path}/${steps}`)).filter((t) => t !== undefined) : [];
    const wanted = anywhere.filter(({ kind }) => kinds.includes(kind));
    if (wanted.length > 0) return wanted;
    return [own ?? full ?? anywhere[0]].filter((t) => t !== undefined);
  }

  private missingVf(text: string, steps: string, range: Range, host: string | undefined): boolean {
    const match = /^(.+)\/vf([0-9]{1,5})$/.exec(steps);
    const at = match?.[1];
    if (at === undefined) return false;
    const index = Number(match?.[2]);
    const device = this.hosts.flatMap(({ devices }) => devices).find(({ part }) => part.path === at || (host !== undefined && part.path === `${host}/${at}`));
    if (!device) return false;
    const { id, vfs } = device.part;
    const many = vfs === 0 ? "no VFs" : vfs === 1 ? "one VF, vf0" : `${vfs} VFs, vf0 to vf${vfs - 1}`;
    const room = device.sriov?.has("vfs") && index < (deviceModel(device.part.model)?.maxVfs ?? 0);
    this.source.problems.error(
      "vf-missing", range, `There is no ${text.split(/[./]/).at(-1)}: ${id} has ${many}. Use one of them, or raise “vfs”.`,
      room ? replacement(`Enable ${index + 1} VFs`, device.sriov?.valueRange("vfs") ?? range, String(index + 1)) : undefined,
    );
    return true;
  }

  /** @returns every name that would do for a reference, as a file at `host` may spell it, in the file's order. */
  spellings(to: ReferenceKind, host: string | undefined): string[] {
    const { kinds, types } = WANTED[to];
    const names: string[] = [];
    for (const { path, kind, type } of this.targets.values()) {
      if (!kinds.includes(kind) || types?.includes(type) === false) continue;
      if (to === "load-generator" && !this.asks({ path, kind, type })) continue;
      if (to === "answering" && kind === "component" && !isServer(type)) continue;
      if (host === undefined) {
        // Clients are not what people mean by a short name.
        const short = path.slice(path.indexOf("/") + 1);
        if (kind === "load-generator") names.push(path);
        else if (to === "device") names.push(path.replaceAll("/", "."));
        else if (!this.isImplied(path)) names.push(short.replaceAll("/", "."));
      } else if (path.startsWith(`${host}/`)) names.push(path.slice(host.length + 1).replaceAll("/", "."));
    }
    return names;
  }

  /** A sentence that says what a reference must lead to, and what there is of it. */
  demand(to: ReferenceKind, host: string | undefined): string {
    const { noun, example } = WANTED[to];
    const names = this.spellings(to, host);
    if (names.length === 0) return `This must be ${noun}${example === undefined ? "" : `, such as ${example}`}, and ${host ?? "the design"} has none. Add one.`;
    const listed = names.slice(0, LISTED);
    const last = names.length > LISTED ? `one of ${names.length - LISTED} others` : listed.length > 1 ? listed.pop() : undefined;
    return `This must be ${noun}: ${listed.join(", ")}${last === undefined ? "" : ` or ${last}`}.`;
  }

  /** Whether a host or a domain can run the client of a workload. */
  private asks({ path, kind }: Target): boolean {
    return kind === "load-generator" || this.hosts.some(({ domains }) => domains.some(({ part, components }) => part.path === path && components.some((c) => c.part.type === "load-generator")));
  }

  private isImplied(path: string): boolean {
    return this.hosts.some(({ part }) => part.kind === "load-generator" && path.startsWith(`${part.path}/`));
  }
}

/** Replaces names by paths throughout a draft. */
export function resolveReferences(source: Source, draft: DesignDraft): void {
  const references = new References(source, draft.hosts, draft.links);
  for (const host of draft.hosts) {
    for (const domain of host.domains) {
      for (const { part, section } of domain.components) {
        if (section.has("bind")) part.bind = references.follow(section, "bind", "function", host.part.path);
        else if (part.options["bind"] === "nic.pf" && host.part.kind === "load-generator") part.bind = `${host.part.path}/nic/pf`;
        if (section.has("channel")) part.channel = references.follow(section, "channel", part.type === "netfront" ? "backend" : "server", host.part.path);
      }
    }
  }
  for (const { part, section } of draft.links) {
    part.to = references.follow(section, "to", "device", undefined) ?? "";
    const device = draft.hosts.flatMap(({ devices }) => devices).find(({ part: { path } }) => path === part.to);
    const nic = draft.hosts.find(({ part: { path } }) => path === part.from)?.devices[0];
    if (device && nic) nic.part.mtu = device.part.mtu;
    if (device) setRate(source, part, section, device, nic);
  }
  for (const { part, section } of draft.workloads) {
    const from = references.follow(section, "from", "load-generator", undefined) ?? "";
    // Of a load generator, the one domain stands for the host.
    part.from = draft.hosts.find((host) => host.part.kind === "load-generator" && from.startsWith(`${host.part.path}/`))?.part.path ?? from;
    part.named = references.follow(section, "to", "answering", undefined) ?? "";
  }
  for (const { part, section } of draft.switches) part.domain = references.follow(section, "switch", "switchable-domain", undefined) ?? "";
  for (const { part, section } of draft.policies) {
    const one = references.follow(section, "switch", "switchable-domain", undefined);
    const found = one === undefined ? references.followAll(section, "among", "switchable-domain", undefined) : [{ path: one, range: section.valueRange("switch") }];
    part.domains = found.map(({ path }) => path);
    part.domainRanges = found.map(({ range }) => range);
  }
  for (const { part, section } of draft.faults) {
    part.target = references.follow(section, part.kind, faultKind(part.kind), undefined) ?? "";
  }
}

function faultKind(kind: string): ReferenceKind {
  return FAULTS.find((type) => type.kind === kind)?.target ?? "domain-or-component";
}
