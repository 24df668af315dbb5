import assert from "node:assert/strict";
import type { MachineEngine } from "../../../engine/create";
import { Protocol, type BindResult, type Portmap } from "../../../engine/machine/portmap";
import { NONE } from "../../../engine/trace/trace";
import type { Invariant, Watch } from "./invariant";

/** First port of the dynamic range (RFC 6335 section 6). */
export const DYNAMIC = 49152;
/** Of either protocol. */
export const PORTS = 65536;

/** Owners of all TCP ports, then of all UDP ports; −1: nobody's. */
export function ownersOf(portmap: Portmap): Int8Array {
  return (portmap["entry"].owner as Int8Array).slice();
}

/** One call of the portbind hypercall, with who owned what before. */
interface Bind {
  readonly portmap: Portmap;
  readonly application: number;
  readonly protocol: number;
  readonly port: number;
  readonly result: BindResult;
  /** Owner of a port of either protocol before the call. */
  before(protocol: number, port: number): number;
}

/** Looks at every bind that the machine makes. */
function onBind({ built: { machine } }: MachineEngine, look: (bind: Bind) => void): Watch {
  // What is wrong is told after the dispatch: inside one, it would pass for a fault of the model.
  let wrong: unknown;
  for (const portmap of machine.portmaps.values()) {
    const bind = portmap.bind.bind(portmap);
    portmap.bind = (application, protocol, port) => {
      const owners = ownersOf(portmap);
      const result = bind(application, protocol, port);
      try {
        look({ portmap, application, protocol, port, result, before: (kind, p) => owners[(kind === Protocol.tcp ? 0 : PORTS) + p]! });
      } catch (error) {
        wrong ??= error;
      }
      return result;
    };
  }
  return { step: () => { if (wrong !== undefined) throw wrong as Error; } };
}

/** Rules of the portmap. */
export const portmapInvariants: readonly Invariant[] = [
  {
    number: 15, says: "a port goes to the domain whose thread makes the call for it: the hypervisor knows who that is, and is not told",
    watch: (engine) => {
      const { cpus } = engine.built.machine;
      return onBind(engine, ({ portmap, application }) => {
        const thread = cpus.currentThread;
        assert.notEqual(thread, NONE, "a hypercall of nobody");
        assert.equal(engine.names.contexts[cpus.contextOf(thread)]!.domain, portmap["nameOf"](application), "a port for somebody else");
      });
    },
  },
  {
    number: 5, says: "a port of a server has one owner: what is bound goes to who asked, and only if it was free or already theirs",
    watch: (engine) => onBind(engine, ({ portmap, application, protocol, result, before }) => {
      if ("error" in result) return;
      assert.ok([-1, application].includes(before(protocol, result.port)), `port ${result.port} was ${before(protocol, result.port)}'s`);
      assert.equal(portmap.owner(protocol, result.port), application);
    }),
  },
  {
    number: 6, says: "a bind of one protocol changes nothing of the other",
    watch: (engine) => onBind(engine, ({ portmap, protocol, port, result, before }) => {
      const other = protocol === Protocol.tcp ? Protocol.udp : Protocol.tcp;
      const bound = "error" in result ? port : result.port;
      if (bound > 0) assert.equal(portmap.owner(other, bound), before(other, bound));
    }),
  },
  {
    number: 7, says: "a bind of an application's own port succeeds and changes nothing; of another's it fails with EADDRINUSE and changes nothing",
    watch: (engine) => ({
      end: () => eachPort(engine, (portmap, protocol, port, owner) => {
        assert.deepEqual(portmap.bind(owner, protocol, port), { port });
        assert.deepEqual(portmap.bind(owner + 1, protocol, port), { error: "EADDRINUSE" });
        assert.equal(portmap.owner(protocol, port), owner);
      }),
    }),
  },
  {
    number: 8, says: "a dynamic bind returns the lowest free port from 49152 on",
    watch: (engine) => ({
      end: () => {
        for (const portmap of engine.built.machine.portmaps.values()) {
          for (const protocol of [Protocol.tcp, Protocol.udp]) {
            let lowest = DYNAMIC;
            while (portmap.owner(protocol, lowest) !== -1) lowest++;
            assert.deepEqual(portmap.bind(0, protocol, 0), { port: lowest });
            assert.deepEqual(portmap.bind(0, protocol, 0), { port: lowest + 1 });
          }
        }
      },
    }),
  },
];

/** Ports that are bound, of all servers. */
function eachPort({ built: { machine } }: MachineEngine, look: (portmap: Portmap, protocol: number, port: number, owner: number) => void): void {
  for (const portmap of machine.portmaps.values()) {
    for (const protocol of [Protocol.tcp, Protocol.udp]) {
      for (let port = 1; port < 65536; port++) if (portmap.owner(protocol, port) !== -1) look(portmap, protocol, port, portmap.owner(protocol, port));
    }
  }
}
