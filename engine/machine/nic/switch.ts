import { VLAN_TAG } from "../../network/headers";
import { NONE } from "../../trace/trace";
import type { Adapter, FunctionUnit } from "./adapter";
import { isGroup, type Filters } from "./filters";
import type { ReceiveQueues } from "./receiveQueues";
import type { Rss } from "./rss";
import type { SrIov } from "./sriov";

/** Bytes of the frame check sequence, which a largest frame includes. */
const CHECK_SEQUENCE = 4;

/**
 * The Ethernet switch inside an adapter: frames from the wire and from functions go to the pools that the filters name, each
 * to the queue that RSS chooses. A unicast frame between two functions never reaches the wire; a group frame goes to the
 * other functions and to the wire.
 */
export class Switch {
  /** Of an adapter that puts VFs into VLANs. */
  private readonly tagged: number;

  /** @param hasPortVlans whether any function is in a VLAN that its driver does not see */
  constructor(
    private readonly nic: Adapter, private readonly filters: Filters, private readonly rss: Rss, private readonly receiveQueues: ReceiveQueues,
    private readonly sriov: SrIov, hasPortVlans: boolean,
  ) {
    this.tagged = hasPortVlans ? nic.kernel.functions({ "VLAN tag inserted": { kind: "device", a: "VLAN" } })["VLAN tag inserted"] : NONE;
  }

  fromWire(packet: number): void {
    const { kernel, fn, functions, id } = this.nic;
    if (isGroup(this.nic.packets.destinationMac(packet)) ? this.flood(packet, NONE) : this.sort(packet, NONE)) return;
    kernel.mark(fn["no receive filter"], id, functions[0]!.context, kernel.now, 0, packet);
  }

  /** A function sends. @returns whether the frame goes on to the wire; a forged one does not, and is marked so */
  fromFunction({ pool, component, context }: FunctionUnit, packet: number): boolean {
    const { kernel, fn, state } = this.nic;
    const spoof = this.filters.spoofed(packet, pool);
    if (spoof !== undefined) {
      state.dropped[this.functionOf(pool)]!++;
      kernel.mark(fn[spoof === "MAC" ? "MAC anti-spoof" : "VLAN anti-spoof"], component, context, kernel.now, 0, packet, pool);
      return false;
    }
    const vlan = this.filters.portVlanOf(pool);
    if (vlan !== 0) {
      // VMVIR's tag takes the place of whatever the descriptor says (82599 data sheet, 7.10.3.9).
      this.nic.packets.setVlan(packet, vlan);
      kernel.mark(this.tagged, component, context, kernel.now, 0, packet, vlan);
    }
    const f = this.functionOf(pool);
    state.sent[f]!++;
    return !this.sort(packet, f);
  }

  /** @param from the function that sends it, or −1: the wire @returns whether it was for a function of this adapter alone */
  private sort(packet: number, from: number): boolean {
    const { filters, nic } = this;
    const { kernel, fn, packets } = nic;
    const destination = packets.destinationMac(packet);
    if (isGroup(destination)) {
      this.flood(packet, from);
      return false;
    }
    const exact = filters.poolOf(destination);
    const pool = exact === NONE && from === NONE ? filters.promiscuousPool : exact;
    if (pool === NONE) return false;
    if (from !== NONE) kernel.mark(fn["internal switch"], nic.id, nic.functions[from]!.context, kernel.now, 0, packet);
    const f = this.functionOf(pool);
    if (filters.passesVlan(packet, pool)) this.deliver(f, packet);
    else this.drop(f, fn["no VLAN filter"], packet, packets.vlan(packet));
    return true;
  }

  /** A frame to a group goes to every function but its own that accepts it. @returns whether one does */
  private flood(packet: number, from: number): boolean {
    const { filters, nic } = this;
    const destination = nic.packets.destinationMac(packet);
    let accepted = false;
    for (let f = 0; f < nic.functions.length; f++) {
      const { pool } = nic.functions[f]!;
      if (f === from || !filters.acceptsGroup(destination, pool) || !filters.passesVlan(packet, pool)) continue;
      this.deliver(f, packet);
      accepted = true;
    }
    return accepted;
  }

  private deliver(f: number, packet: number): void {
    const { state, fn, packets, functions } = this.nic;
    const { queues } = functions[f]!;
    // A tag does not count towards the largest frame (82599 data sheet, MAXFRS).
    const bytes = packets.frameLength(packet) - (packets.vlan(packet) === 0 ? 0 : VLAN_TAG);
    if (state.receive[f] === 0) this.drop(f, fn["receive disabled"], packet, 0);
    else if (bytes + CHECK_SEQUENCE > state.maxFrame[f]!) this.drop(f, fn["longer than the maximum frame"], packet, bytes);
    else if (!this.receiveQueues.accept(queues[this.rss.queueOf(packet, queues.length)]!.row, packet)) state.dropped[f]!++;
  }

  private drop(f: number, fn: number, packet: number, a: number): void {
    const { kernel, functions, state } = this.nic;
    const { component, context } = functions[f]!;
    state.dropped[f]!++;
    kernel.mark(fn, component, context, kernel.now, 0, packet, a);
  }

  private functionOf(pool: number): number {
    return pool === this.sriov.vfs ? 0 : pool + 1;
  }
}
