import assert from "node:assert/strict";
import { parseDesign } from "../../../engine/design/parse";
import { diagramModel } from "../../../extension/editor/diagramModel";
import type { DiagramModel } from "../../../protocol/diagram";
import { DIAGRAM_STRINGS, fill } from "../../../protocol/diagramStrings";
import { pileUp } from "../../../webview/diagram/piles";

/** `direct` applications with a VF each, then `served` ones behind the network server. */
function model(direct: number, served: number): DiagramModel {
  const application = (i: number, uplink: string): string =>
    `      app${i}:\n        components:\n          - http-server: { port: ${1000 + i} }\n          - libc\n          - tcpip\n          - ${uplink}\n`;
  const text = `exoscope: 1
hosts:
  server:
    iommu: on
    devices: { nic0: { model: intel-82599, sriov: { vfs: 63 } } }
    hypervisor: { model: xen }
    domains:
      netsrv:
        components:
          - netserver
          - ixgbe: { bind: nic0.pf }
${Array.from({ length: direct }, (_, i) => application(i, `ixgbe: { bind: nic0.vf${i} }`)).join("")}${
  Array.from({ length: served }, (_, i) => application(direct + i, "vif: { channel: netsrv.netserver }")).join("")}`;
  const { design, problems } = parseDesign(text);
  assert.ok(design);
  return diagramModel(design, problems, fill);
}

const domains = (of: DiagramModel): string[] => of.nodes.filter((node) => node.kind === "domain").map((node) => node.label);

describe("piles of domains", () => {
  it("leaves a small design as it is", () => {
    const small = model(3, 3);
    const { model: drawn, piles } = pileUp(small, [], DIAGRAM_STRINGS);
    assert.deepEqual(domains(drawn), domains(small));
    assert.equal(piles.size, 0);
  });

  it("piles domains that are alike, direct ones apart from served ones, and drops no edge of those in front", () => {
    const { model: drawn, piles } = pileUp(model(40, 160), [], DIAGRAM_STRINGS);
    assert.deepEqual(domains(drawn), ["netsrv", "app0", "app40"]);
    assert.deepEqual([...piles].map(([front, members]) => [front, members.length]), [["server/app0", 40], ["server/app40", 160]]);
    const paths = new Set(drawn.nodes.map((node) => node.path));
    for (const edge of drawn.edges) assert.ok(paths.has(edge.from) && paths.has(edge.to), `${edge.id} leads nowhere`);
    assert.deepEqual(drawn.edges.filter((edge) => edge.kind === "channel" || edge.kind === "binding").map((edge) => edge.id), [
      "binding:server/netsrv/ixgbe:server/nic0/pf", "binding:server/app0/ixgbe:server/nic0/vf0", "channel:server/app40/vif:server/netsrv/netserver",
    ]);
  });

  it("shows of many functions those in use here and a few free ones", () => {
    const { model: drawn } = pileUp(model(40, 160), [], DIAGRAM_STRINGS);
    const functions = drawn.nodes.filter((node) => node.kind === "function").map((node) => node.label);
    assert.deepEqual(functions, ["pf", "vf0", "vf40", "vf41", "+ 60 more"]);
  });

  it("brings the part that is wanted to the front, the latest first", () => {
    const { model: drawn } = pileUp(model(40, 160), ["server/app150/tcpip", "server/app7", "server/app99/libc"], DIAGRAM_STRINGS);
    assert.deepEqual(domains(drawn), ["netsrv", "app7", "app99"]);
    assert.ok(drawn.nodes.some((node) => node.path === "server/app99/libc"));
    assert.ok(drawn.nodes.some((node) => node.path === "server/nic0/vf7"));
  });
});
