import type { QueueUnit } from "./adapter";
import { DESCRIPTOR } from "./model";
import type { Nic } from "./nic";

/** Sizes of receive buffers that drivers choose from: clusters of 2 KB, a page, 9 KB, 16 KB (NetBSD `ixgbe_set_rx_buffer_size`). */
const BUFFER_SIZES: readonly number[] = [2048, 4096, 9216, 16384];

/**
 * Builds a function's queue pairs for the driver of a domain: rings and buffers in the domain's memory, a vector each.
 * @param all the adapter's queues, which the new ones join
 * @param wanted queue pairs; it gets a power of two of them, at most what its pool and its vectors allow (one vector is for
 *   what is not a queue's: the mailbox, the link)
 * @returns how many
 */
export function buildQueues(nic: Nic, all: QueueUnit[], f: number, domain: number, wanted: number, maxFrame: number): number {
  const { model, iommu, sriov } = nic;
  const unit = nic.functions[f]!;
  const most = Math.min(wanted, sriov.queuesPerFunction, (nic.isPhysical(f) ? model.vectors.pf : model.vectors.vf) - 1);
  let count = 1;
  while (count * 2 <= most) count *= 2;
  const bufferSize = BUFFER_SIZES.find((size) => size >= maxFrame) ?? BUFFER_SIZES.at(-1)!;
  const allocate = (bytes: number): number => iommu.memory.allocateBuffer(domain, model.ring * bytes);
  while (unit.queues.length < count) {
    const q = unit.queues.length;
    const queue: QueueUnit = {
      row: all.length, unit, number: sriov.firstQueue(unit.pool) + q, bufferSize,
      transmitRing: allocate(DESCRIPTOR), receiveRing: allocate(DESCRIPTOR), transmitBuffers: allocate(bufferSize), receiveBuffers: allocate(bufferSize),
    };
    nic.transmitQueues.addQueue(`transmit ring ${q} of ${unit.path}`);
    nic.receiveQueues.addQueue(`receive ring ${q} of ${unit.path}`);
    nic.vectors.add(iommu.addInterrupt(unit.iommu));
    unit.queues.push(queue);
    all.push(queue);
  }
  return count;
}
