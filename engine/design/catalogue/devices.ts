/** Adapters, as data: what a design can say of them. What they do is `nicModels` in machine/nic/model.ts. */
export interface DeviceModel {
  readonly model: string;
  readonly title: string;
  readonly doc: string;
  /** Line rate, bits per second. */
  readonly rate: number;
  /** VFs that can be enabled while the PF has a driver. */
  readonly maxVfs: number;
  /** Component type that drives its functions. */
  readonly driver: string;
  /** Whose kernels have that driver; without it, all. */
  readonly systems?: readonly string[];
}

export const DEVICES: readonly DeviceModel[] = [
  {
    model: "intel-82599", title: "Intel 82599 (X520)", rate: 10e9, driver: "ixgbe",
    // 64 pools a port, of which the PF needs one (Linux ixgbe_sriov.h IXGBE_MAX_VFS_DRV_LIMIT; DPDK guide "Intel VF driver").
    maxVfs: 63,
    doc: "10 Gb/s Ethernet; 64 pools of queues a port, one for the PF: at most 63 VFs beside it; 128 receive and 128 transmit queues.",
  },
  {
    model: "intel-x540", title: "Intel X540", rate: 10e9, driver: "ixgbe", maxVfs: 63,
    doc: "10 Gb/s Ethernet over twisted pair; pools and queues of the 82599, a smaller receive buffer.",
  },
  {
    // Eight pools a port, of which the PF needs one (Linux igb_main.c: `max_vfs` is at most 7). NetBSD's wm drives its PF alone, and has no model here.
    model: "intel-82576", title: "Intel 82576", rate: 1e9, driver: "igb", maxVfs: 7, systems: ["linux"],
    doc: "1 Gb/s Ethernet; 8 pools of 2 queues a port, one for the PF: at most 7 VFs beside it; rings of 256 descriptors, a quarter of the 82599’s PCI Express.",
  },
];

/** Whether a component of this type drives an adapter. */
export function isDriver(type: string): boolean {
  return DEVICES.some(({ driver }) => driver === type);
}

/** @returns the catalogue's entry of a device model, if it has one. */
export function deviceModel(model: string): DeviceModel | undefined {
  return DEVICES.find((d) => d.model === model);
}
