import assert from "node:assert/strict";
import type { MachineEngine } from "../../../engine/create";
import { kernelFunctions } from "../../../engine/scheduling/crossing";
import { schedulerFunctions } from "../../../engine/scheduling/schedulerFunctions";
import { ThreadState } from "../../../engine/scheduling/threads";
import { NO_VCPU } from "../../../engine/trace/trace";
import { begunAt, deathsOf } from "./deaths";
import type { Invariant } from "./invariant";

type Crossing = "entry" | "exit" | "call" | "reply" | "space";

/** What stands among a thread's rows and is none of its code: the scheduler's work, and exits to the hypervisor. */
const beside: ReadonlySet<string> = new Set(["thread", "hypervisor"]);

/** Ids of a crossing's functions, whichever kernel's. */
function functionsOf({ names }: MachineEngine, crossing: Crossing): Set<number> {
  const wanted = Object.values(kernelFunctions).map((functions) => functions[crossing]);
  return new Set(names.functions.filter((f) => wanted.some(({ name, file }) => f.name === name && f.file === file)).map(({ id }) => id));
}

/** Ids of what says that a thread is taken off its vCPU. */
function preemptionsOf({ names }: MachineEngine): Set<number> {
  const preempted = new Set(Object.values(schedulerFunctions).map(({ preempt }) => preempt.name));
  return new Set(names.functions.filter(({ name }) => preempted.has(name)).map(({ id }) => id));
}

/** What the rest of a crossing is called that a thread was preempted in. */
function restOf({ names }: MachineEngine): number | undefined {
  return names.functions.find(({ name }) => name === "goes on after preemption")?.id;
}

/**
 * A function that a thread was preempted in has a row for each part.
 * @returns whether the row is but the next part of one before; to be asked for every row of a thread, in order
 */
function continuation(engine: MachineEngine): (row: number) => boolean {
  const { trace, names } = engine;
  const spaces = functionsOf(engine, "space");
  const preemptions = preemptionsOf(engine);
  const rest = restOf(engine);
  const last = new Map<number, number>();
  const cut = new Set<number>();
  return (row) => {
    const context = trace.context(row);
    const fn = trace.fn(row);
    if (preemptions.has(fn)) cut.add(context);
    if (fn === rest) {
      cut.delete(context);
      return true;
    }
    const { kind, tally } = names.functions[fn]!;
    if (beside.has(kind) || spaces.has(fn)) return false;
    // What counts as a crossing, or a copy, has a row once: its parts beyond the first are rests.
    const again = cut.delete(context) && last.get(context) === fn && kind !== "kernel" && tally === undefined;
    last.set(context, fn);
    return again;
  };
}

/** Processes that the design names, with their kernels: paths of domains. */
function processesOf({ design }: MachineEngine): ReadonlyMap<string, string> {
  return new Map(design.hosts.flatMap((host) => host.domains).flatMap(({ path, kernel }) => (kernel === undefined ? [] : [[path, kernel] as const])));
}

