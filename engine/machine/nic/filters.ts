import type { Store } from "../../kernel/state";
import { BROADCAST, type PacketLog } from "../../network/packets";

const NONE = -1;
/** Bits of a multicast address that index the table (82599: twelve). */
const MULTICAST_BITS = 4096;

/** Why a frame may not be sent. */
export type Spoof = "MAC" | "VLAN";

/**
 * Receive filters and anti-spoof checks of an adapter: exact addresses (RAR), VLANs with the pools that are in them (VLVF),
 * multicast by hash, broadcast by pool. The hardware looks at addresses and VLAN tags only: forged IP addresses and ports
 * pass (82599: `PFVFSPOOF` has bits for MAC and VLAN, none for IP).
 */
export class Filters {
  private readonly address;
  private readonly vlan;
  private readonly member;
  private readonly pool;
  private readonly multicast;

  constructor(store: Store, path: string, private readonly packets: PacketLog, private readonly size: { readonly mac: number; readonly vlan: number }) {
    this.address = store.table(`MAC filters of ${path}`, { mac: "f64", pool: "i16" });
    this.vlan = store.table(`VLAN filters of ${path}`, { vlan: "u16" });
    this.member = store.table(`VLAN members of ${path}`, { vlan: "u16", pool: "u16", in: "u8" });
    this.pool = store.table(`pool filters of ${path}`, { broadcast: "u8", multicast: "u8", macAntiSpoof: "u8", vlanAntiSpoof: "u8", promiscuous: "u8", portVlan: "u16" });
    this.multicast = store.table(`multicast table of ${path}`, { accept: "u8" }, MULTICAST_BITS, true);
    this.multicast.append(MULTICAST_BITS);
  }

  addPool(): void {
    this.pool.alloc();
  }

  // --- Setting ------------------------------------------------------------------------------------------------------

  /** Lets frames to `mac` into a pool. @returns false when the table is full */
  addAddress(mac: number, pool: number): boolean {
    let row = 0;
    while (row < this.address.rows && this.address.pool[row] !== NONE) row++;
    if (row >= this.size.mac) return false;
    if (row === this.address.rows) this.address.alloc();
    this.address.mac[row] = mac;
    this.address.pool[row] = pool;
    return true;
  }

  /** Gives a pool another address in place of its first. @returns false when the table is full */
  setAddress(mac: number, pool: number): boolean {
    const { address } = this;
    for (let row = 0; row < address.rows; row++) {
      if (address.pool[row] !== pool) continue;
      address.mac[row] = mac;
      return true;
    }
    return this.addAddress(mac, pool);
  }

  /** Takes a pool into a VLAN. @returns false when the table has no room for another VLAN */
  addVlan(vlan: number, pool: number): boolean {
    if (!this.hasVlan(vlan)) {
      if (this.vlan.rows >= this.size.vlan) return false;
      const row = this.vlan.alloc();
      this.vlan.vlan[row] = vlan;
    }
    if (this.isMember(vlan, pool)) return true;
    let row = 0;
    while (row < this.member.rows && this.member.in[row] === 1) row++;
    if (row === this.member.rows) this.member.alloc();
    this.member.vlan[row] = vlan;
    this.member.pool[row] = pool;
    this.member.in[row] = 1;
    return true;
  }

  /**
   * Puts a pool into one VLAN that its driver does not see: frames that it sends get the tag, those that it receives lose it, and it takes
   * no untagged ones (82599: PFVMVIR, PFVLVF, PFVML2FLT.AUPE; Linux `ixgbe_enable_port_vlan`). 0: into none.
   */
  setPortVlan(pool: number, vlan: number): boolean {
    this.pool.portVlan[pool] = vlan;
    return vlan === 0 || this.addVlan(vlan, pool);
  }

  /** The VLAN of a pool whose driver sees no tags, or 0. */
  portVlanOf(pool: number): number {
    return this.pool.portVlan[pool]!;
  }

  setBroadcast(pool: number, on: boolean): void {
    this.pool.broadcast[pool] = on ? 1 : 0;
  }

