import assert from "node:assert/strict";
import { Netback } from "../../../engine/components/netback";
import { Netfront } from "../../../engine/components/netfront";
import type { Invariant } from "./invariant";

/** Rules of memory that domains share. */
export const grantInvariants: readonly Invariant[] = [
  {
    number: 35, says: "a domain that does not run maps nobody's pages, and nobody's of its own can be mapped anew; what a connected backend maps, its guest grants; it unmaps a page before it answers for it",
    watch: ({ built: { machine, domains } }) => {
      const backends = [...machine.components.values()].filter((model) => model instanceof Netback);
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
      return {
        step: () => {
          assert.equal(early, undefined);
          for (const domain of domains) {
            const grants = machine.grants.get(domain.host);
            if (grants === undefined || domain.kernel !== undefined || machine.cpus.isOn(domain.id)) continue;
            assert.equal(grants.mappedBy(domain.id), 0, `${domain.path} is dead and maps`);
            assert.equal(grants.endedBy(domain.id), true, `${domain.path} is dead and grants`);
          }
        },
        sample: () => {
          for (const backend of backends) {
            if (!machine.cpus.isOn(backend.domain)) continue;
            backend.guests.forEach((guest, v) => {
              if (!backend.isConnected(v)) return;
              for (const grant of guest.ringGrants) assert.ok(grant >= 0, `${backend.id} maps a ring that is not granted`);
            });
          }
        },
      };
    },
  },
];
