import { MailboxApi } from "./mailboxMessages";
import type { VfRouting } from "./routingIds";

/** Queues divided among pools, one pool a function. */
export interface PoolLayout {
  readonly pools: number;
  /** Queue pairs of a pool. */
  readonly queues: number;
  /** Whether RSS spreads the frames of a pool over its queues. The layout of 16 pools is that of traffic classes (DCB). */
  readonly rss: boolean;
  /** Queues of a pool are as far apart as there are pools, and not side by side. */
  readonly interleaved?: true;
}

/** What an interface computes for its stack. */
export interface Offloads {
  /** TCP and UDP checksums of sent and of received packets. */
  readonly checksum: boolean;
  /** Largest TCP payload that it cuts into segments itself, bytes; 0: none (TSO). */
  readonly segmentation: number;
  /** Whether it joins received segments (LRO, RSC). */
  readonly receiveCoalescing: boolean;
}

/** A path without offloads: everything is the CPU's work. */
export const noOffloads: Offloads = { checksum: false, segmentation: 0, receiveCoalescing: false };

/** Descriptors of the rings of a queue pair, which are its driver's. */
export interface RingSizes {
  readonly transmit: number;
  readonly receive: number;
}

/** What makes one adapter differ from another; an adapter is data, not code. */
export interface NicModel {
  readonly totalVfs: number;
  /** First VF Offset and VF Stride, with and without alternative routing ids. */
  readonly routing: { readonly ari: VfRouting; readonly noAri: VfRouting };
  /** Receive and as many transmit queues of the port. */
  readonly queues: number;
  /** In order of the number of pools. */
  readonly layouts: readonly PoolLayout[];
  /** Entries of the redirection table, and the most queues that it spreads over. */
  readonly redirection: { readonly entries: number; readonly queues: number };
  readonly filters: { readonly mac: number; readonly vlan: number };
  /** Interrupt vectors of a PF and of a VF. */
  readonly vectors: { readonly pf: number; readonly vf: number };
  /** Interrupt moderation: picoseconds of a unit, largest interval in units, and the bit of the register (EITR) from which the interval stands. */
  readonly throttle: { readonly unit: number; readonly most: number; readonly shift: number };
  /** Descriptors that there is room for in a ring: those of the driver that has most. */
  readonly ring: number;
  /** Descriptors that a queue holds on the chip, fetched ahead. */
  readonly prefetch: { readonly transmit: number; readonly receive: number };
  /** Sent descriptors that are written back together (WTHRESH). */
  readonly writeBack: number;
  /** Packet buffers, bytes. */
  readonly transmitBuffer: number;
  readonly receiveBuffer: number;
  /** Reads of frames that can be under way at once. */
  readonly outstandingReads: number;
  /** Bytes of the largest packet on PCI Express that carries data, and of its headers; how much slower its link is than the profile's, which is that of an 82599. */
  readonly pcie: { readonly payload: number; readonly overhead: number; readonly slowdown: number };
  /** Whether each pool has a largest frame of its own, or the port one for all. */
  readonly maxFrame: "port" | "pool";
  /** What the PF's driver answers VFs by, and the versions of the interface that it can agree on; without one, the question is refused. */
  readonly mailbox: { readonly handler: { readonly name: string; readonly file: string }; readonly versions: readonly number[] };
  readonly offloads: Offloads;
  /** Function-level reset, picoseconds; the specification allows 100 ms. */
  readonly resetTime: number;
  /** Reset by the driver's own register, picoseconds: drivers poll for its end ten times, a microsecond apart (NetBSD `ixgbe_reset_hw_82599`). */
  readonly driverResetTime: number;
}

/** The division of queues that has a pool for each of so many VFs and for the PF. @param multiqueue whether a function wants more than one queue: the layout must then spread by RSS */
export function layoutFor({ layouts }: NicModel, vfs: number, multiqueue: boolean): PoolLayout | undefined {
  return layouts.find(({ pools, rss }) => pools > vfs && (rss || !multiqueue));
}

/**
 * Queue pairs that a function gets of those that are wanted: at most what spreads its frames, and its vectors (one is for what is not a queue's: the
 * mailbox, the link). Where queues are divided among pools, a pool uses as many low bits of an entry of the redirection table as tell a power of two of them
 * apart; without pools the driver writes numbers of queues into the table, as many as there are (Linux `ixgbe_setup_reta`).
 * @param layout undefined: queues are not divided
 */
export function queuePairsOf(model: NicModel, layout: PoolLayout | undefined, isPhysical: boolean, wanted: number): number {
  const spread = layout === undefined ? Math.min(model.queues, model.redirection.queues) : layout.rss ? layout.queues : 1;
  const most = Math.max(1, Math.min(wanted, spread, (isPhysical ? model.vectors.pf : model.vectors.vf) - 1));
  return layout === undefined ? most : 1 << (31 - Math.clz32(most));
}