  /** Gives a pool the frames from the wire that are for no other pool (82599: FCTRL.UPE, the default pool's; not what other functions send). */
  setPromiscuous(pool: number, on: boolean): void {
    this.pool.promiscuous[pool] = on ? 1 : 0;
  }

  /** Opens the multicast table for an address; the table is shared, so that pools that take multicast see each other's. */
  addMulticast(mac: number, pool: number): void {
    this.multicast.accept[multicastHash(mac)] = 1;
    this.pool.multicast[pool] = 1;
  }

  setAntiSpoof(pool: number, mac: boolean, vlan: boolean): void {
    this.pool.macAntiSpoof[pool] = mac ? 1 : 0;
    this.pool.vlanAntiSpoof[pool] = vlan ? 1 : 0;
  }

  /** Forgets a pool's addresses, VLANs, broadcast and multicast; anti-spoof is the PF's policy and stays. */
  clearPool(pool: number): void {
    for (let row = 0; row < this.address.rows; row++) if (this.address.pool[row] === pool) this.address.pool[row] = NONE;
    for (let row = 0; row < this.member.rows; row++) if (this.member.pool[row] === pool) this.member.in[row] = 0;
    this.pool.broadcast[pool] = this.pool.multicast[pool] = this.pool.promiscuous[pool] = 0;
  }

  // --- Asking -------------------------------------------------------------------------------------------------------

  /** The pool that an address belongs to, or −1. */
  poolOf(mac: number): number {
    const { address } = this;
    for (let row = 0; row < address.rows; row++) if (address.mac[row] === mac && address.pool[row] !== NONE) return address.pool[row]!;
    return NONE;
  }

  /** The pool that takes what is for no pool, or −1. */
  get promiscuousPool(): number {
    for (let pool = 0; pool < this.pool.rows; pool++) if (this.pool.promiscuous[pool] === 1) return pool;
    return NONE;
  }

  /** A pool's first address, or −1. */
  addressOf(pool: number): number {
    const { address } = this;
    for (let row = 0; row < address.rows; row++) if (address.pool[row] === pool) return address.mac[row]!;
    return NONE;
  }

  /** Whether a pool takes a frame to a group address. */
  acceptsGroup(mac: number, pool: number): boolean {
    if (mac === BROADCAST) return this.pool.broadcast[pool] === 1;
    if (this.pool.promiscuous[pool] === 1) return true;
    return this.pool.multicast[pool] === 1 && this.multicast.accept[multicastHash(mac)] === 1;
  }

  /** Whether a pool may see a frame by its VLAN: untagged frames pass unless it has a VLAN of its own, tagged ones need membership. */
  passesVlan(packet: number, pool: number): boolean {
    const vlan = this.packets.vlan(packet);
    return vlan === 0 ? this.pool.portVlan[pool] === 0 : this.isMember(vlan, pool);
  }

  /** What is forged in a frame that a pool sends, if anything that the hardware can see. */
  spoofed(packet: number, pool: number): Spoof | undefined {
    if (this.pool.macAntiSpoof[pool] === 1 && this.poolOf(this.packets.sourceMac(packet)) !== pool) return "MAC";
    const vlan = this.packets.vlan(packet);
    if (this.pool.vlanAntiSpoof[pool] === 1 && vlan !== 0 && !this.isMember(vlan, pool)) return "VLAN";
    return undefined;
  }

  private hasVlan(vlan: number): boolean {
    for (let row = 0; row < this.vlan.rows; row++) if (this.vlan.vlan[row] === vlan) return true;
    return false;
  }

  private isMember(vlan: number, pool: number): boolean {
    const { member } = this;
    for (let row = 0; row < member.rows; row++) if (member.in[row] === 1 && member.pool[row] === pool && member.vlan[row] === vlan) return true;
    return false;
  }
}

/** Whether an address is of a group: the first octet's lowest bit. */
export function isGroup(mac: number): boolean {
  return ((mac / 0x100_0000_0000) & 1) === 1;
}

/** Bits 47:36 of the address, in the order of transmission the upper twelve of the last two octets (filter type 0). */
function multicastHash(mac: number): number {
  return (mac >>> 4) & (MULTICAST_BITS - 1);
}
