import { componentModels } from "../components/registry";
import { isMultiqueue } from "../design/devices";
import type { Design, Domain, Host } from "../design/model";
import { mtuOf } from "../design/mtu";
import { deviceOf, socketInterface, switchableUplinks } from "../design/switchable";
import { Link } from "../network/link";
import type { PacketColumns } from "../network/packetColumns";
import { CreditPolicy } from "../scheduling/credit";
import { Hypervisor } from "../scheduling/hypervisor";
import { PinnedPolicy } from "../scheduling/pinned";
import { RoundRobinPolicy } from "../scheduling/roundRobin";
import { Topology } from "../scheduling/topology";
import type { VcpuPolicy } from "../scheduling/vcpuPolicy";
import { GrantTables, RUMP_FRAMES, XEN_FRAMES } from "./grants";
import { Iommu } from "./iommu/iommu";
import { addDegradation } from "./faults/degrade";
import { addFault } from "./faults/fault";
import { HostFault } from "./faults/hostFault";
import { Lifecycle } from "./lifecycle";
import { Machine, type DomainPlace } from "./machine";
import { HostMemory } from "./memory";
import { addProcess, addUserspaces, inUserspace, lockingOf, systemOf } from "./processes";
import { nicModels } from "./nic/model";
import { Nic } from "./nic/nic";
import { bytesOfQueue } from "./nic/queuePairs";
import { routingId } from "./nic/routingIds";
import { Toolstack } from "./switching/toolstack";

/** A machine as built: what it shares, and where its domains are. */
export interface Built {
  readonly machine: Machine;
  readonly hypervisors: readonly { readonly host: string; readonly hypervisor: Hypervisor; readonly cores: number }[];
  readonly iommus: readonly Iommu[];
  readonly domains: readonly DomainPlace[];
  /** What tells the applications of a host to switch, where a design has them switch. */
  readonly toolstacks: readonly Toolstack[];
}

/** Locally administered addresses (IEEE 802 clause 8.4), one a PCI function in the order of the design. */
const FIRST_MAC = 0x02_00_00_00_00_00;
/** Buses of a host's adapters: the first is at 86:00.0; without alternative routing ids, VFs spill onto the next buses. */
const FIRST_BUS = 0x86;
const BUSES = 3;

/**
 * Builds the machine of a design: hardware, then the hypervisor's view, then the components, then their neighbours, then
 * power on. Equal designs give equal machines, table for table.
 * @param columns packets of the engine that records, to replay it
 * @throws Error where the design asks for what no model offers; `parseDesign` reports that before
 */
export function build(design: Design, columns?: PacketColumns): Built {
  const machine = new Machine(design, columns);
  const { store } = machine.kernel;
  const hypervisors: { host: string; hypervisor: Hypervisor; cores: number }[] = [];
  const iommus: Iommu[] = [];
  const domains: DomainPlace[] = [];
  let mac = FIRST_MAC;
  for (const host of design.hosts) {
    const memory = new HostMemory(machine.kernel.store, host.path);
    machine.memories.set(host.path, memory);
    if (host.hypervisor !== undefined) machine.grants.set(host.path, new GrantTables(machine.kernel, machine.costs, machine.cpus, memory, host.path));
    const iommu = new Iommu(machine.kernel, machine.costs, memory, host.path, host.iommu);
    iommus.push(iommu);
    for (const [slot, device] of host.devices.entries()) {
      const model = nicModels[device.model];
      if (model === undefined) throw new Error(`There is no model of the device ${device.model}.`);
      const nic = new Nic(machine.kernel, machine.packets, machine.cpus, iommu, machine.costs, device.path, host.path, {
        ...(host.numa > 1 ? { distance: (domain: number) => machine.cpus.vcpus.distance(domain, device.node) } : {}),
        model, routingId: routingId(FIRST_BUS + slot * BUSES, 0, 0), mtu: device.mtu, vfs: device.vfs, ari: device.ari, policies: device.policies,
        multiqueue: isMultiqueue(host.domains, device.path),
      });
      for (const f of device.functions) nic.addFunction(f.path, ++mac);
      machine.nics.set(device.path, nic);
    }
    const hypervisor = addHypervisor(machine, host);
    hypervisors.push({ host: host.path, hypervisor, cores: host.cores });
    for (const domain of host.domains) if (domain.kind !== "process") domains.push(addDomain(machine, host, domain, hypervisor));
    for (const domain of host.domains) if (domain.kind === "process") {
      domains.push(addProcess(machine, domain, domains, { socketInterface: socketInterface(domain), switchable: switchableUplinks(domain), mtu: mtuOf(design, domain) }));
    }
  }
  const userspaces = addUserspaces(machine, domains);
  for (const spec of design.links) {
    const link = new Link(machine.kernel, machine.packets, spec.path, spec.from, spec.rate, spec.delay, spec);
    machine.links.push(link);
    nicOfHost(machine, design, spec.from).attach(link);
    machine.nics.get(spec.to)?.attach(link);
  }
  for (const domain of domains) machine.memories.get(domain.host)!.provide(domain.id, dmaBuffers(machine, domain));
  for (const domain of domains) {
    // From the bottom up, so that what a component calls in its constructor is there.
    for (const spec of [...domain.components].reverse()) {
      const model = componentModels[spec.type];
      if (model === undefined) throw new Error(`There is no model of the component ${spec.type}.`);
      const place = userspaces.get(domain);
      const home = place !== undefined && inUserspace(spec) ? place : domain;
      const placed = store.within(domain.path, () => model({ machine, spec, domain: home }));
      machine.components.set(spec.path, placed);
      machine.cpus.crossings.place(placed.id, home.id);
    }
  }
  for (const domain of domains) for (const { path } of [...domain.components].reverse()) store.within(domain.path, () => machine.placed(path).connect?.());
  machine.lifecycle = new Lifecycle(machine, domains);
  for (const spec of design.faults) {
    addFault(machine, domains, spec);
    addDegradation(machine, spec);
    const struck = hypervisors.find(({ host }) => spec.target === host || spec.target === `${host}/hypervisor`);
    if (struck !== undefined) new HostFault(machine, struck, spec);
  }
  const toolstacks = design.switches.length + design.policies.length === 0 ? [] : design.hosts.flatMap((host) => {
    const own = domains.filter((domain) => domain.host === host.path);
    return own.some(({ switchable }) => switchable !== undefined) ? [new Toolstack(machine, host.path, own)] : [];
  });
  for (const { hypervisor } of hypervisors) hypervisor.start();
  machine.lifecycle.switchOn();
  return { machine, hypervisors, iommus, domains, toolstacks };
}