/** Bytes of a descriptor: DPDK `ixgbe_type.h`. */
export const DESCRIPTOR = 16;

/**
 * Intel 82599. Sources: lspci dumps (VFs, routing, vectors); DPDK `ixgbe_82599.c`, `ixgbe_pf.c`, `ixgbe_type.h` (queues, pools,
 * filters, receive buffer, interrupt throttling). The transmit buffer, the descriptors on the chip and the reads under way are recalled from the data sheet, not verified. PCI Express: headers of a memory write with a
 * 64-bit address, 24 B (Neugebauer et al., SIGCOMM 2018; recalled). Write-back threshold: Linux `ixgbe_configure_tx_ring`.
 * One largest frame for the port: its specification update, clarification 14.
 */
const intel82599: NicModel = {
  totalVfs: 64,
  routing: { ari: { offset: 128, stride: 2 }, noAri: { offset: 384, stride: 2 } },
  queues: 128,
  layouts: [{ pools: 16, queues: 8, rss: false }, { pools: 32, queues: 4, rss: true }, { pools: 64, queues: 2, rss: true }],
  redirection: { entries: 128, queues: 16 },
  filters: { mac: 128, vlan: 64 },
  vectors: { pf: 64, vf: 3 },
  throttle: { unit: 2_048_000, most: 511, shift: 3 },
  ring: 2048,
  prefetch: { transmit: 40, receive: 64 },
  writeBack: 8,
  transmitBuffer: 160 * 1024,
  receiveBuffer: 512 * 1024,
  outstandingReads: 16,
  pcie: { payload: 256, overhead: 24, slowdown: 1 },
  maxFrame: "port",
  mailbox: { handler: { name: "ixgbe_rcv_msg_from_vf", file: "drivers/net/ethernet/intel/ixgbe/ixgbe_sriov.c" }, versions: [MailboxApi.v10, MailboxApi.v11] },
  offloads: { checksum: true, segmentation: 65_535, receiveCoalescing: false },
  resetTime: 100e9,
  driverResetTime: 10e6,
};

/**
 * Intel 82576: 1 Gb/s, eight pools of two queues. Sources: Linux `igb.h` (most queues of RSS, vectors), `igb_main.c` (`Q_IDX_82576`: VF v has queues
 * v and v + 8; write-back threshold; a largest frame for each pool, `igb_set_vf_rlpml`), `e1000_82575.h` (24 receive addresses), `e1000_defines.h`
 * (32 VLAN filters, 128 entries of redirection); QEMU's model of it, `hw/net/igb_core.c`, `igb_common.h` (VF offset and stride, packet buffers of 64 and
 * 40 KB, interrupts in units of a microsecond from bit 2 on), and Linux `igb_get_auto_rd_done` (reset: the EEPROM is read, looked at each millisecond). Its PCI
 * Express has four lanes of 2.5 GT/s, a quarter of the 82599's. Its mailbox knows no versions (`igb_rcv_msg_from_vf`). Descriptors on the
 * chip and reads under way are estimates, and the offset without alternative routing ids is the 82599's.
 */
const intel82576: NicModel = {
  totalVfs: 8,
  routing: { ari: { offset: 128, stride: 2 }, noAri: { offset: 384, stride: 2 } },
  queues: 16,
  layouts: [{ pools: 8, queues: 2, rss: true, interleaved: true }],
  redirection: { entries: 128, queues: 8 },
  filters: { mac: 24, vlan: 32 },
  vectors: { pf: 10, vf: 3 },
  throttle: { unit: 1_000_000, most: 8191, shift: 2 },
  ring: 1024,
  prefetch: { transmit: 24, receive: 32 },
  writeBack: 1,
  transmitBuffer: 40 * 1024,
  receiveBuffer: 64 * 1024,
  outstandingReads: 6,
  pcie: { payload: 256, overhead: 24, slowdown: 4 },
  maxFrame: "pool",
  mailbox: { handler: { name: "igb_rcv_msg_from_vf", file: "drivers/net/ethernet/intel/igb/igb_main.c" }, versions: [] },
  offloads: { checksum: true, segmentation: 65_535, receiveCoalescing: false },
  resetTime: 100e9,
  driverResetTime: 1e9,
};

/** Models by the name that a design uses. */
export const nicModels: Readonly<Record<string, NicModel>> = {
  "intel-82599": intel82599,
  // The same pools and queues with 384 KB for receiving (DPDK `ixgbe_x540.h`).
  "intel-x540": { ...intel82599, receiveBuffer: 384 * 1024 },
  "intel-82576": intel82576,
};
