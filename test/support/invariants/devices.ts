import assert from "node:assert/strict";
import { Ixgbe } from "../../../engine/components/ixgbe";
import type { MachineEngine } from "../../../engine/create";
import { FAULT_THRESHOLD } from "../../../engine/machine/iommu/faults";
import { NOBODY, SUPERPAGE_PAGES } from "../../../engine/machine/memory";
import { isGroup } from "../../../engine/machine/nic/filters";
import { MailboxMessage } from "../../../engine/machine/nic/mailboxMessages";
import type { Nic } from "../../../engine/machine/nic/nic";
import type { Invariant } from "./invariant";

/** Looks at every function of every adapter, with the IOMMU that it is behind. */
function eachFunction({ built: { machine } }: MachineEngine, look: (nic: Nic, f: number) => void): void {
  for (const nic of machine.nics.values()) for (let f = 0; f < nic.functions.length; f++) look(nic, f);
}

/** Id of a function of the trace; −1: this machine has none of that name. */
function idOf({ names }: MachineEngine, name: string): number {
  return names.functions.find((f) => f.name === name)?.id ?? -1;
}

/** The adapter and function whose component a row names. */
function functionOf({ built: { machine } }: MachineEngine, component: number): { nic: Nic; f: number } | undefined {
  for (const nic of machine.nics.values()) {
    const f = nic.functions.findIndex((unit) => unit.component === component);
    if (f >= 0) return { nic, f };
  }
  return undefined;
}

