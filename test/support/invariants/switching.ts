import assert from "node:assert/strict";
import type { Ixgbe } from "../../../engine/components/ixgbe";
import type { Netserver } from "../../../engine/components/netserver";
import { TcpIp } from "../../../engine/components/tcpip";
import type { Vif } from "../../../engine/components/vif";
import type { MachineEngine } from "../../../engine/create";
import type { DomainPlace } from "../../../engine/machine/machine";
import type { Invariant } from "./invariant";
import { DYNAMIC, PORTS, ownersOf } from "./portmap";

/** Longest time that a switch takes before it is given up, beside what claiming addresses takes, picoseconds. */
const PATIENCE = 2e12;

interface Switched {
  readonly domain: DomainPlace;
  readonly vif: Vif;
  readonly server: Netserver;
}

/** Applications that can change between a network server and a function of their own. */
function switchedOf({ built: { machine, domains } }: MachineEngine): Switched[] {
  return domains.flatMap((domain) => {
    if (domain.switchable === undefined) return [];
    const { vif } = domain.switchable;
    return [{ domain, vif: machine.placed(vif.path) as Vif, server: machine.placed(domain.switchable!.vif.channel!) as Netserver }];
  });
}

/** What a switch to a driver takes away from an application's place at its server, and the switch back restores. */
function placeOf({ machine }: MachineEngine["built"], { domain, vif, server }: Switched): unknown {
  const stack = domain.components.find(({ type }) => type === "tcpip");
  const owners = ownersOf(machine.portmaps.get(domain.switchable!.vif.channel!)!);
  const ports: number[] = [];
  // Those of connections that it opens come and go.
  owners.forEach((owner, entry) => { if (owner === vif.channelNumber && entry % PORTS < DYNAMIC) ports.push(entry); });
  return {
    "address at the server": server.addresses.isActive(vif.channelNumber), "own address": stack === undefined ? 0 : (machine.placed(stack.path) as TcpIp).ip, "MAC address": vif.mac, ports,
    "functions that receive or send": domain.switchable!.drivers.filter(({ path }) => {
      const { nic, f } = machine.placed(path) as Ixgbe;
      return f >= 0 && (nic.state.receive[f] === 1 || nic.state.transmit[f] === 1);
    }).map(({ path }) => path),
  };
}

