import { readFileSync } from "node:fs";
import type { Mutation } from "./mutation";

const inbound = "engine/components/serverInbound.ts";
const resolution = "engine/components/addressResolution.ts";

/** A guest of a bridge sends under addresses that are not its own. */
const forged = readFileSync("samples/netfront/bridge.exo.yaml", "utf8").replace(/^run:.*$/m, "faults: [{ at: 11ms, forge: split, what: mac, count: 3 }]\nrun: { until: 15ms, seed: 1 }");
/** Processes of a kernel: what an application gets goes through a driver, and through a stack, of which one dies. */
const died = (process: string): string => readFileSync("samples/placement/multiserver.exo.yaml", "utf8").replace(/^run:.*$/m, `faults: [{ at: 11ms, crash: ${process} }]\nrun: { until: 300ms, seed: 1 }`);

/** More connections at once than a server accepts in time. */
const crowded = readFileSync("samples/workloads/http-close.exo.yaml", "utf8")
  .replace("- http-server", "- http-server: { service: 1ms, backlog: 16 }").replace("concurrency: 4, requests: 200", "concurrency: 60, requests: 120");

/** Frames that vanish, from the wire up and down again: one fault for each kind of place that has them. */
export const frameMutations: readonly Mutation[] = [
  // On a link, on the chip, and in a function's queues.
  { breaks: 83, file: "engine/network/link.ts", replace: "      kernel.mark(fn[\"lost on the link\"], this.id, context, kernel.now, 0, sent);\n", by: "      kernel.mark(fn[\"lost on the link\"], this.id, context, kernel.now, 0);\n" },
  { breaks: 83, file: "engine/machine/nic/switch.ts", replace: "? this.flood(packet, NONE) :", by: "? [this.flood(packet, NONE)] :" },
  { breaks: 83, file: "engine/machine/nic/nic.ts", replace: "      this.outbound.push(packet);\n", by: "      if (packet % 8 !== 0) this.outbound.push(packet);\n" },
  { breaks: 83, file: "engine/machine/nic/nic.ts", replace: "const lost = (packet: number): void => this.lose(queue, packet);", by: "const lost = (): void => this.lose(queue, NONE);" },
  // A branch of what goes to several.
  { breaks: 83, file: "engine/machine/nic/switch.ts", replace: "      this.deliver(f, packet);\n      accepted = true;", by: "      if (f !== 1) this.deliver(f, packet);\n      accepted = true;" },
  { breaks: 83, file: "engine/machine/nic/receiveQueues.ts", replace: "    this.inbound[q]!.push(packet);\n    this.store(q);", by: "    if (!nic.packets.isArp(packet) || packet % 4 !== 0) this.inbound[q]!.push(packet);\n    this.store(q);" },
  { breaks: 83, file: "engine/machine/frameRing.ts", replace: "    this.words.word[this.slots + (index << SLOT_BITS) + PACKET] = packet;\n", by: "    this.words.word[this.slots + (index << SLOT_BITS) + PACKET] = packet % 8 === 0 ? -1 : packet;\n" },
  // In a driver, a filter, a stack.
  { breaks: 83, file: "engine/components/ixgbe.ts", replace: "        this.take(q, packet);\n", by: "        if (packet % 16 !== 0) this.take(q, packet);\n" },
  { breaks: 83, file: "engine/components/receiveOffload.ts", replace: "    if (row !== NONE) this.release(q, row);\n", by: "    if (row !== NONE) this.release(q, row);\n    if (packet % 16 === 0) return;\n" },
  { breaks: 83, file: "engine/components/across.ts", replace: "    else kernel.mark(this.dropped,", by: "    else if (!this.place.machine.packets.isArp(packet)) kernel.mark(this.dropped," },
  { breaks: 83, file: "engine/components/tcpip.ts", replace: "  input(packet: number): void {\n", by: "  input(packet: number): void {\n    if (packet % 16 === 0) return;\n" },
  { breaks: 83, file: resolution, replace: "if (displaced !== NONE) this.drop(", by: "if (displaced === -2) this.drop(" },
  { breaks: 83, file: resolution, replace: "      const cause = this.arp.causeOfFirst(sender);\n", by: "      const cause = this.arp.causeOfFirst(sender);\n      if (this.arp.take(sender) % 2 === 0 || !this.arp.isWaiting(sender)) continue;\n" },
  { breaks: 83, file: "engine/components/across.ts", replace: " && cpus.isOn(cpus.crossings.spaceOf(id))", by: "", design: died("net"), dispatches: 60_000 },
  { breaks: 83, file: "engine/scheduling/ipc.ts", replace: "cpus.contextOf(caller), kernel.now, 0, packet,", by: "cpus.contextOf(caller), kernel.now, 0, -1,", design: died("drv"), dispatches: 60_000 },
  // In TCP, which throws away what it has no use for.
  { breaks: 83, file: "engine/network/tcp/handshake.ts", replace: "    tcp.env.discarded(packet, listener < 0 ? \"noConnection\" : \"notOpening\");\n", by: "" },
  { breaks: 83, file: "engine/network/tcp/handshake.ts", replace: "  tcp.env.discarded(packet, \"acceptOverflow\");\n", by: "", design: crowded },
  { breaks: 83, file: "engine/network/tcp/handshake.ts", replace: "    tcp.env.discarded(packet, \"listenOverflow\");\n", by: "", design: crowded },
  { breaks: 83, file: "engine/network/tcp/input.ts", replace: "        tcp.env.discarded(packet, \"duplicate\");\n", by: "" },
  { breaks: 83, file: "engine/network/tcp/input.ts", replace: "    const gap =", by: "    tcp.env.discarded(packet, \"duplicate\");\n    const gap =" },
  // Between domains: a network server's rings, netfront and netback.
  { breaks: 83, file: inbound, replace: "if (!toApplication.produce(packet)) return", by: "if (packet % 16 === 0) return;\n    if (!toApplication.produce(packet)) return" },
  { breaks: 83, file: inbound, replace: "if (packets.isArp(packet)) cpus.spend(fn.in_arpinput, packet);", by: "" },
  { breaks: 83, file: "engine/components/netfront.ts", replace: "        this.received.push(packet);\n", by: "        if (packet % 8 !== 0) this.received.push(packet);\n" },
  { breaks: 83, file: "engine/components/netbackReceive.ts", replace: "    queue.push(packet);\n", by: "    if (packet % 8 !== 0) queue.push(packet);\n" },
  { breaks: 83, file: "engine/components/nat.ts", replace: "    port.deliver(packet);\n", by: "    if (packet % 8 !== 0) port.deliver(packet);\n" },
  { breaks: 1, file: "engine/machine/faults/forger.ts", replace: "if (low < forged.rows && forged.packet[low] === packet) kernel.mark(", by: "if (low === -1) kernel.mark(", design: forged },
  { breaks: 85, file: resolution, replace: "    if (this.knows(ip)) this.wire()", by: "    if (this.knows(ip) || packet === NONE) this.wire()" },
];
