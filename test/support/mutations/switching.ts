import { readFileSync } from "node:fs";
import type { Mutation } from "./mutation";

const sample = (path: string): string => readFileSync(`samples/${path}.exo.yaml`, "utf8");
const byHand = sample("switching/by-hand");
const scarce = sample("switching/vf-scarcity");
const malicious = sample("security/malicious");
/** The same, where those behind the server share its address. */
const shared = malicious.replace("- netserver", "- netserver: { ip: 10.0.0.100 }");
/** One of them is not there any more when clients ask for it. */
const refused = sample("librettos/shared-address").replace(/switches:\n.*\n/, "").replace(/faults:[^]*run:/, "faults: [{ at: 15ms, crash: nginx }]\nrun:");
const ping = byHand.replace(/^ {2}- open-loop.*$/m, "  - ping: { from: client, to: nginx, requests: 5 }");
/** An application that begins with its own function and has gone to the server, when the host starts anew. */
const anew = byHand.replace("active: vif", "active: ixgbe").replace("at: 100ms, switch: nginx, to: direct", "at: 100ms, switch: nginx, to: server").replace(/^run:/m, "faults: [{ at: 400ms, crash: server.hypervisor, restart: 20ms }]\nrun:");
/** One function for three, a server that hangs or dies while they switch, and applications that do. */
const hang = scarce.replace(/^run:/m, "faults: [{ at: 390ms, hang: netsrv }]\nrun:");
const dead = scarce.replace(/^run:/m, "faults: [{ at: 410ms, crash: nginx, restart: 500ms }]\nrun:");
/** The application's end of a switch takes longer than the toolstack waits. */
const slow = scarce.replace(/^run:/m, 'costs: { "driver waits after a reset": 1s, "driver flushes queues": 1s }\nrun:').replace("until: 4s", "until: 9s");
/** Who asks again and again while a switch is under way. */
const changed = byHand.replace(/^switches:\n/m, (line) => `${line}  - { at: 101ms, switch: nginx, to: server }\n  - { at: 102ms, switch: nginx, to: direct }\n`);
const ALL = 300_000;