/** Rules of what goes from one protection domain into another. */
export const crossingInvariants: readonly Invariant[] = [
  {
    number: 66, says: "a server that is free runs at once on the vCPU that its caller gives up; who calls a busy one is served in turn, and each reply goes to the caller whose turn it was; who waits for a server that ends goes on without an answer, and one to a caller that ends is given only where it was under way",
    watch: (engine) => {
      const { trace, names, built: { machine: { cpus } } } = engine;
      const calls = functionsOf(engine, "call");
      const replies = functionsOf(engine, "reply");
      const spaces = functionsOf(engine, "space");
      const endpoints = new Map<number, number[]>();
      const named = processesOf(engine);
      const servers = cpus.ipc.serverThreads().filter((thread) => named.has(names.contexts[cpus.contextOf(thread)]!.domain ?? ""));
      if (servers.length === 0) return {};
      /** Servers that had nothing to do before the dispatch. */
      let free = servers.filter((server) => cpus.isBlocked(server));
      /** Servers to run next, by vCPU. */
      const handedOver = new Map<number, number>();
      const continues = continuation(engine);
      const preemptions = preemptionsOf(engine);
      const rest = restOf(engine);
      /** By caller: the server of the call that it was preempted in. It is made when its rest is. */
      const cutShort = new Map<number, number>();
      const deathAt = deathsOf(engine);
      /** Callers that died, and when: the reply that was under way to one is still to be seen. */
      const gone = new Map<number, number>();
      /** Callers whose server has died in this dispatch. */
      let left: readonly number[] = [];
      const { state } = cpus.threads.thread;
      const refused = names.functions.find(({ name }) => name === "no process to call")?.id;
      return {
        row: (row) => {
          const context = trace.context(row);
          const fn = trace.fn(row);
          const dead = deathAt(row);
          if (dead !== undefined || fn === refused) {
            // Who waits for the dead, or is dead, waits no longer.
            const isGone = (thread: number): boolean => (dead === undefined ? thread === context : names.contexts[thread]!.domain === dead);
            for (const [server, waiting] of endpoints) {
              if (dead !== undefined && isGone(server)) left = [...left, ...waiting];
              for (const thread of waiting) if (dead !== undefined && isGone(thread)) gone.set(thread, trace.time(row));
            }
            for (const [server, waiting] of endpoints) endpoints.set(server, dead !== undefined && isGone(server) ? [] : waiting.filter((thread) => !isGone(thread)));
            for (const [vcpu, thread] of handedOver) if (dead !== undefined && isGone(thread)) handedOver.delete(vcpu);
            return;
          }
          if (trace.vcpu(row) === NO_VCPU || names.contexts[context]!.kind !== "thread" || names.contexts[context]!.path.includes("/interrupt-")) return;
          const part = continues(row);
          if (preemptions.has(fn)) {
            for (const [server, waiting] of endpoints) if (waiting.at(-1) === context) {
              waiting.pop();
              cutShort.set(context, server);
            }
          } else if (fn === rest && calls.has(trace.a(row))) {
            const server = cutShort.get(context)!;
            cutShort.delete(context);
            endpoints.set(server, [...(endpoints.get(server) ?? []), context]);
          }
          const next = handedOver.get(trace.vcpu(row));
          if (next !== undefined) {
            handedOver.delete(trace.vcpu(row));
            assert.equal(context, next, "somebody else runs on the vCPU that was handed over");
          }
          if (part || spaces.has(fn) || beside.has(names.functions[fn]!.kind)) return;
          if (calls.has(fn)) {
            gone.delete(context);
            endpoints.set(trace.a(row), [...(endpoints.get(trace.a(row)) ?? []), context]);
          } else {
            const died = gone.get(trace.a(row)) ?? -1;
            if (replies.has(fn) && begunAt(engine, row) <= died) gone.delete(trace.a(row));
            else if (replies.has(fn)) assert.equal(endpoints.get(context)?.shift(), trace.a(row), "a reply to somebody else than who called first");
            for (const waiting of endpoints.values()) assert.ok(!waiting.includes(context), "a caller runs before it has its answer");
          }
        },
        step: () => {
          const row = trace.length - 1;
          if (row >= 0 && calls.has(trace.fn(row))) {
            const server = free.find((thread) => cpus.contextOf(thread) === trace.a(row));
            if (server !== undefined) {
              assert.equal(cpus.vcpu.thread[trace.vcpu(row)], server, "a free server does not take over");
              handedOver.set(trace.vcpu(row), trace.a(row));
            }
          }
          free = servers.filter((server) => cpus.isBlocked(server));
          for (const caller of left) assert.notEqual(state[cpus.contextOfThread.indexOf(caller)], ThreadState.waiting, "a caller waits for a server that has ended");
          left = [];
        },
      };
    },
  },
  {
    number: 84, says: "a process' thread runs the kernel's code between a system call's entry and its return, or as a call's tail, and its own code outside, where it begins, also when its process starts again that has ended inside",
    watch: (engine) => {
      const { trace, names } = engine;
      const entries = functionsOf(engine, "entry");
      const exits = functionsOf(engine, "exit");
      const others = new Set([...functionsOf(engine, "call"), ...functionsOf(engine, "reply"), ...functionsOf(engine, "space")]);
      const kernels = processesOf(engine);
      if (kernels.size === 0) return {};
      const inside = new Set<number>();
      /** Threads whose dispatch has run nothing of their own yet. */
      const tails = new Set<number>();
      const continues = continuation(engine);
      const deathAt = deathsOf(engine);
      return {
        row: (row) => {
          const dead = deathAt(row);
          if (dead !== undefined) for (const thread of [...inside, ...tails]) {
            if (names.contexts[thread]!.domain !== dead) continue;
            inside.delete(thread);
            tails.delete(thread);
          }
          const context = trace.context(row);
          const { domain = "", path } = names.contexts[context]!;
          const kernel = kernels.get(domain);
          if (kernel === undefined || trace.vcpu(row) === NO_VCPU || path.includes("/interrupt-")) return;
          const fn = trace.fn(row);
          if (continues(row)) return;
          if (trace.isFirst(row)) tails.add(context);
          if (entries.has(fn)) {
            assert.ok(!inside.has(context), "an entry from within the kernel");
            inside.add(context);
          } else if (exits.has(fn)) {
            assert.ok(inside.delete(context), "a return from user mode");
          } else if (!others.has(fn) && !beside.has(names.functions[fn]!.kind)) {
            const where = names.components[trace.component(row)]!.domain;
            if (where === domain) {
              assert.ok(!inside.has(context), "a process' own code in the kernel");
              tails.delete(context);
            } else {
              assert.equal(where, kernel, `a thread of ${domain} runs code of ${where}`);
              assert.ok(inside.has(context) || tails.has(context), "the kernel's code in user mode");
            }
          }
        },
      };
    },
  },
];