function addHypervisor(machine: Machine, host: Host): Hypervisor {
  const spec = host.hypervisor;
  const hypervisor = new Hypervisor(machine, host.path, new Topology(machine.costs, host.cores, host.numa), spec?.path ?? host.path, spec?.model ?? "bare metal");
  let policy: VcpuPolicy;
  if (spec === undefined || spec.scheduler === "pinned") policy = new PinnedPolicy(hypervisor);
  else if (spec.scheduler === "credit") policy = new CreditPolicy(machine.kernel, hypervisor, host.path, spec.timeslice, spec.ratelimit);
  else if (spec.scheduler === "round-robin") policy = new RoundRobinPolicy(machine.kernel, hypervisor, host.path, spec.timeslice);
  else throw new Error(`There is no scheduler ${spec.scheduler}.`);
  hypervisor.use(policy);
  return hypervisor;
}

function addDomain(machine: Machine, host: Host, domain: Domain, hypervisor: Hypervisor): DomainPlace {
  const { cpus } = machine;
  const virtual = host.hypervisor !== undefined;
  // Without a hypervisor there is nothing to halt to: the kernel's own idle loop waits on the pCPU.
  const id = cpus.addDomain({
    path: domain.path, host: host.path, vcpuHost: hypervisor, topology: hypervisor.topology,
    memoryNode: domain.memoryNode, virtual, idle: virtual ? domain.idle : "wait", scheduler: domain.scheduler,
    system: domain.system ?? "linux",
  });
  const system = systemOf(domain);
  machine.grants.get(host.path)?.addDomain(id, domain.path, system === "linux" ? XEN_FRAMES : RUMP_FRAMES);
  for (let i = 0; i < domain.vcpus; i++) {
    hypervisor.addVcpu(cpus.addVcpu(id), { domain: id, weight: domain.weight, cap: domain.cap, affinity: domain.affinity });
  }
  return {
    id, path: domain.path, host: host.path, system, kernel: undefined, virtual, vcpus: domain.vcpus,
    components: domain.components, activeUplink: domain.activeUplink,
    socketInterface: socketInterface(domain), switchable: switchableUplinks(domain), mtu: mtuOf(machine.design, domain), locking: lockingOf(domain),
    threads: new Map(), locks: new Map(),
  };
}

/** Bytes that the drivers in a domain set aside for rings and buffers, at most. */
function dmaBuffers(machine: Machine, { components }: DomainPlace): number {
  return components.reduce((sum, { bind, options }) => {
    const nic = bind === undefined ? undefined : machine.nics.get(deviceOf(bind));
    return nic === undefined ? sum : sum + Number(options["queues"] ?? 1) * bytesOfQueue(nic.model, nic.state.maxFrame[0]!);
  }, 0);
}

function nicOfHost(machine: Machine, design: Design, host: string): Nic {
  const device = design.hosts.find((h) => h.path === host)?.devices[0];
  const nic = device && machine.nics.get(device.path);
  if (nic === undefined) throw new Error(`${host} has no network adapter.`);
  return nic;
}
