import { componentType } from "../design/catalogue/components";
import type { Component, Design, Domain } from "../design/model";
import type { DomainPlace, Machine } from "./machine";

/** Whose functions run in a domain, as components have names for them. */
export function systemOf({ system }: Domain): DomainPlace["system"] {
  return system === "linux" ? "linux" : "rump";
}

/** How its network stack is locked. MINIX' kernel has no stack of its own making. */
export function lockingOf({ kind, system, netMpsafe }: Domain): DomainPlace["locking"] {
  if (system === "linux") return "linux";
  if (kind === "vm") return "rump";
  return system === "netbsd" ? (netMpsafe ? "netbsd with NET_MPSAFE" : "netbsd") : undefined;
}

/**
 * A process, on the vCPUs of its kernel, which is there already.
 * @param facts what the design alone says of its place
 * @throws Error for a process without a kernel
 */
export function addProcess(machine: Machine, domain: Domain, domains: readonly DomainPlace[], facts: Pick<DomainPlace, "socketInterface" | "switchable" | "mtu">): DomainPlace {
  const kernel = domains.find(({ path }) => path === domain.kernel);
  if (kernel === undefined) throw new Error(`${domain.path} has no kernel to run on.`);
  const system = domainAt(machine.design, kernel.path)?.system ?? "linux";
  const { host, virtual, vcpus } = kernel;
  return {
    id: machine.cpus.addProcess(domain.path, kernel.id, system), path: domain.path, host, system: systemOf(domain), kernel: { id: kernel.id, system },
    virtual, vcpus, components: domain.components, activeUplink: domain.activeUplink, ...facts, locking: undefined, threads: new Map(), locks: new Map(),
  };
}

/**
 * The client program of a load generator is an ordinary process of its kernel, which the design does not name: where the
 * components sit of which {@link inUserspace} says so. Every domain that the design names must be there already.
 */
export function addUserspaces(machine: Machine, domains: readonly DomainPlace[]): ReadonlyMap<DomainPlace, DomainPlace> {
  const clients = machine.design.hosts.filter(({ kind }) => kind === "load-generator").map(({ path }) => path);
  return new Map(domains.filter(({ host }) => clients.includes(host)).map((os) => {
    const kernel = { id: os.id, system: "linux" as const };
    return [os, { ...os, id: machine.cpus.addProcess(os.path, os.id, kernel.system), kernel, locking: undefined, threads: new Map<string, number>(), locks: new Map<string, number>() }];
  }));
}

export function inUserspace({ type }: Component): boolean {
  const layer = componentType(type)?.layer;
  return layer === "application" || layer === "library";
}

function domainAt(design: Design, path: string): Domain | undefined {
  return design.hosts.flatMap((h) => h.domains).find((d) => d.path === path);
}