/** Faults in the network server's checks and in the dynamic mode switch. */
export const switchingMutations: readonly Mutation[] = [
  { breaks: 1, file: "engine/components/serverOutbound.ts", replace: "packets.sourceMac(packet) !== this.wire().mac", by: "false", design: malicious, dispatches: ALL },
  {
    breaks: 1, file: "engine/machine/nic/transmitQueues.ts", replace: "return this.nic.state.transmit[this.nic.queues[q]!.unit.index] === 1;", by: "return q >= 0;",
    and: { file: "engine/machine/nic/nic.ts", replace: "if (this.state.transmit[queue.unit.index] === 0) {", by: "if (bytes < 0) {" },
    design: malicious.replace("at: 20ms, forge: bold", "at: 0ms, forge: bold"), dispatches: ALL,
  },
  { breaks: 2, file: "engine/components/serverOutbound.ts", replace: "packets.sourceIp(packet) !== this.channels[index]!.address()", by: "false", design: malicious, dispatches: ALL },
  { breaks: 3, file: "engine/components/serverOutbound.ts", replace: "this.isPortOwn(index, packet) ? undefined", by: "true ? undefined", design: malicious, dispatches: ALL },
  { breaks: 3, file: "engine/components/serverOutbound.ts", replace: "this.isPortOwn(index, packet) ? undefined", by: "true ? undefined", design: shared, dispatches: ALL },
  { breaks: 3, file: "engine/components/serverStack.ts", replace: "sequence, acknowledgement, flags, 0, stream", by: "sequence, acknowledgement, flags & ~TcpFlag.rst, 0, stream", design: refused, dispatches: ALL },
  { breaks: 4, file: "engine/machine/frameRing.ts", replace: "this.words.word[this.base + LOST]!++;", by: "this.words.word[this.base + LOST]! += 2;", design: malicious, dispatches: ALL },
  { breaks: 4, file: "engine/components/ringReaders.ts", replace: "    else if (packet !== NONE) this.parts.accept(packet, reader);", by: "    if (packet !== NONE) this.parts.accept(packet, reader);", design: malicious, dispatches: ALL },
  { breaks: 10, file: "engine/machine/portmap.ts", replace: "this.mapping.alloc();", by: "this.mapping.alloc();\n    this.mapping.writable[0] = 1;", design: malicious, dispatches: ALL },
  {
    breaks: 11, file: "engine/components/serverInbound.ts", replace: "addresses.isActive(owner)) cpus.call(softint, component, InboundOp.send, packet, owner);",
    by: "addresses.isActive(owner)) cpus.call(softint, component, InboundOp.send, packet, (owner + 1) % this.channels.length);", design: malicious, dispatches: ALL,
  },
  {
    breaks: 12, file: "engine/components/serverInbound.ts", replace: "addresses.isActive(owner)) cpus.call(softint, component, InboundOp.send, packet, owner);",
    by: "addresses.isActive(owner)) for (const to of [owner, owner]) cpus.call(softint, component, InboundOp.send, packet, to);", design: malicious, dispatches: ALL,
  },
  { breaks: 13, file: "engine/components/serverInbound.ts", replace: "memory.connected && addresses.isActive(i))", by: "memory.connected && i > 0)", design: byHand, dispatches: ALL },
  { breaks: 14, file: "engine/components/serverInbound.ts", replace: "type === IcmpType.echo)", by: "type > 255)", design: ping, dispatches: ALL },
  { breaks: 24, file: "engine/components/addressResolution.ts", replace: "packets.setEthernet(packet, mac, wire.mac);", by: "packets.setEthernet(packet, mac, wire.mac);\n    if (this.place.domain.virtual) packets.columns.source[packet] = wire.mac % 7;", design: byHand, dispatches: ALL },
  { breaks: 25, file: "engine/components/vifSwitch.ts", replace: "    this.state.switches++;", by: "    for (let conn = 0; conn < 8; conn++) this.stack!.tcp.abort(conn);", design: byHand, dispatches: ALL },
  { breaks: 26, file: "engine/components/serverAddresses.ts", replace: "      state.active[a] = 0;", by: "", design: byHand, dispatches: ALL },
  { breaks: 26, file: "engine/components/serverAddresses.ts", replace: "isAnew ? this.isShared(address()) && cpus.isOn(domain.id) : switched.isAtServer", by: "switched.isAtServer", design: anew, dispatches: ALL },
  { breaks: 28, file: "engine/components/vif.ts", replace: "if (driver !== undefined) return driver.transmit(packet);", by: "if (driver !== undefined) driver.transmit(packet);", design: byHand, dispatches: ALL },
  { breaks: 29, file: "engine/components/vifSwitch.ts", replace: "      cpus.call(thread, component, SwitchOp.deconfigure);\n      return;", by: "      return this.driverReady(true);", design: byHand, dispatches: ALL },
  { breaks: 29, file: "engine/components/serverAddresses.ts", replace: "    state.active[a] = ok ? 1 : 0;\n", by: "    state.active[a] = 0;\n", design: byHand, dispatches: ALL },
  { breaks: 30, file: "engine/machine/switching/switches.ts", replace: "      this.mark(fn.device_assigned, driver.id, EBUSY);", by: "      uplink.want(to, false);\n      this.mark(fn.device_assigned, driver.id, EBUSY);", design: scarce, dispatches: ALL },
  { breaks: 31, file: "engine/machine/switching/switchLog.ts", replace: "duration: ended ? rows.ended[row]!", by: "duration: ended ? rows.resumed[row]!", design: byHand, dispatches: ALL },
  {
    breaks: 92, file: "engine/machine/switching/switches.ts", replace: "    if (vif.uplink.giveUp()) server.addresses.want(vif.channelNumber, true);\n    this.next(application);\n    this.giveBack(application);",
    by: "    if (vif.uplink.giveUp()) server.addresses.want(vif.channelNumber, true);\n    this.next(application);", design: hang, dispatches: ALL,
  },
  { breaks: 92, file: "engine/machine/switching/switches.ts", replace: "!isFresh && !uplink.drives(i + 1)", by: "!isFresh && uplink.via !== i + 1", design: slow, dispatches: ALL },
  { breaks: 93, file: "engine/machine/switching/switches.ts", replace: "    if (waiting !== 0) this.end(application, waiting - 1, \"superseded\");\n", by: "", design: changed, dispatches: ALL },
  { breaks: 93, file: "engine/machine/switching/switches.ts", replace: "    if (state.steps[application] !== Steps.none) this.over(application, \"application died\");\n", by: "", design: dead, dispatches: ALL },
];
