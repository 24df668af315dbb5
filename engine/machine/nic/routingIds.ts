/**
 * Routing ids of PCI Express: bus 8 bits, device 5, function 3; with ARI the last eight are one function number
 * (PCI Express Base Specification, SR-IOV chapter).
 */

/** First VF Offset and VF Stride of an SR-IOV capability. */
export interface VfRouting {
  readonly offset: number;
  readonly stride: number;
}

/** @returns the routing id of VF `n`, counted from 0 (Linux `drivers/pci/iov.c`: `pci_iov_virtfn_bus`, `pci_iov_virtfn_devfn`) */
export function vfRoutingId(pf: number, { offset, stride }: VfRouting, n: number): number {
  return pf + offset + stride * n;
}

export function routingId(bus: number, device: number, f: number): number {
  return bus * 256 + device * 8 + f;
}

/** `86:10.2` */
export function formatRoutingId(id: number): string {
  const hex = (value: number): string => value.toString(16).padStart(2, "0");
  return `${hex(id >>> 8)}:${hex((id >>> 3) & 31)}.${id & 7}`;
}
