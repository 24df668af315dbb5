import assert from "node:assert/strict";
import fc from "fast-check";
import { Kernel } from "../../engine/kernel/kernel";
import { Portmap, Protocol } from "../../engine/machine/portmap";
import { times } from "../support/times";

const FIRST_DYNAMIC = 49_152;
const PORTS = 65_536;

const bind = fc.record({
  kind: fc.constant("bind" as const), application: fc.nat({ max: 3 }), protocol: fc.constantFrom(Protocol.tcp, Protocol.udp, 1),
  port: fc.oneof(fc.constantFrom(0, 0, 53, 80, FIRST_DYNAMIC, FIRST_DYNAMIC + 1), fc.nat({ max: PORTS - 1 })),
});
const release = fc.record({ kind: fc.constant("release" as const), application: fc.nat({ max: 3 }) });
const write = fc.record({ kind: fc.constant("write" as const), application: fc.nat({ max: 3 }), port: fc.constantFrom(53, 80) });
const keyOf = (protocol: number, port: number): string => `${protocol} ${port}`;

/** What a portmap must do, by a map. Invariants 5 to 8, and 10: one owner a port and protocol, idempotent for it, refused to others; the lowest free dynamic port. */
describe("the portmap", () => {
  it("gives each port of a protocol to one application, the lowest dynamic one to who asks for any, and nothing to a server that writes", () => {
    fc.assert(fc.property(fc.array(fc.oneof({ weight: 6, arbitrary: bind }, { weight: 1, arbitrary: release }, { weight: 1, arbitrary: write }), { maxLength: 60 }), (steps) => {
      const portmap = new Portmap(new Kernel(1, true), "server", String);
      const owners = new Map<string, number>();
      const lowest = (protocol: number): number => {
        let port = FIRST_DYNAMIC;
        while (owners.has(keyOf(protocol, port))) port++;
        return port;
      };
      for (const step of steps) {
        if (step.kind === "release") {
          const held = [...owners].filter(([, owner]) => owner === step.application);
          assert.equal(portmap.release(step.application), held.length);
          for (const [key] of held) owners.delete(key);
        } else if (step.kind === "write") {
          assert.equal(portmap.writeAsServer(Protocol.tcp, step.port, step.application), false);
        } else {
          const { application, protocol, port } = step;
          const result = portmap.bind(application, protocol, port);
          if (protocol === 1) assert.deepEqual(result, { error: "EINVAL" });
          else {
            const wanted = port === 0 ? lowest(protocol) : port;
            const owner = owners.get(keyOf(protocol, wanted));
            if (owner !== undefined && owner !== application) assert.deepEqual(result, { error: "EADDRINUSE" });
            else {
              assert.deepEqual(result, { port: wanted });
              owners.set(keyOf(protocol, wanted), application);
            }
          }
        }
        for (const protocol of [Protocol.tcp, Protocol.udp]) for (const port of [53, 80, FIRST_DYNAMIC, FIRST_DYNAMIC + 1]) assert.equal(portmap.owner(protocol, port), owners.get(keyOf(protocol, port)) ?? -1);
      }
    }), { numRuns: times(100) });
  });

  it("refuses a dynamic port where all 16,384 are taken, of that protocol only", () => {
    const portmap = new Portmap(new Kernel(1, true), "server", String);
    for (let port = FIRST_DYNAMIC; port < PORTS; port++) assert.deepEqual(portmap.bind(0, Protocol.tcp, 0), { port });
    assert.deepEqual(portmap.bind(0, Protocol.tcp, 0), { error: "EADDRINUSE" });
    assert.deepEqual(portmap.bind(1, Protocol.tcp, FIRST_DYNAMIC), { error: "EADDRINUSE" });
    assert.deepEqual(portmap.bind(1, Protocol.udp, 0), { port: FIRST_DYNAMIC });
  });
});
