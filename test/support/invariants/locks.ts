import assert from "node:assert/strict";
import { TcpIp } from "../../../engine/components/tcpip";
import type { MachineEngine } from "../../../engine/create";
import { socketLock } from "../../../engine/scheduling/lockClasses";
import { schedulerFunctions } from "../../../engine/scheduling/schedulerFunctions";
import { Wait } from "../../../engine/scheduling/sections";
import { ThreadState } from "../../../engine/scheduling/threads";
import { COUNT, DONE, LOCKED, SHARES, THREAD, VCPU } from "../../../engine/scheduling/workSlot";
import { NONE } from "../../../engine/trace/trace";
import type { Invariant } from "./invariant";

const cpusOf = ({ built }: MachineEngine): MachineEngine["built"]["machine"]["cpus"] => built.machine.cpus;

/** Rules of locks. */
export const lockInvariants: readonly Invariant[] = [
  {
    number: 87, says: "one piece of work that is under way has a lock, or one thread keeps it for what it does next; and no function runs without the locks that it is under",
    watch: (engine) => {
      const { locks, work, threads, vcpus } = cpusOf(engine);
      const idle = new Set(vcpus.domains.map(({ idleLock }) => idleLock));
      const isUnderWay = (w: number): boolean => {
        const thread = work.get(w, THREAD);
        return (thread === NONE ? vcpus.vcpu.work[work.get(w, VCPU)] : threads.thread.work[thread]) === w;
      };
      /** Whether the lock is the work's, or may be taken again by it: an interrupt of who has it. */
      const has = (w: number, lock: number): boolean => locks.work(lock) === w || (locks.classOf(lock).recursive && locks.holder(lock) === work.get(w, VCPU));
      /** Whether the rest of the work is under the lock. */
      const comesTo = (w: number, lock: number): boolean => {
        if (w === NONE) return false;
        for (let s = w * SHARES + work.get(w, DONE), end = w * SHARES + work.get(w, COUNT); s < end; s++) if (work.share.lock(s) === lock) return true;
        return false;
      };
      return {
        sample: () => {
          const { slot, share } = work;
          for (let l = 0; l < locks.count; l++) {
            if (locks.holder(l) === NONE || idle.has(l)) continue;
            const keeper = locks.keptFor(l);
            const w = locks.work(l);
            if (keeper !== NONE) assert.ok(threads.hasJob(keeper) || comesTo(threads.thread.work[keeper]!, l), `lock ${l} is kept by a thread that has no use for it`);
            else assert.ok(w !== NONE && isUnderWay(w) && (slot.held[w] === l || slot.second[w] === l), `lock ${l} is held by nobody`);
          }
          for (let w = 0; w < slot.rows; w++) {
            if (work.get(w, LOCKED) === 0 || slot.started[w] === 0 || slot.spinning[w] !== Wait.no || !isUnderWay(w)) continue;
            const s = w * SHARES + work.get(w, DONE);
            if (share.lock(s) !== NONE) assert.ok(slot.held[w] === share.lock(s) && has(w, share.lock(s)), "a function without its lock");
            if (share.second(s) !== NONE) assert.ok(slot.second[w] === share.second(s) && has(w, share.second(s)), "a function without its second lock");
          }
        },
      };
    },
  },
  {
    number: 88, says: "what a soft interrupt leaves at a socket that a process owns is seen to before the process lets it go, and no soft interrupt waits for a process",
    watch: (engine) => {
      const cpus = cpusOf(engine);
      const { trace, names, built: { machine } } = engine;
      const stacks = [...machine.components.values()].filter((model) => model instanceof TcpIp);
      const sleeps = names.functions.find(({ name, file }) => name === socketLock.sleep?.name && file === socketLock.sleep.file)?.id;
      return {
        row: (row) => {
          if (trace.fn(row) === sleeps) assert.ok(!names.contexts[trace.context(row)]!.path.includes("ksoftirqd"), "a soft interrupt waits for a process");
        },
        sample: () => {
          for (const { owned, softints } of stacks) {
            for (let conn = 0; conn < owned.count; conn++) {
              if (owned.leftAt(conn) === 0) continue;
              const lock = owned.lockOf(conn);
              assert.ok((cpus.locks.hasJob(lock) && cpus.locks.holder(lock) !== NONE) || softints.threads.some((thread) => !cpus.isBlocked(thread)), `nobody sees to what is left at connection ${conn}`);
            }
          }
        },
      };
    },
  },
  {
    number: 89, says: "a thread that holds a lock under which preemption is disabled keeps its vCPU",
    watch: (engine) => {
      const cpus = cpusOf(engine);
      const { trace, names } = engine;
      const preempted = new Set(Object.values(schedulerFunctions).map(({ preempt }) => preempt.name));
      const preemptions = new Set(names.functions.filter(({ name }) => preempted.has(name)).map(({ id }) => id));
      return {
        row: (row) => {
          if (!preemptions.has(trace.fn(row))) return;
          const { locks, work } = cpus;
          for (let l = 0; l < locks.count; l++) {
            const w = locks.work(l);
            const thread = w === NONE ? locks.keptFor(l) : work.get(w, THREAD);
            if (thread === NONE || cpus.contextOf(thread) !== trace.context(row)) continue;
            // Who was chosen again at once has its vCPU, and has taken the lock since.
            const isChosenAgain = cpus.vcpu.thread[trace.vcpu(row)] === thread;
            assert.ok(isChosenAgain || locks.holder(l) === NONE || !locks.classOf(l).holderStays, `preempted under lock ${l}`);
          }
        },
      };
    },
  },
  {
    number: 90, says: "no wake-up of a lock is lost: a thread sleeps for it only while it is held, and whoever waits is counted there",
    watch: (engine) => {
      const { locks, work, work: { slot }, threads: { thread }, vcpus } = cpusOf(engine);
      return {
        sample: () => {
          for (let t = 0; t < thread.rows; t++) {
            if (thread.state[t] !== ThreadState.asleep) continue;
            const w = thread.work[t]!;
            assert.ok(w !== NONE && slot.wants[w] !== NONE && slot.spinning[w] === Wait.asleep, `thread ${t} sleeps for no lock`);
            assert.notEqual(locks.holder(slot.wants[w]!), NONE, `thread ${t} sleeps for a lock that is free`);
          }
          const waiting = new Map<number, number>();
          const waits = (lock: number): void => void waiting.set(lock, (waiting.get(lock) ?? 0) + 1);
          for (let v = 0; v < vcpus.vcpu.rows; v++) if (vcpus.vcpu.stuckSince[v]! > 0) waits(vcpus.entry(v).idleLock);
          for (let w = 0; w < slot.rows; w++) {
            if (slot.wants[w] === NONE) continue;
            waits(slot.wants[w]!);
            if (slot.spinning[w] === Wait.asleep) assert.equal(thread.state[work.get(w, THREAD)], ThreadState.asleep, "work sleeps, and its thread does not");
          }
          for (let l = 0; l < locks.count; l++) assert.equal(locks.waiting(l), waiting.get(l) ?? 0, `of lock ${l}: how many wait`);
        },
      };
    },
  },
];
