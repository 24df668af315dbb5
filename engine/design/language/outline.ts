import type { Design, Part, Range } from "../model";

/** A node of the outline: what the file spells, by path. */
export interface OutlineNode {
  readonly name: string;
  readonly detail: string;
  readonly kind: "host" | "device" | "hypervisor" | "domain" | "component" | "workload" | "fault" | "switch" | "link";
  readonly range: Range;
  readonly nameRange: Range;
  readonly children: readonly OutlineNode[];
}

/** @returns the outline of a design, in the file's order; parts that the file does not spell are left out. */
export function outline(design: Design): OutlineNode[] {
  const node = ({ id, range, nameRange }: Part, kind: OutlineNode["kind"], detail: string, children: OutlineNode[] = []): OutlineNode =>
    ({ name: id, detail, kind, range, nameRange, children: children.sort((a, b) => a.range.start - b.range.start) });
  const hosts = design.hosts.map((host) => node(host, "host", host.kind === "machine" ? `${host.cores} pCPUs` : "load generator", [
    ...(host.hypervisor ? [node(host.hypervisor, "hypervisor", `${host.hypervisor.model}, ${host.hypervisor.scheduler}`)] : []),
    ...(host.kind === "machine" ? host.devices.map((d) => node(d, "device", d.model)) : []),
    ...(host.kind === "machine" ? host.domains.map((d) => node(d, "domain", d.kind, d.components.map((c) => node(c, "component", c.bind ?? c.channel ?? "")))) : []),
    ...design.links.filter(({ from }) => from === host.path).map((link) => node(link, "link", `to ${link.to}`)),
  ]));
  const happenings = [
    ...design.workloads.map((w) => node(w, "workload", `${w.from} to ${w.named}`)),
    ...design.faults.map((f) => node(f, "fault", f.target)),
    ...design.switches.map((s) => node(s, "switch", `${s.domain} to ${s.to}`)),
    ...design.policies.map((p) => node(p, "switch", p.domains.join(", "))),
  ];
  return [...hosts, ...happenings].sort((a, b) => a.range.start - b.range.start);
}