/** Rules of adapters, their functions and the IOMMU. */
export const deviceInvariants: readonly Invariant[] = [
  {
    number: 38, says: "a function reaches the memory of the one domain that it is assigned to, and of none when it is assigned to nobody",
    watch: (engine) => ({
      sample: () => eachFunction(engine, ({ iommu, functions, state }, f) => {
        const at = functions[f]!.iommu;
        const owner = iommu.ownerOf(at);
        if (state.owner[f] !== NOBODY) assert.equal(state.owner[f], owner, "adapter and IOMMU differ about the owner");
        for (const page of [0, SUPERPAGE_PAGES, iommu.memory.pagesOf(owner) - 1]) {
          const found = iommu["tables"].walk(at, page);
          assert.equal(found === undefined ? NOBODY : iommu.memory.ownerOf(found.frame), owner, `page ${page} of ${functions[f]!.path}`);
        }
      }),
    }),
  },
  {
    number: 39, says: "NumVFs is at most TotalVFs, as many functions exist, and it cannot change while VF Enable is set",
    watch: (engine) => ({
      end: () => {
        for (const { sriov, functions } of engine.built.machine.nics.values()) {
          const { vfs } = sriov;
          assert.ok(vfs <= sriov.totalVfs);
          assert.equal(functions.length, 1 + vfs);
          if (!sriov.enabled) continue;
          assert.equal(sriov.setVfs(vfs - 1), false);
          assert.equal(sriov.vfs, vfs);
        }
      },
    }),
  },
  {
    number: 40, says: "routing ids are unique: the PF's, plus First VF Offset, plus VF Stride for each VF before",
    watch: (engine) => {
      const seen = new Map<string, number>();
      eachFunction(engine, ({ functions, sriov, iommu }, f) => {
        const { path, iommu: at } = functions[f]!;
        const id = iommu["functions"].routingId[at]!;
        // 82599: offset 128 with ARI (lspci of an X520-2), 384 without; stride 2.
        seen.set(path, id);
        const ari = engine.design.hosts.flatMap(({ devices }) => devices).find((device) => path.startsWith(`${device.path}/`))?.ari !== false;
        if (f > 0) assert.equal(id, sriov.pf + (ari ? 128 : 384) + 2 * (f - 1), path);
      });
      return {
        end: () => {
          for (const host of engine.design.hosts) {
            const ids = [...seen].filter(([path]) => path.startsWith(`${host.path}/`)).map(([, id]) => id);
            assert.equal(new Set(ids).size, ids.length, "two functions with one routing id");
          }
        },
      };
    },
  },
  {
    number: 41, says: "a DMA to what is not mapped transfers nothing",
    watch: (engine) => {
      const { trace } = engine;
      const [fault, read, write] = ["IOMMU fault", "DMA read", "DMA write"].map((name) => idOf(engine, name));
      const refused = new Set<string>();
      return {
        row: (row) => {
          const fn = trace.fn(row);
          const what = `${trace.component(row)} ${trace.packet(row)}`;
          if (fn === fault && trace.packet(row) >= 0) refused.add(what);
          else if (fn === read || fn === write) assert.ok(!refused.has(what), `packet ${trace.packet(row)} was transferred after a fault`);
        },
      };
    },
  },
  {
    number: 42, says: "what the IOTLB holds is in the page tables, once no invalidation is under way",
    watch: (engine) => ({
      sample: () => {
        for (const iommu of engine.built.iommus) {
          const { entry } = iommu["iotlb"] as unknown as { readonly entry: { readonly rows: number; readonly used: Uint8Array; readonly function: Uint16Array; readonly page: Uint32Array; readonly frame: Uint32Array } };
          for (let e = 0; e < entry.rows; e++) {
            const f = entry.function[e]!;
            if (entry.used[e] === 0 || iommu["functions"].unsettled[f]! > 0) continue;
            assert.equal(iommu["tables"].walk(f, entry.page[e]!)?.frame, entry.frame[e], "a stale translation");
          }
        }
      },
    }),
  },
  {
    number: 43, says: "the interrupts of a function that is assigned to nobody lead nowhere",
    watch: (engine) => ({
      sample: () => {
        for (const iommu of engine.built.iommus) {
          const { remapping } = iommu as unknown as { readonly remapping: { readonly rows: number; readonly function: Uint16Array; readonly line: Int32Array } };
          for (let index = 0; index < remapping.rows; index++) {
            if (iommu.ownerOf(remapping.function[index]!) === NOBODY) assert.equal(remapping.line[index], -1);
          }
        }
      },
    }),
  },
  {
    number: 44, says: "ten IOMMU faults in close succession take a function's bus-mastering away",
    watch: (engine) => ({
      sample: () => eachFunction(engine, ({ iommu, functions }, f) => {
        const at = functions[f]!.iommu;
        const { counter } = iommu["faultLog"] as unknown as { readonly counter: { readonly count: Float64Array } };
        if (counter.count[at]! >= FAULT_THRESHOLD) assert.equal(iommu.isBusMaster(at), false, functions[f]!.path);
      }),
    }),
  },
  {
    number: 45, says: "a function-level reset changes nothing of another function",
    watch: (engine) => {
      const look = (nic: Nic, f: number): string => {
        const { pool, queues } = nic.functions[f]!;
        const rings = queues.map(({ row }) => `${nic.transmitQueues.state.used[row]!} ${nic.receiveQueues.peek(row)}`);
        return [nic.filters.addressOf(pool), nic.filters.acceptsGroup(0xffffffffffff, pool), nic.state.receive[f], nic.state.transmit[f], nic.state.sent[f], ...rings].join(" ");
      };
      const changed: string[] = [];
      for (const nic of engine.built.machine.nics.values()) {
        const reset = nic.reset.bind(nic);
        nic.reset = (struck, ...rest) => {
          const before = nic.functions.map((_, f) => look(nic, f));
          reset(struck, ...rest);
          before.forEach((was, f) => { if (f !== struck && look(nic, f) !== was) changed.push(nic.functions[f]!.path); });
        };
      }
      return { step: () => { if (changed.length > 0) assert.fail(changed.join(", ")); } };
    },
  },
  {
    number: 46, says: "until a VF has sent RESET, the PF refuses whatever else it asks",
    watch: (engine) => {
      const { trace } = engine;
      const [message, refused, reset, portReset] = ["ixgbe_rcv_msg_from_vf", "mailbox message refused", "function-level reset", "port reset"].map((name) => idOf(engine, name));
      const cleared = new Set<string>();
      let early: string | undefined;
      /** A request that a reset has taken back is neither granted nor refused. */
      const wasAnswered = (vf: string): boolean => {
        const f = Number(vf.split(" ")[1]) + 1;
        return [...engine.built.machine.nics.values()].some(({ mailbox }) => mailbox["state"].answered[f] === 1);
      };
      const drivers = new Map([...engine.built.machine.components.values()].flatMap((model) => (model instanceof Ixgbe ? [[model.id, model.nic.functions[0]!.component]] : [])));
      return {
        row: (row) => {
          const fn = trace.fn(row);
          const vf = `${drivers.get(trace.component(row)) ?? trace.component(row)} ${trace.b(row)}`;
          if (early !== undefined && fn !== refused) assert.ok(!wasAnswered(early), "a message before RESET was granted");
          early = undefined;
          if (fn === reset || fn === portReset) {
            const at = functionOf(engine, trace.component(row));
            if (at !== undefined) cleared.delete(`${at.nic.functions[0]!.component} ${at.f - 1}`);
          } else if (fn === message) {
            if (trace.a(row) === MailboxMessage.reset) cleared.add(vf);
            else if (!cleared.has(vf)) early = vf;
          }
        },
        sample: () => assert.ok(early === undefined || !wasAnswered(early), "a message before RESET was granted"),
      };
    },
  },
  {
    number: 47, says: "a frame goes to the queues of the function whose address it carries, and the pools have at most 128 queues",
    watch: (engine) => {
      const { trace, built: { machine } } = engine;
      const write = idOf(engine, "DMA write");
      for (const nic of machine.nics.values()) assert.ok(nic.queues.length <= nic.model.queues);
      return {
        row: (row) => {
          if (trace.fn(row) !== write || trace.packet(row) < 0) return;
          const to = machine.packets.destinationMac(trace.packet(row));
          const at = functionOf(engine, trace.component(row));
          if (at === undefined || isGroup(to)) return;
          const owner = at.nic.functions.findIndex(({ mac }) => mac === to);
          // An address that is no function's is there for a bridge behind the function that asked for it.
          if (owner >= 0) assert.equal(at.f, owner, "another function's frame");
        },
      };
    },
  },
  {
    number: 48, says: "a VF whose largest frame is longer than the port's does not receive",
    watch: (engine) => ({
      sample: () => eachFunction(engine, ({ state }, f) => {
        if (state.receive[f] === 1) assert.ok(state.maxFrame[f]! <= state.maxFrame[0]!, `function ${f}`);
      }),
    }),
  },
  {
    number: 49, says: "two interrupts of a vector are at least its interval apart",
    watch: (engine) => {
      const { trace } = engine;
      const msi = idOf(engine, "MSI");
      const last = new Map<string, number>();
      return {
        row: (row) => {
          if (trace.fn(row) !== msi) return;
          const at = functionOf(engine, trace.component(row))!;
          const q = trace.a(row);
          const key = `${trace.component(row)} ${q}`;
          const { row: queue } = at.nic.functions[at.f]!.queues.find(({ number }) => number === q)!;
          const interval = at.nic.vectors.state.interval[queue]!;
          const before = last.get(key);
          if (before !== undefined) assert.ok(trace.time(row) - before >= interval, `${trace.time(row) - before} ps after the one before`);
          last.set(key, trace.time(row));
        },
      };
    },
  },
];
