import assert from "node:assert/strict";
import type { MachineEngine } from "../../../engine/create";
import { IcmpType } from "../../../engine/network/packets";
import { Branches } from "../frames/branches";
import { framesHeld, heldForArp, isPartOf } from "../frames/held";
import { neighboursOf } from "../frames/neighbours";
import { watchSegments } from "../frames/segments";
import { begunAt, deathsOf, strikesNext } from "./deaths";
import type { Invariant } from "./invariant";

/** Functions in which a stack takes what is for it, or answers it. */
const taken: ReadonlySet<string> = new Set([
  "in_arpinput", "arp_rcv", "tcp_input", "tcp_v4_rcv", "tcp_v4_do_rcv", "udp_input", "udp_rcv", "icmp_input", "icmp_rcv", "icmp_reflect", "icmp_reply", "icmp_error", "__icmp_send",
  // Said of an ARP packet that has been taken.
  "neighbour is at another address now",
]);

/** Follows every frame through the places of a machine: domains, PCI functions, adapters, links. */
class Ways {
  /** By frame: the last row in each place where it has been. */
  private readonly last: Map<string, number>[] = [];
  /** By frame: its first row. */
  private readonly first: number[] = [];
  /** By frame: who has died with it, and the row that says so. */
  private readonly gone = new Map<number, { readonly row: number; readonly place: string }[]>();
  private readonly areNeighbours;
  private readonly deathAt;
  private readonly strikes;
  private readonly rest: number;
  /** Where frames are before something strikes. */
  private before: ReturnType<typeof framesHeld> = new Map();
  private readonly branches: Branches;

  constructor(private readonly engine: MachineEngine) {
    this.branches = new Branches(engine);
    this.areNeighbours = neighboursOf(engine);
    this.deathAt = deathsOf(engine);
    this.strikes = strikesNext(engine);
    this.rest = engine.names.functions.find(({ name }) => name === "goes on after preemption")!.id;
  }

  readonly row = (row: number): void => {
    const { trace, names } = this.engine;
    const packet = trace.packet(row);
    if (packet >= 0) this.first[packet] ??= row;
    // Who is told of a frame may have taken it before; and what its CPU pays for besides is done to no frame.
    if (packet >= 0 && this.functionOf(row).tally !== "notification" && this.functionOf(row).kind !== "thread") {
      const { path, domain = path, type } = names.components[trace.component(row)]!;
      // What the IOMMU does is the function's whose access it is.
      const place = type === "iommu" ? names.contexts[trace.context(row)]!.path : domain;
      (this.last[packet] ??= new Map<string, number>()).set(place, row);
      this.branches.seen(packet, place, row, this.functionOf(row).kind === "drop");
    }
    const dead = this.deathAt(row);
    if (dead === undefined) return;
    for (const [frame, holders] of this.before) {
      if (holders.has(dead)) this.gone.set(frame, [...(this.gone.get(frame) ?? []), { row, place: dead }]);
    }
  };

  readonly step = (): void => {
    if (this.strikes()) this.before = framesHeld(this.engine);
  };

