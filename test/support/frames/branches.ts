import { Netserver } from "../../../engine/components/netserver";
import type { MachineEngine } from "../../../engine/create";
import type { FrameRing } from "../../../engine/machine/frameRing";

/** A frame that was handed to a place, which has no row of it yet. */
interface Branch {
  readonly packet: number;
  /** Where it must be seen, and who else may have it until then: a ring is in the application's memory. */
  readonly place: string;
  readonly keeper: string;
  /** Length of the trace when it was handed over. */
  readonly row: number;
}

/**
 * What is handed to several places at once, such as a broadcast, goes on when one of them has it: here is each branch of it. Those of an adapter's
 * switch, to every function whose filters accept the frame, and those into the rings of a network server.
 */
export class Branches {
  private readonly branches = new Map<string, Branch>();

  constructor(private readonly engine: MachineEngine) {
    const { machine } = engine.built;
    for (const nic of machine.nics.values()) {
      const { switch: inside, filters, functions } = { switch: nic["switch"], filters: nic["filters"], functions: nic.functions };
      const flood = inside["flood"].bind(inside);
      inside["flood"] = (packet: number, from: number) => {
        const destination = machine.packets.destinationMac(packet);
        functions.forEach(({ pool, path }, f) => {
          if (f !== from && filters.acceptsGroup(destination, pool) && filters.passesVlan(packet, pool)) this.hand(packet, path, path);
        });
        return flood(packet, from);
      };
    }
    for (const model of machine.components.values()) {
      if (!(model instanceof Netserver)) continue;
      const { domain } = engine.names.components[model.id]!;
      for (const { application, toServer, toApplication } of model["channels"]) {
        this.watchRing(toServer, domain!, application);
        this.watchRing(toApplication, application, application);
      }
    }
  }

  private watchRing(ring: FrameRing, place: string, keeper: string): void {
    const produce = ring.produce.bind(ring);
    ring.produce = (packet) => {
      const done = produce(packet);
      if (done) this.hand(packet, place, keeper);
      return done;
    };
  }

  private hand(packet: number, place: string, keeper: string): void {
    this.branches.set(`${packet} ${place}`, { packet, place, keeper, row: this.engine.trace.length });
  }

  /** A place has a row of a frame. @param dropped the frame ends in it: so does what the place has kept of it for another, as in a ring to one that died */
  seen(packet: number, place: string, row: number, dropped: boolean): void {
    const name = `${packet} ${place}`;
    const branch = this.branches.get(name);
    if (branch !== undefined && branch.row <= row) this.branches.delete(name);
    if (!dropped) return;
    for (const [other, kept] of this.branches) if (kept.packet === packet && kept.keeper === place && kept.row <= row) this.branches.delete(other);
  }

  /** Branches that no place has seen. */
  unseen(): Iterable<Branch> {
    return this.branches.values();
  }
}
