import assert from "node:assert/strict";
import { Netback } from "../../../engine/components/netback";
import { Netserver } from "../../../engine/components/netserver";
import type { MachineEngine } from "../../../engine/create";
import { RING_SLOTS, Reader, type FrameRing } from "../../../engine/machine/frameRing";
import { RING_ENTRIES, type SharedRing } from "../../../engine/machine/sharedRing";
import { NO_VCPU } from "../../../engine/trace/trace";
import { isStruck } from "./deaths";
import type { Invariant } from "./invariant";
import { Patience } from "./patience";

function all<T>({ built }: MachineEngine, type: new (...args: never[]) => T): T[] {
  return [...built.machine.components.values()].filter((model): model is T & typeof model => model instanceof type);
}

/** The rings of all channels with a network server. */
function frameRings(engine: MachineEngine): FrameRing[] {
  return all(engine, Netserver).flatMap((server) => server.rings());
}

/** The rings of all guests of driver domains. */
function sharedRings(engine: MachineEngine): SharedRing[] {
  return all(engine, Netback).flatMap(({ guests }) => guests.flatMap((guest) => [guest.transmitRing, guest.receiveRing]));
}

/** Lets a check see the calls of one method of one object, before or after they happen. */
function spy<T extends object, K extends keyof T>(object: T, method: K, wrap: (call: T[K] & ((...args: never[]) => unknown)) => T[K]): void {
  const original = object[method] as T[K] & ((...args: never[]) => unknown);
  object[method] = wrap(original.bind(object) as typeof original);
}

/** What a check sees in the middle of a dispatch, kept until the dispatch is over. */
class Deferred {
  private error: unknown;

  check(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.error ??= error;
    }
  }

  readonly step = (): void => {
    if (this.error !== undefined) throw this.error;
  };
}

