import type { Scope, Variable } from "../../inspect";
import { formatMac } from "../../network/addresses";
import { NOBODY } from "../memory";
import type { FunctionUnit, QueueUnit } from "./adapter";
import { formatRoutingId } from "./routingIds";
import type { Nic } from "./nic";

/** The adapter's state for people. */
export function describeNic(nic: Nic): Scope[] {
  const { sriov, model, transmitQueues, receiveQueues } = nic;
  const { layout } = sriov;
  return [{
    name: "Adapter",
    variables: [
      counted("transmit buffer", transmitQueues.buffered, `${transmitQueues.buffered} B of ${model.transmitBuffer} B`),
      counted("receive buffer", receiveQueues.buffered, `${receiveQueues.buffered} B of ${model.receiveBuffer} B`),
      { name: "routing id", value: formatRoutingId(sriov.pf), number: sriov.pf },
      counted("VFs", sriov.vfs, `${sriov.vfs} of ${sriov.totalVfs}${sriov.enabled ? ", enabled" : ""}`),
      { name: "pools", value: layout === undefined ? "none" : `${layout.pools} of ${layout.queues} queues`, number: layout?.pools ?? 0 },
      ...nic.functions.map((unit, f) => describeFunction(nic, unit, f)),
    ],
  }];
}

function describeFunction(nic: Nic, unit: FunctionUnit, f: number): Variable {
  const { state } = nic;
  const routingId = f === 0 ? nic.sriov.pf : nic.sriov.routingIdOf(f - 1);
  return {
    name: unit.path.slice(unit.path.lastIndexOf("/") + 1),
    value: state.resetting[f] === 1 ? "resetting" : state.owner[f] === NOBODY ? "free" : nic.isUp(f) ? "up" : "down",
    children: [
      { name: "routing id", value: formatRoutingId(routingId), number: routingId },
      { name: "address", value: formatMac(nic.macOf(f)) },
      ...(nic.portVlanOf(f) === 0 ? [] : [counted("VLAN", nic.portVlanOf(f))]),
      counted("largest frame", state.maxFrame[f]!, `${state.maxFrame[f]!} B`),
      counted("frames sent", state.sent[f]!),
      counted("frames received", state.received[f]!),
      counted("frames dropped", state.dropped[f]!),
      ...unit.queues.map((queue, q) => describeQueue(nic, queue, q)),
    ],
  };
}

function describeQueue({ transmitQueues: { state: tx }, receiveQueues: { state: rx }, vectors: { state: v } }: Nic, { row, number }: QueueUnit, q: number): Variable {
  return {
    name: `queue ${q}`, value: `number ${number} of the port`, number,
    children: [
      {
        ...counted("transmit ring", tx.used[row]!, `${tx.used[row]!} of ${tx.ring[row]!} descriptors`),
        children: (["posted", "fetching", "cached", "reading", "done", "writing"] as const).map((name) => counted(name, tx[name][row]!)),
      },
      {
        ...counted("receive ring", rx.visible[row]!, `${rx.host[row]! + rx.fetching[row]! + rx.cached[row]!} free, ${rx.visible[row]!} filled`),
        children: (["host", "fetching", "cached", "storing", "stored", "writing", "visible", "returned"] as const).map((name) => counted(name, rx[name][row]!)),
      },
      counted("interrupts", v.interrupts[row]!, `${v.interrupts[row]!}${v.masked[row] === 1 ? ", masked" : ""}`),
      counted("interrupt interval", v.interval[row]!, `${v.interval[row]! / 1e6} µs`),
    ],
  };
}

function counted(name: string, number: number, value = `${number}`): Variable {
  return { name, value, number };
}
