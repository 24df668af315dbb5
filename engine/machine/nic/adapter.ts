import type { Kernel } from "../../kernel/kernel";
import { Priority } from "../../kernel/queue";
import type { Table } from "../../kernel/state";
import type { PacketLog } from "../../network/packets";
import { REFUSED, type Iommu, type Requester } from "../iommu/iommu";
import { NONE } from "../../trace/trace";
import { DESCRIPTOR, type NicModel } from "./model";
import type { PcieLink } from "./pcie";

/** A PCI function as wired; its state is in {@link FunctionTable}. */
export interface FunctionUnit extends Requester {
  readonly path: string;
  /** Its row in {@link FunctionTable}: 0 is the PF. */
  readonly index: number;
  /** The address that it was made with; a VF's may be changed by its mailbox. */
  readonly mac: number;
  /** Its number at the IOMMU. */
  readonly iommu: number;
  readonly pool: number;
  /** Rows of its queue pairs, filled when a driver is built. */
  readonly queues: QueueUnit[];
}

/** A queue pair as wired. */
export interface QueueUnit {
  /** Its row in the tables of queues and vectors. */
  readonly row: number;
  /** Its number on the device. */
  readonly number: number;
  readonly unit: FunctionUnit;
  /** Guest addresses of the rings and of their buffers, and bytes of a buffer. */
  readonly transmitRing: number;
  readonly receiveRing: number;
  readonly transmitBuffers: number;
  readonly receiveBuffers: number;
  readonly bufferSize: number;
}

export const functionSchema = {
  owner: "i32", receive: "u8", transmit: "u8", resetting: "u8", maxFrame: "u32", sent: "f64", received: "f64", dropped: "f64",
  // Of a function that resets: when it is ready, and the event of that.
  readyAt: "f64", ready: "i32",
} as const;
export type FunctionTable = Table<typeof functionSchema>;

/** Functions of the trace that an adapter goes through. */
export const nicFunctions = {
  "DMA read": { kind: "dma", a: "bytes", b: "queue" },
  "DMA write": { kind: "dma", a: "bytes", b: "queue" },
  "descriptor fetch": { kind: "dma", a: "descriptors", b: "queue" },
  "descriptor write-back": { kind: "dma", a: "descriptors", b: "queue" },
  "receive tail write": { kind: "device", a: "descriptors", b: "queue" },
  "MSI": { kind: "interrupt", a: "queue" },
  "internal switch": { kind: "device" },
  "no receive filter": { kind: "drop" },
  "no VLAN filter": { kind: "drop", a: "VLAN" },
  "receive disabled": { kind: "drop" },
  "longer than the maximum frame": { kind: "drop", a: "bytes" },
  "receive ring full": { kind: "drop", a: "queue" },
  "receive buffer full": { kind: "drop", a: "bytes" },
  "MAC anti-spoof": { kind: "violation", a: "pool", discards: true },
  "VLAN anti-spoof": { kind: "violation", a: "pool", discards: true },
  "function-level reset": { kind: "device", a: "pool" },
  "function ready": { kind: "device", a: "pool" },
  "lost in a reset": { kind: "drop", a: "queue" },
} as const;

/** What the driver of a frame's queue wants to know of its end: nothing; to find it among those that were sent, whenever it looks; to be interrupted, too. */
export const Watch = { no: 0, quietly: 1, told: 2 } as const;
export type Watch = (typeof Watch)[keyof typeof Watch];

/** What the parts of one adapter share. */
export interface Adapter {
  /** Its component, which events are addressed to. */
  readonly id: number;
  readonly kernel: Kernel;
  readonly packets: PacketLog;
  readonly iommu: Iommu;
  readonly pcie: PcieLink;
  readonly model: NicModel;
  readonly fn: Readonly<Record<keyof typeof nicFunctions, number>>;
  readonly state: FunctionTable;
  readonly functions: readonly FunctionUnit[];
  readonly queues: readonly QueueUnit[];
  /** What an access to the memory of the function's owner takes longer since it is on another NUMA node, picoseconds. */
  distance(unit: FunctionUnit): number;
}

export const NicOp = {
  transmitDescriptors: 0, fetched: 1, transmitWritten: 2, receiveDescriptors: 3, stored: 4, receiveWritten: 5, interrupt: 6, mailbox: 7, resetDone: 8, receiveTail: 9, segmentFetched: 10,
} as const;

/**
 * A queue in an event: its row and the number of resets that it has seen, so that what a reset has made void is known when
 * it comes.
 */
export const eventOf = (row: number, epoch: number): number => row | (epoch << 10);
export const rowOfEvent = (a: number): number => a & 1023;
export const epochOfEvent = (a: number): number => a >>> 10;

/** Where a ring of so many descriptors goes on, `n` after the one at `index`. */
export function further(index: number, n: number, ring: number): number {
  const to = index + n;
  return to < ring ? to : to - ring;
}

/** A DMA of a function through IOMMU and PCI Express. @returns picoseconds until it is done, or {@link REFUSED}: marked, and nothing transferred */
export function dma(nic: Adapter, way: "read" | "write", unit: FunctionUnit, fn: number, address: number, bytes: number, packet: number): number {
  const translation = nic.iommu.access(unit.iommu, address, bytes, unit, packet);
  if (translation === REFUSED) return REFUSED;
  const before = translation + nic.distance(unit);
  return way === "read" ? nic.pcie.read(fn, bytes, before) : nic.pcie.write(fn, bytes, before);
}

/**
 * Fetches descriptors of a queue, or writes them back; the adapter's event `op` follows when that is done.
 * @param first index of the first one in its ring, which is at `ring` @param epoch resets that the queue's side has seen @returns false where it was refused, and marked so
 */
export function transferDescriptors(nic: Adapter, way: "read" | "write", queue: QueueUnit, ring: number, first: number, n: number, op: number, epoch: number): boolean {
  const time = dma(nic, way, queue.unit, descriptorsFn(nic, way), ring + first * DESCRIPTOR, n * DESCRIPTOR, NONE);
  if (time === REFUSED) return false;
  nic.kernel.schedule(time, Priority.hardware, nic.id, op, eventOf(queue.row, epoch));
  return true;
}

/** Marks descriptors that have been transferred. */
export function markDescriptors(nic: Adapter, way: "read" | "write", q: number, n: number): void {
  markTransfer(nic, descriptorsFn(nic, way), nic.queues[q]!, n * DESCRIPTOR, NONE, n);
}

function descriptorsFn({ fn }: Adapter, way: "read" | "write"): number {
  return way === "read" ? fn["descriptor fetch"] : fn["descriptor write-back"];
}

/** Marks a transfer that is complete: its own time, without the waiting for the link. */
export function markTransfer(nic: Adapter, fn: number, { unit, number }: QueueUnit, bytes: number, packet: number, amount: number): void {
  const time = nic.pcie.unloaded(fn, bytes) + nic.distance(unit);
  nic.kernel.mark(fn, unit.component, unit.context, nic.kernel.now - time, time, packet, amount, number);
}
