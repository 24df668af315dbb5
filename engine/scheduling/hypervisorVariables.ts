import type { Scope } from "../inspect";
import type { Machine } from "../machine/machine";
import { NONE } from "../trace/trace";
import type { Pcpus } from "./pcpus";
import type { VcpuPolicy } from "./vcpuPolicy";
import { vcpuStates } from "./vcpus";

/** By `Inside`. */
const where = ["", " (in the hypervisor)", " (switching)"] as const;

/** The pCPUs and vCPUs of a host, and the portmaps that its hypervisor keeps, for people. */
export function describeHypervisor({ cpus, kernel, portmaps: all }: Machine, host: string, pcpu: Pcpus["pcpu"], vcpus: readonly number[], policy: VcpuPolicy): Scope[] {
  const name = (vcpu: number): string => (vcpu === NONE ? "idle" : kernel.names.vcpus[vcpu]!.path);
  const portmaps = [...all].filter(([server]) => server.startsWith(`${host}/`));
  return [{
    name: "Scheduler",
    variables: [
      {
        name: "pcpus", value: `${pcpu.rows}`, number: pcpu.rows,
        children: Array.from({ length: pcpu.rows }, (_, p) => ({
          name: `pcpu${p}`, value: name(pcpu.vcpu[p]!) + where[pcpu.inside[p]!]!,
          children: [{ name: "context switches", value: `${pcpu.switches[p]!}`, number: pcpu.switches[p]! }],
        })),
      },
      {
        name: "vcpus", value: `${vcpus.length}`, number: vcpus.length,
        children: vcpus.map((v) => ({ name: name(v), value: `${vcpuStates[cpus.vcpu.state[v]!]!}${policy.describe(v)}` })),
      },
    ],
  }, ...(portmaps.length > 0 ? [{ name: "Portmaps", variables: portmaps.map(([server, portmap]) => ({ ...portmap.describe(), name: server })) }] : [])];
}
