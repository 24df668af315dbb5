import assert from "node:assert/strict";
import { Ixgbe } from "../../../engine/components/ixgbe";
import { Netserver } from "../../../engine/components/netserver";
import { Netfront } from "../../../engine/components/netfront";
import { TcpIp } from "../../../engine/components/tcpip";
import type { Vif } from "../../../engine/components/vif";
import type { MachineEngine } from "../../../engine/create";
import { RING_SLOTS } from "../../../engine/machine/frameRing";
import { ArpOperation, IcmpType, TcpFlag } from "../../../engine/network/packets";
import type { Invariant } from "./invariant";
import { ownersOf } from "./portmap";

/** An application behind a network server. */
interface Client {
  readonly path: string;
  readonly vif: Vif;
  readonly ip: number;
  readonly ports: readonly number[];
}

/** Network servers with their applications, by the index that the portmap knows them by. */
function serversOf({ built: { machine, domains } }: MachineEngine): { readonly path: string; readonly server: Netserver; readonly clients: readonly Client[] }[] {
  return [...machine.components].flatMap(([path, server]) => {
    if (!(server instanceof Netserver)) return [];
    const clients: Client[] = [];
    for (const domain of domains) {
      const spec = domain.components.find(({ channel }) => channel === path);
      if (spec === undefined) continue;
      const vif = machine.placed(spec.path) as Vif;
      const stack = domain.components.map((c) => machine.placed(c.path)).find((model) => model instanceof TcpIp);
      const ports = domain.components.flatMap(({ options }) => (typeof options["port"] === "number" ? [options["port"]] : []));
      clients[vif.channelNumber] = { path: domain.path, vif, ip: stack?.ip ?? 0, ports };
    }
    return [{ path, server, clients }];
  });
}

function fnOf(engine: MachineEngine, name: string): number {
  return engine.names.functions.find((f) => f.name === name)?.id ?? -1;
}

/** Whether the application of a client has died at some time: what it held was freed then, also for what is still on its way. */
function hasDied(engine: MachineEngine, { path }: Client): boolean {
  const { machine, domains } = engine.built;
  return machine.lifecycle.historyOf(domains.find((domain) => domain.path === path)!).deaths > 0;
}

/** Looks at every frame that a server's adapter sends to the wire. */
function onWire(engine: MachineEngine, look: (packet: number) => void): { row(row: number): void } {
  const serialise = fnOf(engine, "serialise");
  const { trace } = engine;
  // A link's first end is the client's.
  const fromServers = new Set(engine.built.machine.links.map(({ directions }) => directions[1]));
  return {
    row: (row) => {
      if (trace.fn(row) === serialise && fromServers.has(trace.context(row))) look(trace.packet(row));
    },
  };
}

