import { ArpOp, type AddressResolution } from "../../../engine/components/addressResolution";
import { AcrossOp } from "../../../engine/components/across";
import { DatagramOp } from "../../../engine/components/datagrams";
import { Ixgbe } from "../../../engine/components/ixgbe";
import { Nat } from "../../../engine/components/nat";
import { Netback } from "../../../engine/components/netback";
import { Netfront } from "../../../engine/components/netfront";
import { Netserver } from "../../../engine/components/netserver";
import { InboundOp } from "../../../engine/components/serverInbound";
import { ServerStackOp } from "../../../engine/components/serverStack";
import { TcpIp } from "../../../engine/components/tcpip";
import type { MachineEngine } from "../../../engine/create";
import type { Ring } from "../../../engine/kernel/ring";
import type { FrameRing } from "../../../engine/machine/frameRing";
import { NicOp, rowOfEvent } from "../../../engine/machine/nic/adapter";
import { Nic } from "../../../engine/machine/nic/nic";
import type { SharedRing } from "../../../engine/machine/sharedRing";
import { Link } from "../../../engine/network/link";
import type { PacketLog } from "../../../engine/network/packets";
import { JOB_A, JOB_NEXT, JOB_OP, JOB_OWNER, ThreadState } from "../../../engine/scheduling/threads";
import { FIRST_ARGUMENT, OP, OWNER } from "../../../engine/scheduling/workSlot";

/** Is told of a frame and of who has it: the path of a domain, a PCI function, an adapter or a link. */
type Look = (packet: number, holder: string) => void;

/** Ops of the stack's, the NAT's and the driver's own that no constant says: a frame has come, an echo request, segments that were joined. */
const Taken = { tcpip: 0, nat: 0, ixgbe: 3 } as const;

/** Whether the first argument of a component's job is a frame that waits for it. */
function waitsFor(model: unknown, op: number): boolean {
  const isArp = op === ArpOp.reply || op === ArpOp.flush;
  if (model instanceof TcpIp) return op === Taken.tcpip || op === AcrossOp.transmit || isArp || Object.values<number>(DatagramOp).includes(op);
  if (model instanceof Nat) return op === Taken.nat || isArp;
  if (model instanceof Netserver) return [InboundOp.receive, InboundOp.send, InboundOp.echo, InboundOp.answer, ServerStackOp.take, ServerStackOp.refuse].some((own) => own === op);
  return model instanceof Ixgbe && op === Taken.ixgbe;
}

function inRing(ring: Ring, holder: string, look: Look): void {
  for (let i = 0; i < ring.count; i++) look(ring.at(i), holder);
}

function inFrameRing(ring: FrameRing, holder: string, look: Look): void {
  inRing(ring["filled"], holder, (slot) => look(ring["packetIn"](slot), holder));
}

/** A request to receive, and the response to what was sent, have no frame: −1. */
function inSharedRing(ring: SharedRing, holder: string, look: Look): void {
  for (let i = 0; i < ring.requests; i++) look(ring.packet(ring.requestAt(i)), holder);
  for (let i = 0; i < ring.responses; i++) look(ring.packet(ring.responseAt(i)), holder);
}

function inAdapter(nic: Nic, look: Look): void {
  inRing(nic["outbound"], nic.path, look);
  for (const { row, unit: { path } } of nic.queues) {
    inRing(nic.transmitQueues["packets"][row]!, path, look);
    inRing(nic.receiveQueues["inbound"][row]!, path, look);
    inRing(nic.receiveQueues["received"][row]!, path, look);
  }
}

/** Packets that wait for the address of their next hop. */
export function heldForArp({ names, built: { machine } }: MachineEngine, look: Look): void {
  for (const model of machine.components.values()) {
    const holder = names.components[model.id]!.domain!;
    if (model instanceof TcpIp) inArpCache(model["arp"], holder, look);
    else if (model instanceof Nat) inArpCache(model["arp"], holder, look);
  }
}

function inArpCache(resolution: AddressResolution, holder: string, look: Look): void {
  const cache = resolution["arp"];
  const [rows, held] = [cache["rows"], cache["held"]];
  for (let row = 0; row < rows.rows; row++) {
    for (let h = rows.first[row]! - 1; h >= 0; h = held.next[h]! - 1) look(held.packet[h]!, holder);
  }
}

/** Segments that a driver joins are known by the first and by how many bytes follow on it. */
function inReceiveOffload(engine: MachineEngine, model: Ixgbe, holder: string, look: Look): void {
  const { packets } = engine.built.machine;
  const held = model["receiveOffload"]?.["held"];
  if (held === undefined) return;
  for (let row = 0; row < held.rows; row++) {
    const first = held.first[row]!;
    if (first < 0) continue;
    for (let p = 0; p < packets.length; p++) if (isPartOf(packets, p, first, held.bytes[row]!)) look(p, holder);
  }
}

