import assert from "node:assert/strict";
import { NO_VCPU } from "../../../engine/trace/trace";
import type { Invariant } from "./invariant";

/** Rules of both levels of scheduling. */
export const schedulingInvariants: readonly Invariant[] = [
  {
    number: 56, says: "a vCPU has at most one pCPU, a pCPU at most one vCPU, and work is done only on a vCPU that has one",
    watch: ({ trace, names }) => {
      const pcpuOfVcpu = new Map<number, number>();
      const vcpuOfPcpu = new Map<number, number>();
      return {
        row: (row) => {
          const context = trace.context(row);
          const vcpu = trace.vcpu(row);
          if (names.contexts[context]!.kind === "pcpu") {
            pcpuOfVcpu.delete(vcpuOfPcpu.get(context)!);
            vcpuOfPcpu.delete(context);
            if (vcpu === NO_VCPU) return;
            assert.ok(!pcpuOfVcpu.has(vcpu), "a vCPU on two pCPUs");
            pcpuOfVcpu.set(vcpu, context);
            vcpuOfPcpu.set(context, vcpu);
          } else if (vcpu !== NO_VCPU) {
            assert.ok(pcpuOfVcpu.has(vcpu), "work on a vCPU without a pCPU");
          }
        },
      };
    },
  },
  {
    number: 53, says: "a vCPU does one piece of a thread's work at a time",
    watch: ({ trace, names }) => {
      const busyUntil = new Map<number, number>();
      return {
        row: (row) => {
          const { kind, path } = names.contexts[trace.context(row)]!;
          const vcpu = trace.vcpu(row);
          if (kind === "pcpu" || vcpu === NO_VCPU || path.includes("/interrupt-")) return;
          assert.ok(trace.begin(row) >= (busyUntil.get(vcpu) ?? 0), "two pieces of work on a vCPU at once");
          busyUntil.set(vcpu, trace.begin(row) + trace.cost(row));
        },
      };
    },
  },
];