/** Rules of the network server: whom it believes, and to whom it gives what. */
export const serverInvariants: readonly Invariant[] = [
  {
    number: 1, says: "no frame on the wire has a source MAC address that no function and no guest of the host has, but what has left by a PF whose driver's domain checks nothing: a bridge's, or the sender's own; the trace says then that it is forged",
    watch: (engine) => {
      const { machine } = engine.built;
      const { trace } = engine;
      const own = new Set([...machine.nics.values()].flatMap(({ functions }) => functions.map(({ mac }) => mac)));
      for (const model of machine.components.values()) if (model instanceof Netfront) own.add(model.mac);
      // The adapter checks what VFs send, a network server what its applications send; a router sends with its own address. A bridge and netback look at no address.
      const unchecked = new Set(engine.built.domains.filter(({ components }) => !components.some(({ type }) => type === "netserver" || type === "nat"))
        .flatMap(({ components }) => components.flatMap(({ path }) => {
          const driver = machine.placed(path);
          return driver instanceof Ixgbe ? driver.candidates.filter((f) => driver.nic.isPhysical(f)).map((f) => driver.nic.functions[f]!.component) : [];
        })));
      const [read, said] = [fnOf(engine, "DMA read"), fnOf(engine, "forged source on the wire")];
      /** The function that a frame with a foreign address was sent by. */
      const by = new Map<number, number>();
      /** Frames on the wire that nobody has said of yet that they are forged. */
      const unsaid = new Set<number>();
      const wire = onWire(engine, (packet) => {
        if (own.has(machine.packets.sourceMac(packet))) return;
        assert.ok(unchecked.has(by.get(packet) ?? -1), "a foreign MAC address");
        unsaid.add(packet);
      });
      return {
        row: (row) => {
          const packet = trace.packet(row);
          if (trace.fn(row) === read && packet >= 0 && !own.has(machine.packets.sourceMac(packet))) by.set(packet, trace.component(row));
          if (trace.fn(row) === said) unsaid.delete(packet);
          wire.row(row);
        },
        step: () => {
          for (const packet of unsaid) assert.fail(`packet ${packet} has a foreign MAC address, and nothing says that it is forged`);
        },
      };
    },
  },
  {
    number: 2, says: "a frame that a network server has sent for an application has the application's IP address",
    watch: (engine) => {
      const { packets } = engine.built.machine;
      const servers = serversOf(engine);
      const forward = fnOf(engine, "backend_forward_receiver");
      const { trace, names } = engine;
      /** Address of the application whose handler took a frame out of its ring. */
      const from = new Map<number, number>();
      const wire = onWire(engine, (packet) => {
        const ip = from.get(packet);
        if (ip !== undefined) assert.equal(packets.sourceIp(packet), ip, "a foreign IP address");
      });
      return {
        row: (row) => {
          if (trace.fn(row) === forward) {
            const of = servers.find(({ path }) => path === names.components[trace.component(row)]!.path)!;
            const handler = names.contexts[trace.context(row)]!.path;
            const client = of.clients.find(({ path }) => handler.endsWith(`/handler-${path.slice(path.lastIndexOf("/") + 1)}`));
            if (client !== undefined) from.set(trace.packet(row), client.ip);
          }
          wire.row(row);
        },
      };
    },
  },
  {
    number: 3, says: "a segment or datagram that a network server has sent for an application has a port of the one whose address it has; of its own it sends resets only",
    watch: (engine) => {
      const { packets, portmaps } = engine.built.machine;
      const servers = serversOf(engine);
      const forward = fnOf(engine, "backend_forward_receiver");
      const { trace } = engine;
      /** What handlers have taken out of rings. */
      const relayed = new Set<number>();
      const wire = onWire(engine, (packet) => {
        const of = servers.find(({ server }) => server.mac === packets.sourceMac(packet));
        if (of === undefined || packets.isArp(packet) || packets.isIcmp(packet)) return;
        // They may share an address.
        const possible = of.clients.flatMap((client, i) => (client.ip === packets.sourceIp(packet) ? [i] : []));
        if (possible.length === 0) return;
        if (!relayed.has(packet)) return assert.ok((packets.flags(packet) & TcpFlag.rst) !== 0, "no application's, and no reset");
        if (possible.some((i) => hasDied(engine, of.clients[i]!))) return;
        assert.ok(possible.includes(portmaps.get(of.path)!.owner(packets.protocol(packet), packets.sourcePort(packet))), "a foreign port");
      });
      return {
        row: (row) => {
          if (trace.fn(row) === forward) relayed.add(trace.packet(row));
          wire.row(row);
        },
      };
    },
  },
  {
    number: 4, says: "a malformed ring entry costs its sender a slot at most, and never goes any further",
    watch: (engine) => {
      const servers = serversOf(engine);
      const [index, length] = [fnOf(engine, "ring index out of range"), fnOf(engine, "frame longer than its slot")];
      const attackers = new Set(engine.design.faults.filter(({ options }) => options["what"] === "index" || options["what"] === "length").map(({ target }) => target));
      const malformed = new Set<number>();
      const wire = onWire(engine, (packet) => assert.ok(!malformed.has(packet), "a frame of a malformed entry is on the wire"));
      return {
        row: (row) => {
          const fn = engine.trace.fn(row);
          if (fn === index || fn === length) malformed.add(engine.trace.packet(row));
          wire.row(row);
        },
        step: () => {
          for (const { server, clients } of servers) {
            clients.forEach(({ path, vif }) => {
              const [toServer, toApplication] = [server.toServer(vif.channelNumber), server.toApplication(vif.channelNumber)];
              assert.equal(toServer.count + toServer.freeCount + toServer.lostCount, RING_SLOTS);
              if (!attackers.has(path)) assert.equal(toServer.lostCount + toApplication.lostCount, 0, "another application lost a slot");
            });
          }
        },
      };
    },
  },
  {
    number: 10, says: "the portmap has what applications have bound, and nothing that its server wrote",
    watch: (engine) => ({
      end: () => {
        for (const { path, clients } of serversOf(engine)) {
          const portmap = engine.built.machine.portmaps.get(path)!;
          // An application that opens connections has dynamic ports as well (RFC 6335 section 6).
          const asking = clients.map((client) => engine.design.workloads.some(({ from }) => from === client.path));
          ownersOf(portmap).forEach((owner, i) => {
            const port = i % 65_536;
            if (owner >= 0) assert.ok(clients[owner]!.ports.includes(port) || (asking[owner] && port >= 49_152), `port ${port} is not one of ${clients[owner]!.path}`);
          });
        }
      },
    }),
  },
  {
    number: 11, says: "a segment or datagram goes to the application that owns its port, and to no other",
    watch: (engine) => {
      const { packets, portmaps } = engine.built.machine;
      const servers = serversOf(engine);
      const send = fnOf(engine, "backend_forward_send");
      const { trace, names } = engine;
      return {
        row: (row) => {
          const packet = trace.packet(row);
          if (trace.fn(row) !== send || (!packets.isTcp(packet) && !packets.isUdp(packet))) return;
          const of = servers.find(({ path }) => path === names.components[trace.component(row)]!.path)!;
          const to = trace.b(row);
          if (hasDied(engine, of.clients[to]!)) return;
          assert.equal(portmaps.get(of.path)!.owner(packets.protocol(packet), packets.destinationPort(packet)), to, "not the owner's");
        },
      };
    },
  },
  {
    number: 12, says: "a server gives an application each frame once",
    watch: (engine) => {
      const send = fnOf(engine, "backend_forward_send");
      const { trace } = engine;
      const seen = new Set<string>();
      return {
        row: (row) => {
          if (trace.fn(row) !== send) return;
          const key = `${trace.component(row)} ${trace.b(row)} ${trace.packet(row)}`;
          assert.ok(!seen.has(key), "a frame twice");
          seen.add(key);
        },
      };
    },
  },
  {
    number: 13, says: "an ARP packet reaches every application whose address is at the server; who asks for the address that they share is answered by the server",
    watch: (engine) => {
      const { packets } = engine.built.machine;
      const servers = serversOf(engine);
      const receive = fnOf(engine, "backend_receive");
      const send = fnOf(engine, "backend_forward_send");
      const { trace, names } = engine;
      /** By packet and server: applications that have not seen it yet, and when it came. */
      const waiting = new Map<string, { readonly clients: Set<number>; readonly row: number }>();
      return {
        row: (row) => {
          const fn = trace.fn(row);
          const packet = trace.packet(row);
          if ((fn !== receive && fn !== send) || packet < 0 || !packets.isArp(packet)) return;
          const { path } = names.components[trace.component(row)]!;
          const key = `${path} ${packet}`;
          if (fn === send) return void waiting.get(key)?.clients.delete(trace.b(row));
          const { server, clients } = servers.find((s) => s.path === path)!;
          if (packets.arpOperation(packet) === ArpOperation.request && server.addresses.isShared(packets.destinationIp(packet))) return;
          const active = clients.flatMap(({ vif }, i) => (server.addresses.isActive(i) && server.memoryOf(vif.channelNumber).connected ? [i] : []));
          waiting.set(key, { clients: new Set(active), row });
        },
        // Half a second of simulated time is enough for a server to pass on what it has begun with; a dead or hung one never does.
        sample: () => {
          for (const [key, { clients, row }] of waiting) {
            if (trace.time(row) > engine.time - 0.5e12) continue;
            const { path } = servers.find((s) => key.startsWith(`${s.path} `))!;
            const faulty = engine.design.faults.some(({ kind, target }) => kind !== "forge" && path.startsWith(target.split("/").slice(0, 2).join("/")));
            assert.ok(clients.size === 0 || faulty, "an application that was not told");
            waiting.delete(key);
          }
        },
      };
    },
  },
  {
    number: 14, says: "echo requests are the server's own to answer",
    watch: (engine) => {
      const { packets } = engine.built.machine;
      const send = fnOf(engine, "backend_forward_send");
      const { trace } = engine;
      return {
        row: (row) => {
          const packet = trace.packet(row);
          if (trace.fn(row) === send && packets.isIcmp(packet)) assert.notEqual(packets.icmpType(packet), IcmpType.echo, "an echo request for an application");
        },
      };
    },
  },
];