/** Rules of rings between domains: LibrettOS' rings of frames, and Xen's of requests and responses. */
export const ringInvariants: readonly Invariant[] = [
  {
    number: 16, says: "every slot of a ring is free or filled, or lost to a sender that has made a malformed entry, and the indices of a shared ring follow each other within its size",
    watch: (engine) => {
      const frames = frameRings(engine);
      const shared = sharedRings(engine);
      return {
        step: () => {
          for (const ring of frames) if (ring.count + ring.freeCount + ring.lostCount !== RING_SLOTS) assert.fail(ring.name);
        },
        sample: () => {
          for (const { order, name } of shared) {
            for (let i = 0; i < order.length; i++) assert.ok(order[i]! >= (order[i - 1] ?? 0) && order[i]! <= RING_ENTRIES, `${name}: ${order.join(" ")}`);
          }
        },
      };
    },
  },
  {
    number: 17, says: "what is put into a ring comes out in the same order",
    watch: (engine) => {
      const later = new Deferred();
      for (const ring of frameRings(engine)) {
        const inside: number[] = [];
        spy(ring, "produce", (produce) => (packet) => {
          const done = produce(packet);
          if (done) inside.push(packet);
          return done;
        });
        spy(ring, "consume", (consume) => () => {
          const packet = consume();
          if (packet >= 0) later.check(() => assert.equal(packet, inside.shift(), ring.name));
          return packet;
        });
      }
      for (const ring of sharedRings(engine)) {
        let requests: number[] = [];
        spy(ring, "putRequest", (put) => (id, grant, packet) => {
          requests.push(id);
          put(id, grant, packet);
        });
        spy(ring, "takeRequest", (take) => () => {
          const entry = take();
          later.check(() => assert.equal(ring.id(entry), requests.shift(), ring.name));
          return entry;
        });
        spy(ring, "reset", (reset) => () => {
          requests = [];
          reset();
        });
      }
      return { step: later.step };
    },
  },
  {
    number: 18, says: "nothing waits in a ring whose reader sleeps and is not told, where both ends are connected, and neither is dead or hangs: who dies or hangs between putting something in and telling of it tells nobody",
    watch: (engine) => {
      const { names } = engine;
      const servers = all(engine, Netserver).map((server) => ({ path: names.components[server.id]!.domain!, channels: server["channels"] }));
      const backends = all(engine, Netback);
      const patience = new Patience();
      const struck = isStruck(engine);
      const look = (now: number): void => {
        for (const { path, channels } of servers) {
          for (const { application, memory, toServer, toApplication } of channels) {
            const isToMove = memory.connected && !struck(path) && !struck(application);
            for (const ring of [toServer, toApplication]) patience.look(ring.name, isToMove && ring.count > 0 && ring.readers === Reader.asleep, now);
          }
        }
        for (const backend of backends) {
          const path = names.components[backend.id]!.domain!;
          backend.guests.forEach(({ id, transmitRing, receiveRing }, v) => {
            const isToMove = !struck(path) && !struck(names.components[id]!.domain!) && backend.isConnected(v);
            patience.look(transmitRing.name, isToMove && transmitRing.requests > 0 && !backend.atWork(v).polling, now);
            patience.look(receiveRing.name, isToMove && receiveRing.responses > 0, now);
          });
        }
      };
      return {
        sample: () => look(engine.time),
        // Where nothing more will happen, nothing may wait.
        end: () => {
          look(engine.time);
          if (engine.done && engine.built.machine.kernel.queue.peek() < 0) look(Infinity);
        },
      };
    },
  },
  {
    number: 19, says: "an event is sent only to a reader that is not awake, and over a shared ring only where the other side has asked for one",
    watch: (engine) => {
      const later = new Deferred();
      for (const ring of frameRings(engine)) {
        let owed = 0;
        spy(ring, "produce", (produce) => (packet) => {
          const done = produce(packet);
          if (done && ring.readers <= Reader.asleep) owed++;
          return done;
        });
        spy(ring, "countNotification", (count) => () => {
          later.check(() => assert.ok(owed-- > 0, `${ring.name}: an event that nobody was waiting for`));
          count();
        });
      }
      for (const ring of sharedRings(engine)) {
        // What was asked for, and not answered yet: from the first day on the first entry.
        const asked = { requests: true, responses: true };
        spy(ring, "finalCheckForRequests", (check) => () => {
          const more = check();
          if (!more) asked.requests = true;
          return more;
        });
        spy(ring, "askForResponse", (ask) => (ahead) => {
          asked.responses = true;
          ask(ahead);
        });
        spy(ring, "reset", (reset) => () => {
          asked.requests = asked.responses = true;
          reset();
        });
        const answer = (side: keyof typeof asked, notify: boolean): boolean => {
          if (notify) later.check(() => assert.ok(asked[side], `${ring.name}: a notification of ${side} that nobody has asked for`));
          if (notify) asked[side] = false;
          return notify;
        };
        spy(ring, "pushRequests", (push) => () => answer("requests", push()));
        spy(ring, "pushResponses", (push) => () => answer("responses", push()));
      }
      return { step: later.step };
    },
  },
  {
    number: 20, says: "an event for a ring that turns out to be empty changes nothing but the reader's state",
    watch: (engine) => {
      const handlers = engine.names.functions.filter(({ name }) => ["_backend_interrupt_handler", "frontend_interrupt_handler", "xenvif_interrupt"].includes(name)).map(({ id }) => id);
      const frames = frameRings(engine);
      const shared = sharedRings(engine);
      const before = new Int32Array(frames.length + 2 * shared.length);
      let handled = false;
      const look = (i: number, length: number): void => {
        if (handled && length !== before[i]) assert.fail("an event handler has taken from a ring, or put into it");
        before[i] = length;
      };
      return {
        row: (row) => {
          if (handlers.includes(engine.trace.fn(row))) handled = true;
        },
        step: () => {
          let i = 0;
          for (const ring of frames) look(i++, ring.count);
          for (const ring of shared) {
            look(i++, ring.requests);
            look(i++, ring.responses);
          }
          handled = false;
        },
      };
    },
  },
  {
    number: 21, says: "a full ring takes nothing, and keeps what it has",
    watch: (engine) => {
      const later = new Deferred();
      for (const ring of frameRings(engine)) {
        spy(ring, "produce", (produce) => (packet) => {
          const { count } = ring;
          const done = produce(packet);
          later.check(() => assert.equal(done, count < RING_SLOTS, ring.name));
          later.check(() => assert.equal(ring.count, count + Number(done), ring.name));
          return done;
        });
      }
      for (const ring of sharedRings(engine)) {
        spy(ring, "putRequest", (put) => (id, grant, packet) => {
          const { room } = ring;
          put(id, grant, packet);
          later.check(() => assert.ok(room > 0 && ring.room === room - 1, ring.name));
        });
      }
      return { step: later.step };
    },
  },
  {
    number: 22, says: "a port that is pending is delivered once, however often it is raised meanwhile",
    watch: ({ built: { machine: { kernel, cpus } } }) => ({
      sample: () => {
        const underWay = new Map<number, number>();
        kernel.queue.cancelWhere((component, op, line) => {
          if (component === cpus.id && op === DELIVER) underWay.set(line, (underWay.get(line) ?? 0) + 1);
          return false;
        });
        for (const [line, events] of underWay) assert.equal(events, 1, `port ${line}`);
      },
    }),
  },
  {
    number: 23, says: "a reader announces that it is about to sleep only after 256 polls in a row have found nothing",
    watch: ({ trace, names }) => {
      const ids = (what: string): number[] => names.functions.filter(({ name }) => name.endsWith(what)).map(({ id }) => id);
      const [polls, announcements, sleeps] = [ids(": poll"), ids(": about to sleep"), ids(": sleep")];
      const empty = new Map<number, number>();
      return {
        row: (row) => {
          const context = trace.context(row);
          const fn = trace.fn(row);
          if (polls.includes(fn)) empty.set(context, (empty.get(context) ?? 0) + trace.a(row));
          else if (announcements.includes(fn)) assert.ok((empty.get(context) ?? 0) >= 256, "a reader goes to sleep early");
          // An announcement that is preempted has two rows. A frame that another thread loses at the ring is not one that the reader has found.
          if (sleeps.includes(fn) || (trace.packet(row) >= 0 && trace.vcpu(row) !== NO_VCPU)) empty.delete(context);
        },
      };
    },
  },
];

/** The CPUs' event that brings a port's event to its vCPU: an op of `Cpus`. */
const DELIVER = 3;