/** Rules of the dynamic mode switch. */
export const switchingInvariants: readonly Invariant[] = [
  {
    number: 24, says: "an application sends from one address, whichever way its frames go",
    watch: (engine) => {
      const { machine, domains } = engine.built;
      const addresses = new Map<string, number>();
      for (const { path: domain, components } of domains) for (const { path } of components) {
        const model = machine.placed(path);
        if (model instanceof TcpIp) addresses.set(domain, model.ip);
      }
      const { packets } = machine;
      const { trace, names } = engine;
      /** Where each segment was seen first. What is made of others, as of those that a driver joins, is nobody's own; what is forged has any address. */
      const makers: (string | undefined)[] = [];
      return {
        row: (row) => {
          const packet = trace.packet(row);
          if (packet < 0 || !packets.isTcp(packet) || packets.parentOf(packet) >= 0) return;
          const { domain } = names.components[trace.component(row)]!;
          if (!(packet in makers)) makers[packet] = names.contexts[trace.context(row)]!.path.includes("/attacker-") ? undefined : domain;
          const address = domain === undefined || makers[packet] !== domain ? undefined : addresses.get(domain);
          if (address !== undefined) assert.equal(packets.sourceIp(packet), address, "another address");
        },
      };
    },
  },
  {
    number: 25, says: "connections survive switches, and what they carry is whole: no request to an application that switches fails",
    watch: (engine) => {
      const switched = new Set(switchedOf(engine).map(({ domain }) => domain.path));
      const workloads = new Map(engine.design.workloads.filter(({ to }) => switched.has(to)).map(({ path }) => [path, true]));
      // Who else may be the reason: links that lose frames again and again, domains that die, who forges resets.
      const others = engine.design.faults.length > 0 || engine.design.links.some(({ loss }) => loss >= 0.1);
      return {
        end: () => {
          if (others) return;
          for (const model of engine.built.machine.components.values()) {
            for (const { path, errors } of model.reports?.() ?? []) if (workloads.has(path)) assert.equal(errors, 0, path);
          }
        },
      };
    },
  },
  {
    number: 26, says: "an application's address is never at the server's interface and at its own; between switches it is at one of them",
    watch: (engine) => {
      const all = switchedOf(engine);
      const { machine, toolstacks } = engine.built;
      const settled = (domain: DomainPlace): boolean => machine.lifecycle.isRunning(domain) && toolstacks.every((toolstack) => !toolstack.isSwitching(domain.path));
      const faulty = engine.design.faults.some(({ kind }) => kind !== "forge");
      return {
        step: () => {
          for (const { domain, vif, server } of all) {
            const atServer = server.addresses.isActive(vif.channelNumber);
            const direct = vif.uplink.driver !== undefined;
            assert.ok(!(atServer && direct), "at both");
            if (!faulty && settled(domain)) assert.ok(atServer || direct, "at neither");
          }
        },
      };
    },
  },
  {
    number: 28, says: "in direct mode no frame is copied into a ring, and none notified of",
    watch: (engine) => {
      const all = switchedOf(engine);
      const traffic = ({ vif, server }: Switched): number[] =>
        [server.toServer(vif.channelNumber), server.toApplication(vif.channelNumber)].flatMap(({ frames, notifications }) => [frames, notifications]);
      const before = all.map(() => undefined as number[] | undefined);
      const attacked = engine.design.faults.length > 0;
      return {
        step: () => {
          all.forEach((one, i) => {
            if (one.vif.uplink.driver === undefined) before[i] = undefined;
            else if (before[i] === undefined) before[i] = traffic(one);
            // A notification may have been on its way; a frame may not.
            else if (!attacked) assert.deepEqual([traffic(one)[0], traffic(one)[2]], [before[i]![0], before[i]![2]], "a frame through a ring");
          });
        },
      };
    },
  },
  {
    number: 29, says: "from the server to direct access and back all is as it was: the address at the server, the application's own, its ports, and no function of its that receives or sends",
    watch: (engine) => {
      const { lifecycle } = engine.built.machine;
      let wrong: unknown;
      for (const one of switchedOf(engine)) {
        const { domain, vif: { uplink }, server } = one;
        const at = engine.built.domains.find(({ components }) => components.some(({ path }) => path === domain.switchable!.vif.channel))!;
        // Who has died meanwhile has forgotten.
        const deaths = (): number => lifecycle.historyOf(domain).deaths + lifecycle.historyOf(at).deaths;
        let before: { readonly place: unknown; readonly deaths: number } | undefined;
        const [want, onEnd] = [uplink.want.bind(uplink), uplink.onEnd];
        uplink.want = (to, fresh) => {
          if (to !== 0 && uplink.via === 0 && uplink.isAtServer && server.addresses.isActive(one.vif.channelNumber)) before = { place: placeOf(engine.built, one), deaths: deaths() };
          want(to, fresh);
        };
        uplink.onEnd = (end) => {
          onEnd(end);
          if (before?.deaths !== deaths() || !uplink.isAtServer) return;
          try {
            assert.deepEqual(placeOf(engine.built, one), before.place, domain.path);
          } catch (error) {
            wrong ??= error;
          }
        };
      }
      return { step: () => { if (wrong !== undefined) throw wrong as Error; } };
    },
  },
  {
    number: 30, says: "a switch for which no function is free changes nothing",
    watch: (engine) => {
      const all = switchedOf(engine);
      const refused = engine.names.functions.find(({ name }) => name === "device_assigned")?.id;
      const { trace, names } = engine;
      return {
        row: (row) => {
          if (trace.fn(row) !== refused) return;
          const one = all.find(({ domain }) => names.components[trace.component(row)]!.path.startsWith(`${domain.path}/`))!;
          assert.ok(one.vif.uplink.isAtServer && one.server.addresses.isActive(one.vif.channelNumber), "not at the server any more");
        },
      };
    },
  },
  {
    number: 31, says: "what a switch takes ends with its last step, whatever is lost and waited for after it",
    watch: ({ built: { toolstacks }, trace, names }) => {
      const last = names.functions.flatMap(({ id, name }) => (name === "frontend_switcher" || name === "backend_switched" ? [id] : []));
      const times = new Set<number>();
      return {
        row: (row) => {
          if (last.includes(trace.fn(row))) times.add(trace.time(row));
        },
        end: () => {
          for (const { begun, outcome, duration, silence } of toolstacks.flatMap((toolstack) => toolstack.reports())) {
            assert.equal(duration !== undefined, outcome === "done" || outcome === "failed");
            if (duration !== undefined) assert.ok(times.has(begun! + duration), `${duration} ps`);
            if (silence !== undefined) assert.ok(silence >= 0);
          }
        },
      };
    },
  },
  {
    number: 92, says: "a function that an application has for a time is its own while its driver uses it, and goes back when neither that nor a switch needs it",
    watch: (engine) => {
      const { machine, toolstacks } = engine.built;
      const all = switchedOf(engine).flatMap(({ domain, vif: { uplink } }) => domain.switchable!.drivers.map(({ path }, i) => ({ domain, uplink, number: i + 1, driver: machine.placed(path) as Ixgbe })));
      const deassign = engine.names.functions.find(({ name }) => name === "deassign_device");
      // One after the other.
      const takes = deassign === undefined ? 0 : all.length * machine.costs.of(deassign.id, 0);
      const idleSince = all.map(() => NaN);
      return {
        step: () => {
          all.forEach(({ domain, uplink, number, driver }, i) => {
            const isDriven = machine.cpus.isOn(domain.id) && uplink.drives(number);
            if (isDriven) assert.ok(driver.f >= 0 && driver.nic.state.owner[driver.f] === domain.id, `${domain.path} drives what it has not`);
            const isIdle = driver.isLent && !isDriven && toolstacks.every((toolstack) => !toolstack.isUnderWay(domain.path));
            if (!isIdle) idleSince[i] = NaN;
            else if (Number.isNaN(idleSince[i])) idleSince[i] = engine.time;
            else assert.ok(engine.time - idleSince[i]! <= takes, `${domain.path} keeps a function`);
          });
        },
      };
    },
  },
  {
    number: 93, says: "every request for a switch, of the design's and of policies, comes to one end in time; of those of an application that have not, one is under way, while it runs, and one waits",
    watch: (engine) => {
      const { built: { machine, domains, toolstacks }, trace, names } = engine;
      const [listed, decided] = ["rumprun_service switch", "policy decides"].map((name) => names.functions.find((fn) => fn.name === name)?.id);
      const longest = switchedOf(engine).reduce((most, { vif, server }) => Math.max(most, PATIENCE + vif.uplink.longestClaim + server.addresses.longestClaim), 0);
      let requests = 0;
      const check = (): void => {
        const reports = toolstacks.flatMap((toolstack) => toolstack.reports());
        assert.equal(reports.length, requests, "requests without a row");
        const open = reports.filter(({ outcome }) => outcome === "waiting" || outcome === "under way");
        // It may wait for one that is under way, for its late end, and be under way itself.
        for (const { asked } of open) assert.ok(engine.time - asked <= 3 * longest, "has not come to an end");
        for (const { path, id } of domains) {
          const own = open.filter(({ application }) => application === path).map(({ outcome }) => outcome);
          assert.equal(new Set(own).size, own.length, `two of ${path}`);
          assert.ok(!own.includes("under way") || machine.cpus.isOn(id), `${path} is dead`);
        }
      };
      return {
        row: (row) => {
          if (trace.fn(row) === listed) requests++;
          else if (trace.fn(row) === decided) requests += trace.a(row);
        },
        sample: toolstacks.length === 0 ? () => {} : check,
      };
    },
  },
];
