import assert from "node:assert/strict";
import { parseDesign } from "../../../engine/design/parse";
import { MailboxMessage } from "../../../engine/machine/nic/mailboxMessages";
import { report } from "../../../engine/analysis/report";
import { createEngine, type MachineEngine } from "../../../engine/create";
import { formatMac } from "../../../engine/network/addresses";
import { runDesign } from "../../support/runDesign";

/** A client that pings an application with a VF of its own. */
const pings = (driver: string, { sriov = "", client = "", mtu = 1500, rest = "", system = "netbsd" } = {}): string => `exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599, mtu: ${mtu}, sriov: { vfs: 2${sriov} } } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      app: { system: ${system}, components: [discard, libc, tcpip, ixgbe: { bind: nic0.vf0${driver} }] }
  client: { model: load-generator${client}, link: { to: server.nic0 } }
workloads:
  - ping: { from: client, to: app, requests: 5, size: 1400 }
${rest}run: { until: 60ms }
`;

function rowsOf({ trace, names }: MachineEngine, name: string): number[] {
  const ids = names.functions.filter((f) => f.name === name).map(({ id }) => id);
  return Array.from({ length: trace.length }, (_, row) => row).filter((row) => ids.includes(trace.fn(row)));
}

const answered = (text: string): number => runDesign(text).report.workloads[0]!.completed;

/** VLAN tags of the frames that were on the wire. */
function tags(engine: MachineEngine): number[] {
  const { packets } = engine.built.machine;
  return [...new Set(rowsOf(engine, "serialise").map((row) => packets.vlan(engine.trace.packet(row))))];
}

describe("what a PF lets its VFs do", () => {
  it("a port VLAN: the adapter tags what the VF sends and hides the tag of what it receives; the client is in the VLAN", () => {
    const { engine, report } = runDesign(pings("", { sriov: ", policies: { vf0: { vlan: 10 } }", client: ", vlan: 10" }));
    assert.equal(report.workloads[0]!.completed, 5);
    assert.deepEqual(tags(engine), [10]);
    assert.ok(rowsOf(engine, "VLAN tag inserted").length >= 6, "five answers and one of ARP");
    assert.equal(engine.built.machine.nics.get("server/nic0")!.transmitQueues.buffered, 0, "what the tag adds leaves the buffer with the frame");
  });

  it("a VLAN of the VF's own: its driver asks for it, and tags", () => {
    const { engine, report } = runDesign(pings(", vlan: 20", { client: ", vlan: 20" }));
    assert.equal(report.workloads[0]!.completed, 5);
    assert.deepEqual(tags(engine), [20]);
    assert.equal(rowsOf(engine, "VLAN tag inserted").length, 0);
    assert.equal(rowsOf(engine, "ixgbe_write_mbx").filter((row) => engine.trace.a(row) === MailboxMessage.setVlan).length, 1);
  });

  it("no frame gets from one VLAN into another, and each is dropped with its reason", () => {
    // The check refuses a workload between two VLANs; a driver that nobody asks pings nobody, so that the client's is changed behind the check.
    const text = pings("", { sriov: ", policies: { vf0: { vlan: 10 } }", client: ", vlan: 10" });
    for (const [client, drop] of [["", "no receive filter"], [", vlan: 30", "no receive filter"]] as const) {
      const wrong = parseDesign(text.replace(", vlan: 10, link", `${client}, link`));
      assert.deepEqual(wrong.problems.map(({ code }) => code), ["unreachable"]);
      const engine = createEngine(wrong.design!);
      while (engine.dispatch());
      const { workloads, drops } = report(engine);
      assert.equal(workloads[0]!.completed, 0);
      assert.ok((drops[drop] ?? 0) > 0, JSON.stringify(drops));
    }
  });

  it("an address of the VF's own where policy allows it; where not, a refusal in the trace, and the VF keeps its own", () => {
    const mac = "02:00:00:00:01:00";
    const of = (sriov: string): { engine: MachineEngine; completed: number; mac: string } => {
      const { engine, report } = runDesign(pings(`, mac: ${mac}`, { sriov }));
      return { engine, completed: report.workloads[0]!.completed, mac: formatMac(engine.built.machine.nics.get("server/nic0")!.macOf(1)) };
    };
    const allowed = of(", policies: { vf0: { allow-set-mac: on } }");
    assert.deepEqual([allowed.completed, allowed.mac, rowsOf(allowed.engine, "VF refused").length], [5, mac, 0]);
    const refused = of("");
    assert.deepEqual([refused.completed, refused.mac], [5, "02:00:00:00:00:02"]);
    for (const name of ["VF refused", "mailbox message refused"]) assert.deepEqual(rowsOf(refused.engine, name).map((row) => refused.engine.trace.a(row)), [MailboxMessage.setMac], name);
  });

  it("a forged VLAN tag is dropped by anti-spoofing, and reaches the wire without it", () => {
    const forged = (policy: string): number[] => {
      const { engine } = runDesign(pings("", { sriov: `, policies: { vf0: ${policy} }`, rest: "faults:\n  - { at: 20ms, forge: app, what: vlan, count: 5 }\n" }));
      return ["VLAN anti-spoof", "forged source on the wire"].map((name) => rowsOf(engine, name).length);
    };
    assert.deepEqual(forged("{ anti-spoof: on }"), [5, 0]);
    assert.deepEqual(forged("{ anti-spoof: off }"), [0, 5]);
  });

  it("an untagged frame has no interface where the VF's driver is in a VLAN", () => {
    const { design } = parseDesign(pings(", vlan: 20"));
    const engine = createEngine(design!);
    while (engine.dispatch());
    assert.ok((report(engine).drops["no VLAN interface"] ?? 0) > 0);
  });

  it("a full frame with its tag is not longer than the largest", () => {
    assert.equal(answered(pings("", { sriov: ", policies: { vf0: { vlan: 10 } }", client: ", vlan: 10" }).replace("size: 1400", "size: 1472")), 5);
  });

  it("without alternative routing ids, VFs are on the next bus", () => {
    const ids = (sriov: string): string[] => {
      const nic = runDesign(pings("", { sriov })).engine.built.machine.nics.get("server/nic0")!;
      return nic.describe()[0]!.variables.filter(({ name }) => name.startsWith("vf")).map(({ children }) => children!.find(({ name }) => name === "routing id")!.value);
    };
    assert.deepEqual(ids(""), ["86:10.0", "86:10.2"]);
    assert.deepEqual(ids(", ari: off"), ["87:10.0", "87:10.2"]);
  });

  it("each request is served once, however many VFs boot at a time, and none is refused", () => {
    const vfs = 40;
    const domains = Array.from({ length: vfs }, (_, i) => `      app${i}: { components: [discard, libc, tcpip, ixgbe: { bind: nic0.vf${i} }] }`).join("\n");
    const { engine } = runDesign(`exoscope: 1
hosts:
  server:
    cpu: { cores: 48 }
    iommu: on
    devices: { nic0: { model: intel-82599, sriov: { vfs: ${vfs} } } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      netsrv: { components: [netserver, ixgbe: { bind: nic0.pf }] }
${domains}
run: { until: 20ms }
`);
    const asked = rowsOf(engine, "ixgbe_write_mbx").length;
    assert.ok(asked >= vfs * 4, `${asked} messages`);
    assert.equal(rowsOf(engine, "ixgbe_rcv_msg_from_vf").length, asked);
    assert.equal(rowsOf(engine, "mailbox message refused").length, 0);
  });
});
