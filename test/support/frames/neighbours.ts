import { Ixgbe } from "../../../engine/components/ixgbe";
import type { MachineEngine } from "../../../engine/create";

/** Which places of a machine hand frames to each other, or are the same: domains, PCI functions, adapters and links, by their paths. */
export function neighboursOf({ design, built: { machine, domains } }: MachineEngine): (one: string, other: string) => boolean {
  const pairs = new Set<string>();
  const join = (one: string, other: string): void => void pairs.add(`${one} ${other}`).add(`${other} ${one}`);
  for (const { id, path, components, kernel } of domains) {
    // Processes call each other, and their kernel.
    for (const other of domains) if (other.kernel?.id === id || (kernel !== undefined && other.kernel?.id === kernel.id)) join(path, other.path);
    for (const spec of components) {
      if (spec.channel !== undefined) join(path, spec.channel.slice(0, spec.channel.lastIndexOf("/")));
      const model = machine.placed(spec.path);
      if (model instanceof Ixgbe) for (const f of model.candidates) join(path, model.nic.functions[f]!.path);
    }
  }
  for (const nic of machine.nics.values()) {
    for (const one of nic.functions) for (const other of [nic, ...nic.functions]) join(one.path, other.path);
  }
  for (const { path, from, to } of design.links) {
    for (const device of [design.hosts.find((host) => host.path === from)!.devices[0]!.path, to]) {
      for (const place of [device, ...machine.nics.get(device)!.functions.map((f) => f.path)]) join(path, place);
    }
  }
  return (one, other) => one === other || pairs.has(`${one} ${other}`);
}
