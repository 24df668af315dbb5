import assert from "node:assert/strict";
import type { MachineEngine } from "../../../engine/create";
import type { DomainPlace } from "../../../engine/machine/machine";
import { NO_VCPU } from "../../../engine/trace/trace";
import { deathsOf, startsOf, strikesNext } from "./deaths";
import type { Invariant, Watch } from "./invariant";
import { ownersOf } from "./portmap";

/** Who owns each port of each network server. */
function portmapsOf({ built: { machine } }: MachineEngine): ReadonlyMap<string, Int8Array> {
  return new Map([...machine.portmaps].map(([server, map]) => [server, ownersOf(map)]));
}

/**
 * Watches the dispatches in which a domain dies or starts.
 * @param before called before a dispatch of a fault, a watchdog or a restart; what it returns is compared
 * @param after called when such a dispatch is over, with the domains that died or started in it
 */
function aroundFaults<T>(engine: MachineEngine, before: () => T, after: (state: T, changed: readonly DomainPlace[]) => void): Watch {
  const { built: { machine: { lifecycle }, domains } } = engine;
  const strikes = strikesNext(engine);
  let state: T | undefined;
  let running: readonly boolean[] = [];
  return {
    step: () => {
      if (state !== undefined) {
        const changed = domains.filter((domain, i) => lifecycle.isRunning(domain) !== running[i]);
        if (changed.length > 0) after(state, changed);
        state = undefined;
      }
      if (!strikes()) return;
      state = before();
      running = domains.map((domain) => lifecycle.isRunning(domain));
    },
  };
}

/** Domains with a network server in them. */
function isServer({ components }: DomainPlace): boolean {
  return components.some(({ type }) => type === "netserver");
}

/** Whether two domains have anything in common: a channel, or a kernel. */
function shareSomething(a: DomainPlace, b: DomainPlace): boolean {
  const leadsTo = (from: DomainPlace, to: DomainPlace): boolean => from.components.some(({ channel }) => to.components.some(({ path }) => path === channel));
  const [ofA, ofB] = [a.kernel?.id ?? a.id, b.kernel?.id ?? b.id];
  return ofA === ofB || leadsTo(a, b) || leadsTo(b, a);
}

/** Domains whose fates are one: with a kernel go its processes, with a host all of its domains. @param all those that died or started in a dispatch */
function fatesOf(engine: MachineEngine, all: readonly DomainPlace[]): number {
  const { trace, names } = engine;
  let row = trace.length - 1;
  while (!trace.isFirst(row) && names.functions[trace.fn(row)]!.name !== "host stops") row--;
  if (names.functions[trace.fn(row)]!.name === "host stops") return new Set(all.map(({ host }) => host)).size;
  return new Set(all.map(({ id, kernel }) => (all.some((other) => other.id === kernel?.id) ? kernel!.id : id))).size;
}

/** Rules of crashes, hangs and restarts. */
export const failureInvariants: readonly Invariant[] = [
  {
    number: 9, says: "the portmap is the same before and after a crash of its network server, and before and after its restart",
    watch: (engine) => aroundFaults(engine, () => portmapsOf(engine), (before, changed) => {
      if (changed.every(isServer)) assert.deepEqual(portmapsOf(engine), before);
    }),
  },
  {
    number: 32, says: "a crash of the network server changes no byte of another domain's memory, and so no connection of an application",
    watch: (engine) => {
      const { store } = engine.built.machine.kernel;
      const copies = (): ReadonlyMap<DomainPlace, unknown> => new Map(engine.built.domains.map((domain) => [domain, store.copyScope(domain.path)]));
      return aroundFaults(engine, copies, (before, changed) => {
        if (!changed.every(isServer)) return;
        for (const [domain, copy] of before) if (!changed.includes(domain)) assert.deepEqual(store.copyScope(domain.path), copy, domain.path);
      });
    },
  },
  {
    number: 33, says: "who shares nothing with a domain that dies or starts sees nothing of it: not a byte of its memory changes, and nobody dies or starts along but with its kernel or host",
    watch: (engine) => {
      const { store } = engine.built.machine.kernel;
      const copies = (): ReadonlyMap<DomainPlace, unknown> => new Map(engine.built.domains.map((domain) => [domain, store.copyScope(domain.path)]));
      return aroundFaults(engine, copies, (before, changed) => {
        assert.equal(fatesOf(engine, changed), 1, changed.map(({ path }) => path).join());
        for (const [domain, copy] of before) {
          if (!changed.includes(domain) && !changed.some((each) => shareSomething(each, domain))) assert.deepEqual(store.copyScope(domain.path), copy, domain.path);
        }
      });
    },
  },
  {
    number: 86, says: "a domain that has died does nothing until it starts: no thread and no vCPU of its own works",
    watch: (engine) => {
      const { trace, names } = engine;
      const [deathAt, startAt] = [deathsOf(engine), startsOf(engine)];
      const dead = new Set<string>();
      /** Who dies in this dispatch, which may say what they have done so far. */
      let dying: string[] = [];
      return {
        row: (row) => {
          const died = deathAt(row);
          if (died !== undefined) dying.push(died);
          const started = startAt(row);
          if (started !== undefined) dead.delete(started);
          const { domain, path } = names.contexts[trace.context(row)]!;
          if (dead.size > 0 && trace.vcpu(row) !== NO_VCPU) assert.ok(domain === undefined || !dead.has(domain), `${path} works`);
        },
        step: () => {
          for (const path of dying) dead.add(path);
          dying = [];
        },
      };
    },
  },
  {
    number: 36, says: "what was in the rings when a network server or its application died is lost, and never delivered after they connect again",
    watch: ({ trace, names, design }) => {
      const ids = (wanted: (name: string) => boolean): Set<number> => new Set(names.functions.filter(({ name }) => wanted(name)).map(({ id }) => id));
      const lost = ids((name) => name.startsWith("lost with the "));
      const forwarded = ids((name) => name === "backend_forward_receiver");
      /** Packets that are lost, with the domain whose rings they were in. */
      const gone = new Map<number, string>();
      // A frame that the link has duplicated is in a ring twice.
      if (design.links.some(({ duplicate }) => duplicate > 0)) return {};
      return {
        row: (row) => {
          const packet = trace.packet(row);
          if (packet < 0) return;
          const fn = trace.fn(row);
          const { domain } = names.components[trace.component(row)]!;
          const owner = gone.get(packet);
          if (owner !== undefined) assert.ok(!forwarded.has(fn) && (domain !== owner || names.functions[fn]!.kind === "drop"), `packet ${packet} goes on`);
          if (lost.has(fn)) gone.set(packet, domain!);
        },
      };
    },
  },
];
