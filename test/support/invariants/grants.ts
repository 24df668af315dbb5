import assert from "node:assert/strict";
import { Netback } from "../../../engine/components/netback";
import { Netfront } from "../../../engine/components/netfront";
import { Netserver } from "../../../engine/components/netserver";
import type { ServerChannel } from "../../../engine/components/serverChannel";
import type { MachineEngine } from "../../../engine/create";
import { State, type GrantTables } from "../../../engine/machine/grants";
import { isStruck } from "./deaths";
import type { Invariant } from "./invariant";
import { Patience } from "./patience";

export function channelsOf(server: Netserver): readonly ServerChannel[] {
  return server["channels"];
}

/** Mappings that a backend says that it has, with who maps what of whom. */
function claimed({ names, built: { machine, domains } }: MachineEngine): { readonly grants: GrantTables; readonly mapping: number; readonly mapper: number; readonly owner: number }[] {
  const idOf = (path: string): number => domains.find((d) => d.path === path)!.id;
  return [...machine.components.values()].flatMap((model) => {
    const { host, domain } = names.components[model.id]!;
    const grants = machine.grants.get(host)!;
    // What is in the memory of a dead one is nobody's word.
    if ((model instanceof Netserver || model instanceof Netback) && !machine.cpus.isOn(idOf(domain!))) return [];
    if (model instanceof Netserver) {
      return channelsOf(model).filter(({ memory }) => memory.connected).map(({ application, memory }) => ({ grants, mapping: memory["state"].mapping, mapper: idOf(domain!), owner: idOf(application) }));
    }
    if (!(model instanceof Netback)) return [];
    const { state } = model["backend"];
    return model.guests.flatMap(({ id }, v) => (!model.isConnected(v) ? [] : [state.transmitMapping[v]!, state.receiveMapping[v]!].map((mapping) => (
      { grants, mapping, mapper: model.domain, owner: idOf(names.components[id]!.domain!) }))));
  });
}

/** @returns what tells of a page that a frontend could not have back, although its backend has answered for it */
function answeredEarly({ built: { machine } }: MachineEngine): () => string | undefined {
  const frontends = new Set([...machine.components.values()].filter((model) => model instanceof Netfront).map(({ id }) => id));
  let early: string | undefined;
  for (const tables of machine.grants.values()) {
    const endAccess = tables.endAccess.bind(tables);
    tables.endAccess = (by, run) => {
      const ended = endAccess(by, run);
      if (!ended && frontends.has(by.component)) early ??= `the backend still maps grant ${tables.referenceOf(run)}, which it has answered for`;
      return ended;
    };
  }
  return () => early;
}

/** Rules of memory that domains share. */
export const grantInvariants: readonly Invariant[] = [
  {
    number: 35, says: "a domain that does not run maps nobody's pages, is told nothing, and nobody's of its own can be mapped anew; those that somebody maps yet are given back soon, unless who maps them hangs; what a connected backend maps is what its guest grants it; it unmaps a page before it answers for it",
    watch: (engine) => {
      const { built: { machine, domains } } = engine;
      const { cpus } = machine;
      const patience = new Patience();
      const struck = isStruck(engine);
      const early = answeredEarly(engine);
      return {
        step: () => {
          assert.equal(early(), undefined);
          for (const domain of domains) {
            const grants = machine.grants.get(domain.host);
            if (grants === undefined || domain.kernel !== undefined || cpus.isOn(domain.id)) continue;
            assert.equal(grants.mappedBy(domain.id), 0, `${domain.path} is dead and maps`);
            assert.equal(grants.endedBy(domain.id), true, `${domain.path} is dead and grants`);
          }
        },
        sample: () => {
          const { line } = cpus.lines;
          for (let l = 0; l < line.rows; l++) if (line.pending[l] === 1) assert.ok(cpus.isOn(cpus.vcpus.domainOf[line.vcpu[l]!]!), `a port of a dead domain is pending: ${l}`);
          for (const [host, grants] of machine.grants) {
            const { run, mapping } = { run: grants["run"], mapping: grants["mapping"] };
            for (let m = 0; m < mapping.rows; m++) {
              const r = mapping.run[m]!;
              const isOrphan = mapping.held[m] === 1 && run.state[r] === State.orphaned;
              patience.look(`mapping ${m} of ${host}`, isOrphan && !struck(domains[mapping.mapper[m]!]!.path), engine.time);
            }
          }
          for (const { grants, mapping, mapper, owner } of claimed(engine)) {
            const { run, mapping: held } = { run: grants["run"], mapping: grants["mapping"] };
            const r = held.run[mapping]!;
            assert.deepEqual([held.held[mapping], held.mapper[mapping], run.state[r], run.owner[r], run.grantee[r]], [1, mapper, State.granted, owner, mapper], `mapping ${mapping}`);
          }
        },
      };
    },
  },
];
