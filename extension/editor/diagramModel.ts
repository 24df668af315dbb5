import type { Component, Design, Device, Domain, Host, Problem, Workload } from "../../engine/design/model";
import { boxAround, type DiagramModel, type DiagramNode, type Mark, type NodeKind } from "../../protocol/diagram";
import { activeUplink, type ActiveUplinks } from "./activeUplink";
import { diagramEdges } from "./diagramEdges";
import { marksByPath } from "./marks";
import { domainRanks } from "./ranks";
import {
  componentIcon, componentTitle, deviceTitle, domainDetails, domainIcon, domainKindName, optionDetails, optionText, readable,
  type Translate,
} from "./wording";
import { componentType } from "../../engine/design/catalogue/components";
import { WORKLOADS } from "../../engine/design/catalogue/workloads";

/**
 * What the diagram shows of a design. Pure: the same design gives the same model.
 * @param problems those of the same text; each marks the innermost part that it begins in.
 * @param uplinks in use where the debugger stands.
 */
export function diagramModel(design: Design, problems: readonly Problem[], t: Translate, uplinks: ActiveUplinks = {}): DiagramModel {
  const marks = marksByPath(design, problems);
  const nodes: DiagramNode[] = [];
  const add = (node: NodeDraft): void => void nodes.push(complete(node, marks, design, t));
  const ranks = domainRanks(design);
  for (const host of design.hosts) {
    const client = host.kind === "load-generator";
    add({
      path: host.path, parent: undefined, kind: client ? "client" : "host", type: host.kind, label: host.id,
      caption: client ? t("load generator") : hostCaption(host, t), icon: client ? "broadcast" : "server", title: client ? t("Load generator") : t("Host"),
      details: [
        { label: t("pCPUs"), value: String(host.cores) },
        { label: t("NUMA nodes"), value: String(host.numa) },
        ...(client ? [] : [{ label: t("IOMMU"), value: host.iommu ? t("on") : t("off") }]),
      ],
    });
    if (!client) for (const domain of host.domains) addDomain(domain, design.workloads.filter(({ from }) => from === domain.path), ranks.get(domain.path) ?? 0, uplinks, add, t);
    if (host.hypervisor) {
      const { path, id, model, scheduler, timeslice, ratelimit } = host.hypervisor;
      add({
        path, parent: host.path, kind: "hypervisor", type: model, label: model, caption: t("hypervisor"), icon: "type-hierarchy",
        title: t("Hypervisor {0}", id),
        details: [
          { label: t("scheduler"), value: scheduler }, { label: t("time slice"), value: readable("time", timeslice) },
          { label: t("rate limit"), value: readable("time", ratelimit) },
        ],
      });
    }
    for (const device of host.devices) {
      if (client) addInterface(device, add, t);
      else addDevice(device, add, t);
    }
  }
  for (const workload of design.workloads) addWorkload(workload, design, add, t);
  const pinned = (path: string): boolean => design.pins.has(boxAround(nodes, path)?.path ?? "");
  return { name: design.name, nodes: nodes.map((node) => ({ ...node, pinned: pinned(node.path) })), edges: diagramEdges(design, uplinks, t), pins: Object.fromEntries(design.pins) };
}

interface NodeDraft extends Pick<DiagramNode, "path" | "parent" | "type" | "label" | "icon"> {
  readonly kind: NodeKind;
  /** What it is, in words, for the description. */
  readonly title: string;
  readonly caption?: string;
  readonly badge?: string;
  readonly rank?: number;
  readonly idle?: boolean;
  readonly movable?: boolean;
  readonly details: DiagramNode["details"];
  /** A sentence more for the description. */
  readonly note?: string;
}

function complete(draft: NodeDraft, marks: ReadonlyMap<string, Mark>, design: Design, t: Translate): DiagramNode {
  const { title, note, ...node } = draft;
  const pinned = design.pins.has(draft.path);
  const mark = marks.get(draft.path);
  const sentences = [
    `${draft.label}${draft.badge ? ` ${draft.badge}` : ""}, ${title}`,
    ...(note ? [note] : []),
    ...(pinned ? [t("Pinned")] : []),
    ...(draft.movable ? [t("Press M to move this uplink")] : []),
    ...(mark ? mark.messages.map((message) => t("Problem: {0}", message)) : []),
  ];
  return {
    caption: "", badge: "", rank: 0, idle: false, movable: false, pinned: false, ...node, mark,
    details: [...node.details, ...(pinned ? [{ label: t("place"), value: t("pinned") }] : [])],
    description: sentences.join(". "),
  };
}

function hostCaption(host: Host, t: Translate): string {
  return host.iommu ? t("{0} pCPUs · IOMMU", host.cores) : t("{0} pCPUs", host.cores);
}

