import type { Component, Design, Domain, Link } from "../../engine/design/model";
import type { DiagramEdge } from "../../protocol/diagram";
import { activeUplink, type ActiveUplinks } from "./activeUplink";
import { readable, type Translate } from "./wording";

/** The edges of the diagram; ids are made of the paths of both ends, so that an edge stays itself over edits. */
export function diagramEdges(design: Design, uplinks: ActiveUplinks, t: Translate): DiagramEdge[] {
  const drawn = new Set<string>();
  for (const host of design.hosts) {
    for (const domain of host.domains) for (const component of domain.components) drawn.add(component.path);
    for (const device of host.devices) {
      drawn.add(device.path);
      for (const pciFunction of device.functions) drawn.add(pciFunction.path);
    }
  }
  const edges: DiagramEdge[] = [];
  for (const host of design.hosts) {
    if (host.kind === "load-generator") continue;
    for (const domain of host.domains) {
      const active = activeUplink(domain, uplinks);
      edges.push(...calls(domain, active, t));
      for (const component of domain.components) {
        const idle = isIdle(component, domain, active);
        if (component.channel !== undefined && drawn.has(component.channel)) edges.push(channel(component, component.channel, idle, t));
        if (component.below !== undefined && drawn.has(component.below)) edges.push(crossing(component, component.below, domain, t));
        if (component.bind !== undefined && drawn.has(component.bind)) edges.push(binding(component, component.bind, idle, host.iommu, t));
      }
    }
  }
  for (const link of design.links) {
    const client = design.hosts.find((host) => host.path === link.from);
    const drawnEnd = design.hosts.some((host) => host.devices.some((device) => device.path === link.to));
    if (client && drawnEnd) edges.push(linkEdge(link, client.devices[0]?.path ?? client.path, t));
  }
  return edges;
}

function isIdle(component: Component, domain: Domain, active: string | undefined): boolean {
  return domain.uplinks.includes(component.path) && active !== component.path;
}

/** Neighbours of the stack call each other; all uplinks hang under the component above the first of them. */
function calls(domain: Domain, active: string | undefined, t: Translate): DiagramEdge[] {
  const edges: DiagramEdge[] = [];
  let above: Component | undefined;
  for (const component of domain.components) {
    if (above) {
      edges.push({
        id: `call:${above.path}:${component.path}`, kind: "call", from: above.path, to: component.path, idle: isIdle(component, domain, active), guarded: false,
        title: t("Function call"), caption: "", details: [{ label: t("from"), value: above.id }, { label: t("to"), value: component.id }, { label: t("crosses"), value: t("no protection boundary") }],
      });
    }
    if (!domain.uplinks.includes(component.path)) above = component;
  }
  return edges;
}

function channel(component: Component, server: string, idle: boolean, t: Translate): DiagramEdge {
  return {
    id: `channel:${component.path}:${server}`, kind: "channel", from: component.path, to: server, idle, guarded: false,
    title: t("Ring and event channel"), caption: "",
    details: [
      { label: t("between"), value: `${component.path} ↔ ${server}` },
      { label: t("data"), value: t("L2 frames, copied through shared rings, one a direction") },
      { label: t("notifies"), value: t("a virtual interrupt, only when the receiver is inactive") },
    ],
  };
}

/** A call into the kernel below, or into another process. */
function crossing(component: Component, callee: string, domain: Domain, t: Translate): DiagramEdge {
  const intoKernel = domain.kernel !== undefined && callee.startsWith(`${domain.kernel}/`);
  const frames = component.type === "tcpip";
  return {
    id: `crossing:${component.path}:${callee}`, kind: "crossing", from: component.path, to: callee, idle: false, guarded: false,
    title: intoKernel ? t("System call") : t("Message between processes"), caption: intoKernel ? t("system call") : t("IPC"),
    details: [
      { label: t("between"), value: `${component.path} ↔ ${callee}` },
      { label: t("crosses"), value: intoKernel ? t("from user mode into the kernel, on the caller's own thread") : t("through the kernel, which switches straight to the server's thread, on the caller's time") },
      { label: t("data"), value: frames ? t("frames, each copied from one domain's memory to the other's") : t("what is read and written, copied between the application and the stack") },
    ],
  };
}

function binding(component: Component, pciFunction: string, idle: boolean, guarded: boolean, t: Translate): DiagramEdge {
  return {
    id: `binding:${component.path}:${pciFunction}`, kind: "binding", from: component.path, to: pciFunction, idle, guarded,
    title: t("Secure binding to a PCI function"), caption: "",
    details: [
      { label: t("between"), value: `${component.path} ↔ ${pciFunction}` },
      { label: t("data"), value: t("DMA on descriptor rings, doorbells, interrupts") },
      { label: t("guard"), value: guarded ? t("IOMMU: the function reaches only pages of the domain") : t("none: the function can reach all memory") },
    ],
  };
}

/** @param from the client's NIC, or the client where it has none. */
function linkEdge(link: Link, from: string, t: Translate): DiagramEdge {
  return {
    id: `link:${link.path}`, kind: "link", from, to: link.to, idle: false, guarded: false,
    title: t("Link, {0}", readable("rate", link.rate)), caption: `${readable("rate", link.rate)} · ${readable("time", link.delay)}`,
    details: [
      { label: t("between"), value: `${link.from} ↔ ${link.to}` },
      { label: t("rate"), value: readable("rate", link.rate) }, { label: t("delay, one way"), value: readable("time", link.delay) },
      { label: t("loss"), value: `${Math.round(link.loss * 1e6) / 1e4}\u00a0%` },
    ],
  };
}
