/** Reads hosts: machines with their devices and domains, and load generators, which imply theirs. */
import { isMap, isScalar } from "yaml";
import { deviceModel } from "./catalogue/devices";
import { readPolicies } from "./vfPolicies";
import { impliedComponent, readDomain } from "./domains";
import type { DeviceDraft, DomainDraft, HostDraft, LinkDraft, Mutable, Paths } from "./draft";
import type { Domain, Hypervisor, PciFunction, Range } from "./model";
import { replacement } from "./problems";
import { describe, Section } from "./section";
import type { Source } from "./section";
import { SECTIONS } from "./vocabulary";
import type { SectionName } from "./vocabulary";
import type { Entry } from "./yamlText";

/** A section below another; an empty one where it is not written. */
export function subsection(source: Source, parent: Section, key: string, name: SectionName): Section {
  const entry = parent.entry(key);
  const { noun, keys, open } = SECTIONS[name];
  return new Section(source, noun, keys, entry?.value, entry?.valueRange ?? parent.range, open);
}

/** Entries of a mapping whose keys are the user's names. */
export function namedEntries(source: Source, section: Section, key: string): Entry[] {
  const entry = section.entry(key);
  if (!entry?.value) return [];
  if (isMap(entry.value)) return source.yaml.entries(entry.value);
  source.problems.error("wrong-type", entry.valueRange, `“${key}” must be a mapping of names, not ${describe(entry.value)}.`);
  return [];
}

export interface Hosts {
  readonly hosts: HostDraft[];
  readonly links: LinkDraft[];
}

export function readHosts(source: Source, paths: Paths, root: Section): Hosts {
  const hosts: HostDraft[] = [];
  const links: LinkDraft[] = [];
  for (const entry of namedEntries(source, root, "hosts")) {
    const { path } = paths.claim(source, "", entry.key, entry.keyRange, "Rename one.");
    if (modelOf(source, entry) === "load-generator") {
      const { host, link } = readLoadGenerator(source, paths, path, entry);
      hosts.push(host);
      if (link) links.push(link);
    } else hosts.push(readMachine(source, paths, path, entry));
  }
  return { hosts, links };
}

function modelOf(source: Source, { value }: Entry): unknown {
  const model = isMap(value) ? source.yaml.resolve(value.get("model", true)) : undefined;
  return isScalar(model) ? model.value : undefined;
}

function readMachine(source: Source, paths: Paths, path: string, entry: Entry): HostDraft {
  const { noun, keys } = SECTIONS.machine;
  const section = new Section(source, noun, keys, entry.value, entry.keyRange);
  section.read("model");
  const cpu = subsection(source, section, "cpu", "cpu");
  const hypervisor = section.entry("hypervisor");
  const hypervisorSection = hypervisor && subsection(source, section, "hypervisor", "hypervisor");
  const devices = namedEntries(source, section, "devices").map((e) => readDevice(source, paths, path, e));
  const hypervisorPart = hypervisor && hypervisorSection && readHypervisor(source, paths, path, hypervisor, hypervisorSection);
  const domains = namedEntries(source, section, "domains").map((e) => readDomain(source, paths, path, e));
  return {
    section, cpu, devices, domains, hypervisor: hypervisorSection,
    part: {
      path, id: path, range: entry.range, nameRange: entry.keyRange, kind: "machine",
      cores: cpu.number("cores"), numa: cpu.number("numa"), iommu: section.flag("iommu"),
      devices: devices.map(({ part }) => part), hypervisor: hypervisorPart, domains: domains.map(({ part }) => part),
    },
  };
}

function readHypervisor(source: Source, paths: Paths, host: string, entry: Entry, section: Section): Hypervisor {
  const { path, id } = paths.claim(source, host, "hypervisor", entry.keyRange, "Rename the device.");
  return {
    path, id, range: entry.range, nameRange: entry.keyRange, model: section.text("model"), scheduler: section.text("scheduler"),
    timeslice: section.number("timeslice"), ratelimit: section.number("ratelimit"),
  };
}