  readonly end = (): void => {
    const { trace, built: { machine: { packets } } } = this.engine;
    const held = framesHeld(this.engine);
    const children = this.childrenByParent();
    // What an ICMP error quotes may never have been a frame, but what a translating router has written over one.
    const quoted = new Set<number>();
    for (let p = 0; p < packets.length; p++) if (packets.isIcmp(p) && packets.icmpType(p) === IcmpType.unreachable) quoted.add(packets.quoted(p));
    for (let p = 0; p < packets.length; p++) {
      if (this.first[p] === undefined && !held.has(p) && !this.gone.has(p) && !quoted.has(p)) assert.fail(`packet ${p} (${packets.summarize(p)}) has been nowhere`);
    }
    for (const { packet, place, keeper, row } of this.branches.unseen()) {
      const isThere = [place, keeper].some((one) => held.get(packet)?.has(one) === true);
      const isGone = (this.gone.get(packet) ?? []).some((death) => death.row >= row && (death.place === place || death.place === keeper));
      if (!isThere && !isGone) assert.fail(`packet ${packet} (${packets.summarize(packet)}) was handed to ${place} before row ${row}, which has not seen it`);
    }
    this.last.forEach((ways, packet) => {
      for (const [place, row] of ways) {
        const { kind, name } = this.functionOf(row);
        if (kind === "drop" || kind === "violation" || taken.has(name)) continue;
        const isNear = (other: string): boolean => this.areNeighbours(place, other);
        const goesOn = [...ways].some(([other, later]) => later > row && isNear(other)) || [...(held.get(packet) ?? [])].some(isNear) ||
          (this.gone.get(packet) ?? []).some((death) => trace.time(death.row) >= begunAt(this.engine, row) && isNear(death.place)) ||
          (children.get(packet) ?? []).some((child) => this.beginsAfter(child, row)) || this.isJoined(packet, place, row, children);
        if (!goesOn) assert.fail(`packet ${packet} (${packets.summarize(packet)}) ends in ${place}, ${name}, at ${trace.time(row)} ps, row ${row}`);
      }
    });
  };

  /** The function that a row is of, also where that goes on after a preemption. */
  private functionOf(row: number): (typeof this.engine.names.functions)[number] {
    const { trace, names } = this.engine;
    return names.functions[trace.fn(row) === this.rest ? trace.a(row) : trace.fn(row)]!;
  }

  /** Whether a packet's first row comes after another row, or has yet to come. */
  private beginsAfter(packet: number, row: number): boolean {
    return (this.first[packet] ?? Infinity) > row;
  }

  /** What was made of each: a corrupted frame, a double, a frame cut of a long segment, segments joined. */
  private childrenByParent(): ReadonlyMap<number, readonly number[]> {
    const { packets } = this.engine.built.machine;
    const found = new Map<number, number[]>();
    for (let p = 0; p < packets.length; p++) {
      const parent = packets.parentOf(p);
      if (parent < 0) continue;
      if (found.has(parent)) found.get(parent)!.push(p);
      else found.set(parent, [p]);
    }
    return found;
  }

  /** Whether it is part of a segment that was joined of several in the place, later on. */
  private isJoined(packet: number, place: string, row: number, children: ReadonlyMap<number, readonly number[]>): boolean {
    const { packets } = this.engine.built.machine;
    for (const [first, wholes] of children) {
      for (const whole of wholes) {
        const bytes = packets.payloadLength(whole);
        if (bytes > packets.payloadLength(first) && isPartOf(packets, packet, first, bytes) && this.beginsAfter(whole, row) && this.last[whole]?.has(place) !== false) return true;
      }
    }
    return false;
  }
}

/** Rules of frames, wherever they go. */
export const frameInvariants: readonly Invariant[] = [
  {
    number: 83, says: "no frame vanishes: whoever is handed one has it, and wherever one has been, it has gone on from there, others were made of it, a stack has taken it, it is still there, it was refused or dropped with a cause, or it was in the memory of a domain that has died; and what TCP keeps nothing of was dropped with a cause",
    watch: (engine) => {
      const { row, step, end } = new Ways(engine);
      const segments = watchSegments(engine);
      return {
        row: (at) => {
          row(at);
          segments.row(at);
        },
        step: () => {
          step();
          segments.step();
        },
        end,
      };
    },
  },
  {
    number: 85, says: "a packet goes through its interface once it can: what waits for its neighbour's address has no row of a driver, or of a ring to one",
    watch: (engine) => {
      const { trace, names } = engine;
      const through = new Set(names.functions.filter(({ name }) => ["TDT write", "frontend_send", "netfront_xmit"].includes(name)).map(({ id }) => id));
      const sent = new Set<number>();
      return {
        row: (row) => {
          if (through.has(trace.fn(row))) sent.add(trace.packet(row));
        },
        sample: () => heldForArp(engine, (packet) => assert.ok(!sent.has(packet), `packet ${packet} waits for an address, and has been sent`)),
      };
    },
  },
];