/** @param asks workloads that its load generator runs */
function addDomain(domain: Domain, asks: readonly Workload[], rank: number, uplinks: ActiveUplinks, add: (node: NodeDraft) => void, t: Translate): void {
  const kind = domainKindName(domain.kind, t);
  const vcpus = domain.kernel !== undefined ? t("of {0}", domain.kernel.slice(domain.kernel.lastIndexOf("/") + 1)) : domain.vcpus === 1 ? t("1 vCPU") : t("{0} vCPUs", domain.vcpus);
  add({
    path: domain.path, parent: domain.host, kind: "domain", type: domain.kind, label: domain.id, caption: `${kind} · ${vcpus}`,
    icon: domainIcon(domain.kind), rank, title: t("protection domain, {0}", kind), details: domainDetails(domain, t),
  });
  for (const component of domain.components) add(componentTile(component, domain, asks, uplinks, t));
}

function componentTile(component: Component, domain: Domain, asks: readonly Workload[], uplinks: ActiveUplinks, t: Translate): NodeDraft {
  const uplink = domain.uplinks.includes(component.path);
  const active = uplink && activeUplink(domain, uplinks) === component.path;
  // What a user moves is what the design says, wherever the debugger stands.
  const first = uplink && activeUplink(domain, {}) === component.path;
  const port = component.options["port"];
  const goesTo = component.bind ?? component.channel ?? component.below;
  const doc = componentType(component.type)?.doc;
  return {
    path: component.path, parent: domain.path, kind: "component", type: component.type, label: component.id,
    badge: typeof port === "number" ? `:${port}` : "", icon: componentIcon(component.type), title: t("{0} in {1}", componentTitle(component.type), domain.id),
    idle: uplink && !active, movable: first && hasProtocol(domain),
    details: [
      ...(doc === undefined ? [] : [{ label: t("does"), value: doc }]),
      ...optionDetails(component),
      ...(component.type === "load-generator" ? asks.map((workload) => ({ label: t("asks"), value: `${workload.kind} → ${askedName(workload)}` })) : []),
      ...(domain.uplinks.length > 1 && uplink ? [{ label: t("uplink"), value: active ? t("in use") : t("not in use") }] : []),
      ...(goesTo === undefined ? [] : [{ label: component.bind !== undefined ? t("bound to") : component.channel !== undefined ? t("channel to") : t("calls"), value: goesTo }]),
    ],
    ...(goesTo === undefined ? {} : { note: t("Connected to {0}", goesTo) }),
  };
}

/** Only a domain that ends the transport protocol itself can change what is below it; a network server is its interface. */
function hasProtocol(domain: Domain): boolean {
  return domain.components.some((component) => componentType(component.type)?.layer === "protocol");
}

function addDevice(device: Device, add: (node: NodeDraft) => void, t: Translate): void {
  add({
    path: device.path, parent: device.host, kind: "device", type: device.model, label: device.id, caption: deviceTitle(device.model),
    icon: "circuit-board", title: t("device, {0}", deviceTitle(device.model)),
    details: [{ label: t("MTU"), value: `${device.mtu}\u00a0B` }, { label: t("VFs"), value: String(device.vfs) }],
  });
  for (const pciFunction of device.functions) {
    const physical = pciFunction.id === "pf";
    const title = physical ? t("physical function of {0}", device.id) : t("virtual function of {0}", device.id);
    const owner = pciFunction.boundTo ?? t("nobody: free");
    add({
      path: pciFunction.path, parent: device.path, kind: "function", type: physical ? "pf" : "vf", label: pciFunction.id, icon: physical ? "chip" : "plug",
      title, idle: pciFunction.boundTo === undefined, details: [{ label: t("bound to"), value: owner }], note: t("Bound to {0}", owner),
    });
  }
}

/** A client is not designed: its NIC is one tile, the end of its link. */
function addInterface(device: Device, add: (node: NodeDraft) => void, t: Translate): void {
  add({
    path: device.path, parent: device.host, kind: "function", type: device.model, label: device.id, icon: "circuit-board",
    title: t("interface, {0}", deviceTitle(device.model)),
    details: [{ label: t("device"), value: deviceTitle(device.model) }, { label: t("MTU"), value: `${device.mtu}\u00a0B` }],
  });
}

/** What a workload names, without its host: a domain, or a server in one. */
function askedName({ to, named }: Workload): string {
  return named.slice(to.lastIndexOf("/") + 1).replaceAll("/", ".");
}

/** A client's workloads are tiles of its own; those of a domain are what its load generator's tile says. */
function addWorkload(workload: Workload, design: Design, add: (node: NodeDraft) => void, t: Translate): void {
  if (!design.hosts.some((host) => host.path === workload.from)) return;
  const spec = WORKLOADS.find((type) => type.kind === workload.kind);
  const concurrency = workload.options["concurrency"];
  add({
    path: workload.path, parent: workload.from, kind: "workload", type: workload.kind, label: `${workload.kind} → ${askedName(workload)}`,
    badge: typeof concurrency === "number" ? `×${concurrency}` : "", icon: "pulse", title: t("workload for {0}", workload.named),
    details: Object.entries(workload.options).flatMap(([name, value]) => {
      const kind = spec?.options.find((option) => option.name === name)?.value.kind;
      return kind === "reference" ? [] : [{ label: name, value: optionText(kind, value) }];
    }),
  });
}