function readDevice(source: Source, paths: Paths, host: string, entry: Entry): DeviceDraft {
  const { path, id } = paths.claim(source, host, entry.key, entry.keyRange, "Devices and domains of a host need names of their own; rename one.");
  const { noun, keys } = SECTIONS.device;
  const section = new Section(source, noun, keys, entry.value, entry.keyRange);
  const sriovEntry = section.entry("sriov");
  const sriov = sriovEntry && subsection(source, section, "sriov", "sriov");
  const vfsEntry = sriov?.entry("vfs");
  const model = deviceModel(section.text("model"));
  let vfs = sriov?.number("vfs") ?? 0;
  if (model && vfs > model.maxVfs) {
    const range = sriov?.valueRange("vfs") ?? entry.keyRange;
    source.problems.error("too-many-vfs", range, `The ${model.title} has at most ${model.maxVfs} VFs beside its PF. Set “vfs” to ${model.maxVfs} or less.`, replacement(`Change to ${model.maxVfs}`, range, String(model.maxVfs)));
    vfs = model.maxVfs;
  }
  if (sriov?.has("ari") && vfs === 0) source.problems.warning("no-effect", sriov.valueRange("ari"), "Only VFs have routing ids that depend on it, and none is enabled. Enable some, such as vfs: 2.");
  const functions: Mutable<PciFunction>[] = [];
  const add = (name: string, range: Range, nameRange: Range) => {
    functions.push({ path: `${path}/${name}`, id: name, device: path, range, nameRange, boundTo: undefined });
  };
  add("pf", entry.range, entry.keyRange);
  for (let i = 0; i < vfs; i++) add(`vf${i}`, vfsEntry?.range ?? entry.range, vfsEntry?.keyRange ?? entry.keyRange);
  return {
    functions, section, sriov,
    part: {
      path, id, host, range: entry.range, nameRange: entry.keyRange, model: section.text("model"), mtu: section.number("mtu"), node: section.number("node"), vfs, functions,
      ari: sriov?.flag("ari") ?? true, policies: readPolicies(source, sriov ? namedEntries(source, sriov, "policies") : [], id, vfs),
    },
  };
}

/**
 * A load generator is an ordinary machine with one kernel, `os`, and one NIC, `nic`, neither of which the file spells:
 * the engine needs no special case for it. Its NIC takes the MTU of the device at the other end of the link.
 */
function readLoadGenerator(source: Source, paths: Paths, path: string, entry: Entry): { host: HostDraft; link: LinkDraft | undefined } {
  const { noun, keys } = SECTIONS["load-generator"];
  const section = new Section(source, noun, keys.map((key) => (key.name === "link" ? { ...key, required: false } : key)), entry.value, entry.keyRange);
  const cpu = subsection(source, section, "cpu", "cpu");
  const linkEntry = section.entry("link");
  const { range, keyRange: nameRange } = entry;
  const near = { range: linkEntry?.range ?? range, nameRange: linkEntry?.keyRange ?? nameRange };

  const nic = paths.number(`${path}/`, "nic");
  const pf: Mutable<PciFunction> = { path: `${nic.path}/pf`, id: "pf", device: nic.path, ...near, boundTo: undefined };
  const device: DeviceDraft["part"] = { ...nic, host: path, ...near, model: "intel-82599", mtu: 1500, node: 0, vfs: 0, ari: true, policies: [], functions: [pf] };
  const os = paths.number(`${path}/`, "os");
  const components = ["load-generator", "libc", "tcpip"].map((type) => impliedComponent(source, paths, path, os.path, type, range, nameRange));
  components.push(impliedComponent(source, paths, path, os.path, "ixgbe", near.range, near.nameRange, { bind: "nic.pf", queues: section.number("queues"), ...(section.has("vlan") ? { vlan: section.number("vlan") } : {}) }));
  const domain: Mutable<Domain> = {
    ...os, host: path, range, nameRange, kind: "kernel", kernel: undefined, system: "linux", netMpsafe: false, vcpus: cpu.number("cores"), weight: 256, cap: 0, affinity: [], scheduler: "preemptive", memoryNode: undefined, idle: "halt",
    components: components.map(({ part }) => part), uplinks: [], activeUplink: undefined,
  };
  const domains: DomainDraft[] = [{ part: domain, section, uplinks: undefined, components }];
  const host: HostDraft = {
    section, cpu, hypervisor: undefined, domains,
    devices: [{ part: device, functions: [pf], section, sriov: undefined }],
    part: {
      path, id: path, range, nameRange, kind: "load-generator", cores: cpu.number("cores"), numa: cpu.number("numa"), iommu: false,
      devices: [device], hypervisor: undefined, domains: [domain],
    },
  };
  if (!linkEntry) {
    source.problems.error("no-link", nameRange, `The load generator ${path} has no link. Connect it to a device, such as link: { to: server.nic0 }.`);
    return { host, link: undefined };
  }
  const linkSection = subsection(source, section, "link", "link");
  const link: LinkDraft = {
    section: linkSection,
    part: {
      ...paths.number(`${path}/`, "link"), range: linkEntry.range, nameRange: linkEntry.keyRange, from: path, to: "",
      rate: linkSection.number("rate"), delay: linkSection.number("delay"), loss: linkSection.number("loss"),
      corrupt: linkSection.number("corrupt"), duplicate: linkSection.number("duplicate"),
      reorder: linkSection.number("reorder"), reorderBy: linkSection.number("reorder-by"),
    },
  };
  return { host, link };
}
