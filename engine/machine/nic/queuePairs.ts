import type { Store, Table } from "../../kernel/state";
import type { FunctionUnit, QueueUnit } from "./adapter";
import { DESCRIPTOR, queuePairsOf, type NicModel, type RingSizes } from "./model";
import type { Nic } from "./nic";

/** Sizes of receive buffers that drivers choose from: clusters of 2 KB, a page, 9 KB, 16 KB (NetBSD `ixgbe_set_rx_buffer_size`). */
const BUFFER_SIZES: readonly number[] = [2048, 4096, 9216, 16384];

const registerSchema = { transmitRing: "f64", receiveRing: "f64", transmitBuffers: "f64", receiveBuffers: "f64", bufferSize: "u32" } as const;

/** Where a driver keeps the rings and buffers of one queue pair, as guest addresses, bytes of a buffer, and how long the rings are. */
export type QueueMemory = { readonly [K in keyof typeof registerSchema]: number } & { readonly sizes: RingSizes };

/** Registers of an adapter's queues that say where rings and buffers are (TDBA, RDBA): rows are queues. How long the rings are (TDLEN, RDLEN) is with the queues' state. */
export type QueueRegisters = Table<typeof registerSchema>;

export function queueRegisters(store: Store, path: string): QueueRegisters {
  return store.table(`queue registers of ${path}`, registerSchema);
}

/** A queue pair whose memory is where its driver has said. */
class QueuePair implements QueueUnit {
  constructor(private readonly registers: QueueRegisters, readonly row: number, readonly number: number, readonly unit: FunctionUnit) {}

  get transmitRing(): number { return this.registers.transmitRing[this.row]!; }
  get receiveRing(): number { return this.registers.receiveRing[this.row]!; }
  get transmitBuffers(): number { return this.registers.transmitBuffers[this.row]!; }
  get receiveBuffers(): number { return this.registers.receiveBuffers[this.row]!; }
  get bufferSize(): number { return this.registers.bufferSize[this.row]!; }
}

function bufferSizeFor(maxFrame: number): number {
  return BUFFER_SIZES.find((size) => size >= maxFrame) ?? BUFFER_SIZES.at(-1)!;
}

/** Bytes that the rings and buffers of one queue pair take, at most. */
export function bytesOfQueue({ ring }: NicModel, maxFrame: number): number {
  return 2 * ring * (DESCRIPTOR + bufferSizeFor(maxFrame));
}

/** A driver sets memory of its domain aside for queue pairs. */
export function allocateQueues({ iommu }: Nic, domain: number, count: number, maxFrame: number, sizes: RingSizes): QueueMemory[] {
  const bufferSize = bufferSizeFor(maxFrame);
  const allocate = (descriptors: number, bytes: number): number => iommu.memory.allocateBuffer(domain, descriptors * bytes);
  const { transmit, receive } = sizes;
  return Array.from({ length: count }, () => ({
    transmitRing: allocate(transmit, DESCRIPTOR), receiveRing: allocate(receive, DESCRIPTOR),
    transmitBuffers: allocate(transmit, bufferSize), receiveBuffers: allocate(receive, bufferSize), bufferSize, sizes,
  }));
}

/** A driver tells the adapter where the rings of its queue pairs are, and how long. */
export function pointQueues({ transmitQueues, receiveQueues }: Nic, registers: QueueRegisters, queues: readonly QueueUnit[], memory: readonly QueueMemory[]): void {
  memory.forEach((at, q) => {
    const { row } = queues[q]!;
    registers.transmitRing[row] = at.transmitRing;
    registers.receiveRing[row] = at.receiveRing;
    registers.transmitBuffers[row] = at.transmitBuffers;
    registers.receiveBuffers[row] = at.receiveBuffers;
    registers.bufferSize[row] = at.bufferSize;
    transmitQueues.state.ring[row] = at.sizes.transmit;
    receiveQueues.state.ring[row] = at.sizes.receive;
  });
}

/**
 * Builds a function's queue pairs, with a vector each.
 * @param all the adapter's queues, which the new ones join
 * @param wanted queue pairs: see {@link queuePairsOf}
 * @returns how many
 */
export function buildQueues(nic: Nic, registers: QueueRegisters, all: QueueUnit[], f: number, wanted: number): number {
  const { iommu, sriov } = nic;
  const unit = nic.functions[f]!;
  const count = queuePairsOf(nic.model, sriov.layout, nic.isPhysical(f), wanted);
  if (sriov.layout === undefined) nic.rss.spread(count);
  while (unit.queues.length < count) {
    const q = unit.queues.length;
    const queue = new QueuePair(registers, registers.alloc(), sriov.queueNumber(unit.pool, q), unit);
    nic.transmitQueues.addQueue(`transmit ring ${q} of ${unit.path}`);
    nic.receiveQueues.addQueue(`receive ring ${q} of ${unit.path}`);
    nic.vectors.add(iommu.addInterrupt(unit.iommu));
    unit.queues.push(queue);
    all.push(queue);
  }
  return count;
}
