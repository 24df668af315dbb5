import { deviceOf } from "../design/switchable";
import type { Machine } from "../machine/machine";
import type { Nic } from "../machine/nic/nic";

/** The adapter of a driver's `bind`, and the functions that this may mean: one, or of a device the VFs that no driver names; and whether a component drives its PF. */
export function functionsAt(machine: Machine, bind: string | undefined): { nic: Nic; functions: number[]; pfIsDriven: boolean } {
  const device = machine.design.hosts.flatMap((host) => host.devices).find(({ path }) => bind !== undefined && deviceOf(bind) === path);
  const nic = device && machine.nics.get(device.path);
  if (nic === undefined) throw new Error(`There is no PCI function ${bind ?? "(none)"}.`);
  const free = device!.functions.filter(({ id, boundTo }) => id !== "pf" && boundTo === undefined);
  const pfIsDriven = device!.functions.some(({ id, boundTo }) => id === "pf" && boundTo !== undefined);
  return { nic, pfIsDriven, functions: bind === device!.path ? free.map(({ path }) => nic.functionNamed(path)) : [nic.functionNamed(bind!)] };
}
