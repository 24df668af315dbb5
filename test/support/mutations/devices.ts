import { readFileSync } from "node:fs";
import type { Mutation } from "./mutation";

/** An application with a VF dies and starts again, and another with requests under way does not. */
const crash = `${readFileSync("samples/librettos/librettos.exo.yaml", "utf8").replace("requests: 400 }\n\nrun", "requests: 4000 }\n\nrun")}\nfaults:\n  - { at: 11ms, crash: nginx, restart: 100ms }\n`;

/** An application whose driver posts descriptors that point out of its memory. */
const wild = `${readFileSync("samples/librettos/librettos.exo.yaml", "utf8")}\nfaults:\n  - { at: 11ms, forge: nginx, what: dma, count: 20 }\n`;

/** Faults in adapters and the IOMMU. */
export const deviceMutations: readonly Mutation[] = [
  { breaks: 38, file: "engine/machine/iommu/iommu.ts", replace: "this.memory.guestBase(domain));", by: "this.memory.guestBase(domain) + 1);" },
  { breaks: 39, file: "engine/machine/nic/sriov.ts", replace: "if (this.enabled || count < 0", by: "if (count < 0" },
  { breaks: 40, file: "engine/machine/nic/routingIds.ts", replace: "stride * n", by: "n" },
  { breaks: 42, file: "engine/machine/iommu/iommu.ts", replace: "this.iotlb.invalidate(f, invalidation.page[i]!, invalidation.pages[i]!);", by: "", design: crash, dispatches: 200_000 },
  { breaks: 43, file: "engine/machine/iommu/iommu.ts", replace: "if (this.remapping.function[index] === f) this.remapping.line[index] = NONE;", by: ";", design: crash, dispatches: 200_000 },
  { breaks: 45, file: "engine/machine/nic/nic.ts", replace: "this.state.receive[f] = this.state.transmit[f] = 0;", by: "this.state.receive.fill(0);", design: crash, dispatches: 200_000 },
  {
    breaks: 46, file: "engine/machine/nic/mailbox.ts", replace: "state.clearToSend[f] === 1 && this.handle(f, type, at)", by: "this.handle(f, type, at)",
    and: { file: "engine/components/nicDrivers.ts", replace: "[MailboxMessage.reset, MailboxMessage.apiVersion", by: "[MailboxMessage.apiVersion" },
  },
  { breaks: 47, file: "engine/machine/nic/switch.ts", replace: "return pool === this.sriov.vfs ? 0 : pool + 1;", by: "return pool === this.sriov.vfs ? 0 : ((pool + 1) % this.sriov.vfs) + 1;" },
  {
    breaks: 48, file: "engine/machine/nic/mailbox.ts", replace: "state.maxFrame[f]! <= state.maxFrame[0]! && ", by: "",
    and: { file: "engine/machine/nic/mailbox.ts", replace: "nic.state.maxFrame[f] = memory.word[at + 1]!;", by: "nic.state.maxFrame[f] = memory.word[at + 1]! + 1;" },
  },
  { breaks: 49, file: "engine/machine/nic/vectors.ts", replace: "Math.max(0, earliest - nic.kernel.now)", by: "0" },
  { breaks: 41, file: "engine/machine/iommu/iommu.ts", replace: "functions.busMaster[f] = 0;\n        kernel.mark(fn.pci_check_disable_device, this.id, by.context, kernel.now, 0, NONE, functions.routingId[f]!);\n      }\n      return REFUSED;", by: "}\n      return 0;", design: wild, dispatches: 200_000 },
  { breaks: 44, file: "engine/machine/iommu/iommu.ts", replace: "functions.busMaster[f] = 0;\n", by: "", design: wild, dispatches: 200_000 },
];
