/** The words that a reference may be, from a design as it stands. */
import { answers } from "../catalogue/workloads";
import type { WorkloadType } from "../catalogue/workloads";
import type { Design, Host } from "../model";
import { switchableUplinks } from "../switchable";
import type { ReferenceKind } from "../vocabulary";

export interface Suggestion {
  /** As the file would spell it. */
  readonly text: string;
  /** One line about it. */
  readonly detail: string;
  /** Whether it can be used as it is: a VF that is free, a server with room. These come first. */
  readonly usable: boolean;
}

const dotted = (path: string): string => path.replaceAll("/", ".");

/**
 * @param host path of the host that short names are of; undefined: names from anywhere.
 * @param workload whose “to” is to be answered.
 * @returns what a reference of this kind may be, usable ones first, else in the file's order.
 */
export function suggestReferences(design: Design, to: ReferenceKind, host: string | undefined, workload?: WorkloadType): Suggestion[] {
  const machines = design.hosts.filter(({ kind, path }) => kind === "machine" && (host === undefined || path === host));
  const found = machines.flatMap((machine) => ofHost(design, machine, to, host, workload));
  if (to === "load-generator") {
    found.push(...design.hosts.filter(({ kind }) => kind === "load-generator").map(({ path }) => ({ text: path, detail: "load generator", usable: true })));
  }
  return [...found.filter(({ usable }) => usable), ...found.filter(({ usable }) => !usable)];
}

function ofHost(design: Design, machine: Host, to: ReferenceKind, host: string | undefined, workload?: WorkloadType): Suggestion[] {
  const unique = design.hosts.filter(({ kind }) => kind === "machine").length === 1;
  const short = (path: string) => dotted(host !== undefined || unique ? path.slice(machine.path.length + 1) : path);
  switch (to) {
    case "load-generator":
      return machine.domains.filter(({ components }) => components.some(({ type }) => type === "load-generator")).map(({ path, kind }) => ({ text: short(path), detail: kind, usable: true }));
    case "function":
      return machine.devices.flatMap(({ functions }) => functions).map(({ path, boundTo }) => ({ text: short(path), detail: boundTo === undefined ? "free" : `bound to ${boundTo}`, usable: boundTo === undefined }));
    case "server":
      return machine.domains.flatMap(({ components }) => components).filter(({ type }) => type === "netserver").map(({ path, options }) => {
        const clients = machine.domains.filter(({ components }) => components.some(({ channel }) => channel === path)).length;
        const most = Number(options["applications"]);
        return { text: short(path), detail: `${clients} of ${most} applications`, usable: clients < most };
      });
    case "backend":
      return machine.domains.flatMap(({ components }) => components).filter(({ type }) => type === "netback").map(({ path }) => {
        const guests = machine.domains.filter(({ components }) => components.some(({ channel }) => channel === path)).length;
        return { text: short(path), detail: guests === 1 ? "1 guest" : `${guests} guests`, usable: true };
      });
    case "device":
      return machine.devices.map(({ path, model }) => {
        const link = design.links.find((l) => l.to === path);
        return { text: dotted(path), detail: link ? `${model}, connected to ${link.from}` : model, usable: !link };
      });
    case "uplink":
      return [{ text: "server", detail: "through the network server", usable: true }, { text: "direct", detail: "by a function of its own", usable: true }];
    case "kernel":
      return machine.domains.filter(({ kind }) => kind === "kernel").map(({ path, kind }) => ({ text: short(path), detail: kind, usable: true }));
    case "stack":
    case "driver":
      return machine.domains.flatMap((domain) => domain.components.filter(({ type, bind }) => (to === "stack" ? type === "tcpip" : bind !== undefined))
        .map(({ path }) => ({ text: short(path), detail: domain.kind, usable: domain.kind === "kernel" || domain.kind === "process" })));
    case "domain":
      return machine.domains.map(({ path, kind }) => ({ text: short(path), detail: kind, usable: true }));
    case "answering":
      return machine.domains.flatMap((domain) => {
        const servers = domain.components.filter(({ type }) => type === workload?.server);
        return [{ text: short(domain.path), detail: domain.kind, usable: true }, ...servers.map((server) => ({ text: short(server.path), detail: server.type, usable: workload !== undefined && answers(workload, server) }))];
      });
    case "switchable-domain":
      return machine.domains.flatMap((domain) => {
        const uplinks = switchableUplinks(domain);
        return uplinks === undefined ? [] : [{ text: short(domain.path), detail: [uplinks.vif, ...uplinks.drivers].map(({ id }) => id).join(", "), usable: true }];
      });
    case "link":
      return design.links.map(({ path, to: device }) => ({ text: dotted(path), detail: `to ${device}`, usable: true }));
    case "domain-or-component":
      return machine.domains.flatMap((domain) => [{ text: short(domain.path), detail: domain.kind, usable: true }, ...domain.components.map(({ path, type }) => ({ text: short(path), detail: type, usable: true }))]);
    case "domain-or-host":
      return [
        ...ofHost(design, machine, "domain-or-component", host), { text: machine.path, detail: "host, with all that is in it", usable: true },
        ...(machine.hypervisor === undefined ? [] : [{ text: dotted(machine.hypervisor.path), detail: `${machine.hypervisor.model}, with all domains`, usable: true }]),
      ];
    default:
      return [];
  }
}
