import { NONE } from "../trace/trace";
import type { Cpus } from "./cpus";
import type { Rendezvous } from "./ipc";
import { ANY, ThreadState } from "./threads";
import { VCPU } from "./workSlot";

/** What processes need of the scheduler to call each other. */
export function rendezvous(cpus: Cpus): Rendezvous {
  const { thread: column } = cpus.threads;
  return {
    spend: (fn, component, cost, packet, a, b) => {
      cpus.charges.spending = component;
      cpus.spendTime(fn, cost, packet, a, b);
    },
    costOf: (fn) => cpus.costs.of(fn, 0),
    contextOf: (thread) => cpus.contextOf(thread),
    call: (thread, component, op, a, b) => cpus.call(thread, component, op, a, b),
    queue: (thread, component, op, a, b) => cpus.threads.append(thread, component, op, a, b, cpus.kernel.cause, NONE, cpus.here, cpus.kernel.now),
    stateOf: (thread) => column.state[thread]!,
    wait: (server) => {
      column.state[cpus.currentThread] = ThreadState.waiting;
      cpus.dispatcher.goOn(server);
    },
    giveBack: (thread) => {
      const { currentThread } = cpus;
      const affinity = column.affinity[thread]!;
      if (affinity !== ANY && affinity !== cpus.work.get(cpus.charges.current, VCPU)) {
        // Its own vCPU is another: it waits for that, if the answer leaves it anything to do.
        if (cpus.threads.hasJob(thread)) cpus.waking.makeReady(thread);
        else column.state[thread] = ThreadState.idle;
        return;
      }
      column.state[currentThread] = ThreadState.idle;
      cpus.dispatcher.goOn(thread);
      if (cpus.threads.hasJob(currentThread)) cpus.waking.makeReady(currentThread);
    },
  };
}