/** Frames for which an adapter's ring had no room. */
function inDiscipline(model: Ixgbe, holder: string, look: Look): void {
  const discipline = model["sending"]["discipline"];
  if (discipline === undefined) return;
  const { queue, frame } = { queue: discipline["queue"], frame: discipline["frame"] };
  for (let q = 0; q < queue.rows; q++) for (let row = queue.first[q]! - 1; row >= 0; row = frame.next[row]! - 1) look(frame.packet[row]!, holder);
}

/** Whether a segment's payload is among so many bytes of the same stream, from another segment's first on. */
export function isPartOf(packets: PacketLog, segment: number, first: number, bytes: number): boolean {
  if (!packets.isTcp(segment) || packets.payloadLength(segment) === 0 || packets.stream(segment) !== packets.stream(first)) return false;
  const from = packets.offset(segment) - packets.offset(first);
  return from >= 0 && from + packets.payloadLength(segment) <= bytes;
}

function inComponents(engine: MachineEngine, look: Look): void {
  const { machine } = engine.built;
  for (const model of machine.components.values()) {
    const holder = engine.names.components[model.id]!.domain!;
    if (model instanceof Ixgbe) {
      inReceiveOffload(engine, model, holder, look);
      inDiscipline(model, holder, look);
    }
    if (model instanceof TcpIp) for (const segment of model.owned.segments()) look(segment, holder);
    if (model instanceof Netserver) {
      // The application's memory, which it shares: what is in it goes with the application.
      for (const { application, toServer, toApplication } of model["channels"]) for (const ring of [toServer, toApplication]) inFrameRing(ring, application, look);
    } else if (model instanceof Netfront) {
      for (const ring of [model["sendQueue"], model["received"]]) inRing(ring, holder, look);
      for (const ring of [model.transmitRing, model.receiveRing]) inSharedRing(ring, holder, look);
    } else if (model instanceof Netback) {
      const { packet } = model["transmit"]["pending"];
      for (const { taken, queue } of model["vifs"]) {
        inRing(taken, holder, (row) => look(packet[row]!, holder));
        inRing(queue, holder, look);
      }
    }
  }
}

/** Frames of jobs that threads have yet to do, and of the work that they do. */
function inThreads({ built: { machine: { cpus, kernel } } }: MachineEngine, look: Look): void {
  const { threads, vcpus, work, crossings, ipc } = cpus;
  const pending = ipc["pending"];
  const pathOf = (thread: number): string => vcpus.domains[crossings.homeOf(thread)]!.path;
  const job = (component: number, op: number, a: number, holder: string): void => {
    // The first argument is the thread that calls: its call is of a job of its own.
    if (component === ipc.id) call(a, holder);
    else if (waitsFor(kernel.models[component], op)) look(a, holder);
  };
  const call = (caller: number, holder: string): void => job(pending.component[caller]!, pending.op[caller]!, pending.a[caller]!, holder);
  for (let t = 0; t < threads.thread.rows; t++) {
    const holder = pathOf(t);
    for (let j = threads.thread.head[t]!; j >= 0; j = threads.job(j, JOB_NEXT)) job(threads.job(j, JOB_OWNER), threads.job(j, JOB_OP), threads.job(j, JOB_A), holder);
    const w = threads.thread.work[t]!;
    if (w >= 0) job(work.get(w, OWNER), work.get(w, OP), work.get(w, FIRST_ARGUMENT), holder);
    if (threads.thread.state[t] === ThreadState.waiting) call(t, holder);
  }
}

/** Frames that are on a wire, or that an adapter reads or writes. */
function inEvents({ names, built: { machine: { kernel } } }: MachineEngine, look: Look): void {
  kernel.queue.cancelWhere((component, op, a, b) => {
    const model = kernel.models[component];
    const { path } = names.components[component]!;
    if (model instanceof Link) look(a, path);
    else if (model instanceof Nic && (op === NicOp.fetched || op === NicOp.segmentFetched || op === NicOp.stored)) look(b, model.queues[rowOfEvent(a)]!.unit.path);
    return false;
  });
}

/** Every frame that is anywhere in a machine, with who has it; what a stack has taken, for a socket or as a question, is none any more. */
export function framesHeld(engine: MachineEngine): ReadonlyMap<number, ReadonlySet<string>> {
  const found = new Map<number, Set<string>>();
  const look: Look = (packet, holder) => {
    if (packet < 0) return;
    const holders = found.get(packet);
    if (holders === undefined) found.set(packet, new Set([holder]));
    else holders.add(holder);
  };
  heldForArp(engine, look);
  inComponents(engine, look);
  inThreads(engine, look);
  inEvents(engine, look);
  for (const nic of engine.built.machine.nics.values()) inAdapter(nic, look);
  return found;
}
