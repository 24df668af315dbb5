import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parseDesign } from "../../../engine/design/parse";
import { COMPONENTS } from "../../../engine/design/catalogue/components";
import type { Design, Problem } from "../../../engine/design/model";
import { DOMAIN_KINDS } from "../../../engine/design/vocabulary";
import { diagramModel } from "../../../extension/editor/diagramModel";
import { drawnCursor } from "../../../extension/editor/drawnCursor";
import { partAt } from "../../../extension/editor/marks";
import { movableUplinks, moveTargets } from "../../../extension/editor/moveTargets";
import { domainRanks } from "../../../extension/editor/ranks";
import { componentIcon, domainIcon } from "../../../extension/editor/wording";
import { STARTER_DESIGN } from "../../../engine/design/starter";
import type { DiagramModel, DiagramNode } from "../../../protocol/diagram";
import { fill } from "../../../protocol/diagramStrings";
import { isIconName } from "../../../webview/ui/icons";

const SAMPLE = readFileSync("samples/librettos/librettos.exo.yaml", "utf8");

function read(text: string): { design: Design; problems: readonly Problem[]; model: DiagramModel } {
  const { design, problems } = parseDesign(text);
  assert.ok(design);
  return { design, problems, model: diagramModel(design, problems, fill) };
}

function node(model: DiagramModel, path: string): DiagramNode {
  const found = model.nodes.find((each) => each.path === path);
  assert.ok(found, `${path} is in the model`);
  return found;
}

describe("diagram model", () => {
  const { design, model } = read(SAMPLE);

  it("has a node for every part, each in its box, boxes first", () => {
    const seen = new Set<string>();
    for (const { path, parent } of model.nodes) {
      assert.ok(!seen.has(path), `${path} comes once`);
      assert.ok(parent === undefined || seen.has(parent), `${path} comes after ${parent}`);
      seen.add(path);
    }
    assert.deepEqual(model.nodes.filter((each) => each.parent === "server/nic0").map((each) => [each.label, each.idle]), [["pf", false], ["vf0", false], ["vf1", true]]);
    assert.deepEqual(model.nodes.filter((each) => each.parent === "server/redis").map((each) => `${each.label}${each.badge}`), ["key-value-store:6379", "libc", "tcpip", "vif"]);
    assert.deepEqual(model.nodes.filter((each) => each.kind === "workload").map((each) => each.parent), ["client", "client"]);
  });

  it("joins what is joined, and only what is drawn", () => {
    const edges = model.edges.filter((edge) => edge.kind !== "call").map((edge) => `${edge.kind} ${edge.from} ${edge.to}`);
    assert.deepEqual(edges.sort(), [
      "binding server/netsrv/ixgbe server/nic0/pf", "binding server/nginx/ixgbe server/nic0/vf0",
      "channel server/redis/vif server/netsrv/netserver", "link client/nic server/nic0",
    ]);
    const broken = read(SAMPLE.replace("bind: nic0.vf0", "bind: nic0.vf9").replace("channel: netsrv.netserver", "channel: nobody.netserver"));
    const paths = new Set(broken.model.nodes.map((each) => each.path));
    for (const edge of broken.model.edges) assert.ok(paths.has(edge.from) && paths.has(edge.to), `${edge.id} leads nowhere`);
  });

  it("says of a workload whom it names: a domain, or a server in one, whose problems are at its tile", () => {
    const text = SAMPLE.replace("          - http-server", "          - http-server: { id: second, port: 81 }\n          - http-server");
    const label = (of: DiagramModel): string | undefined => of.nodes.find(({ type, kind }) => kind === "workload" && type === "http")?.label;
    const [whole, part] = [text, text.replace("to: nginx", "to: nginx.second")].map((each) => read(each).model) as [DiagramModel, DiagramModel];
    assert.deepEqual([label(whole), label(part)], ["http → nginx", "http → nginx.second"]);
    assert.deepEqual([whole, part].map((of) => of.nodes.find(({ type, kind }) => kind === "workload" && type === "http")?.mark?.severity), ["warning", undefined]);
  });

  it("says at a domain's load generator whom it asks", () => {
    const { model } = read(readFileSync("samples/clients/vf-to-vf.exo.yaml", "utf8"));
    const asks = (path: string): string[] => node(model, path).details.filter(({ label }) => label === "asks").map(({ value }) => value);
    assert.deepEqual([asks("server/crawler/load-generator"), asks("server/audit/load-generator")], [["http → nginx"], ["key-value → ledger"]]);
    assert.deepEqual(model.nodes.filter(({ kind }) => kind === "workload").map(({ parent }) => parent), ["client"]);
  });

  it("says of a binding whether an IOMMU guards it", () => {
    const guarded = (of: DiagramModel): boolean[] => of.edges.filter((edge) => edge.kind === "binding").map((edge) => edge.guarded);
    assert.deepEqual(guarded(model), [true, true]);
    assert.deepEqual(guarded(read(SAMPLE.replace("iommu: on", "iommu: off")).model), [false, false]);
  });

  it("lets the uplinks of applications be moved, and the network server's not", () => {
    assert.deepEqual(model.nodes.filter((each) => each.movable).map((each) => each.path).sort(), ["server/nginx/ixgbe", "server/redis/vif"]);
    assert.deepEqual(movableUplinks(design).map((uplink) => uplink.path).sort(), ["server/nginx/ixgbe", "server/redis/vif"]);
  });

  it("hangs two uplinks under the stack, the unused one idle", () => {
    const both = read(SAMPLE.replace("          - vif: { channel: netsrv.netserver }\n",
      "          - vif: { channel: netsrv.netserver }\n          - ixgbe: { bind: nic0.vf1 }\n        uplinks: { tcpip: [vif, ixgbe], active: vif }\n")).model;
    const calls = both.edges.filter((edge) => edge.kind === "call" && edge.from === "server/redis/tcpip");
    assert.deepEqual(calls.map((edge) => [edge.to, edge.idle]), [["server/redis/vif", false], ["server/redis/ixgbe", true]]);
    assert.equal(node(both, "server/redis/ixgbe").idle, true);
    assert.equal(node(both, "server/redis/ixgbe").movable, false);
  });

  it("marks the innermost part with its problems, and says them in its description", () => {
    const { model: marked } = read(SAMPLE.replace("bind: nic0.vf0", "bind: nic0.vf7"));
    const driver = node(marked, "server/nginx/ixgbe");
    assert.equal(driver.mark?.severity, "error");
    assert.match(driver.mark?.messages.join() ?? "", /vf7/);
    assert.ok(driver.description.includes(driver.mark?.messages[0] ?? "?"));
    assert.equal(node(marked, "server").mark, undefined);
  });

  it("finds the part of a caret", () => {
    const at = (words: string): string | undefined => partAt(design, SAMPLE.indexOf(words) + words.length - 1)?.path;
    assert.equal(at("- netserver"), "server/netsrv/netserver");
    assert.equal(at("key-value-store:"), "server/redis/key-value-store");
    assert.equal(at("rate: 10Gbps"), "client/nic");
    assert.equal(at("exoscope: 1"), undefined);
  });

  it("names only icons that the webview knows", () => {
    for (const each of model.nodes) assert.ok(isIconName(each.icon), `${each.icon} of ${each.path}`);
    for (const { type } of COMPONENTS) assert.ok(isIconName(componentIcon(type)), `${componentIcon(type)} of ${type}`);
    for (const { value } of DOMAIN_KINDS) assert.ok(isIconName(domainIcon(value)), `${domainIcon(value)} of ${value}`);
  });

  it("stands servers under what they serve, also through a circle", () => {
    assert.deepEqual(Object.fromEntries(domainRanks(design)), { "server/netsrv": 1, "server/nginx": 0, "server/redis": 0, ...clientRanks() });
    const circle = read(SAMPLE.replace("          - ixgbe: { bind: nic0.pf }\n", "          - vif: { channel: netsrv.netserver }\n"));
    assert.ok([...domainRanks(circle.design).values()].every((rank) => rank >= 0 && rank < 10));
  });

  it("stands processes above their kernel, servers under what calls them, and names what they cross", () => {
    const placement = (name: string): ReturnType<typeof read> => read(readFileSync(`samples/placement/${name}.exo.yaml`, "utf8"));
    const ranks = (of: { readonly design: Design }): Record<string, number> => Object.fromEntries([...domainRanks(of.design)].filter(([path]) => path.startsWith("server/")));
    const crossings = (of: { readonly model: DiagramModel }): string[] => of.model.edges.filter((edge) => edge.kind === "crossing").map((edge) => `${edge.from} ${edge.to} ${edge.caption}`);
    const [monolithic, servers, library] = [placement("monolithic-linux"), placement("multiserver"), placement("kernel-driver")];
    assert.deepEqual(ranks(monolithic), { "server/nginx": 0, "server/os": 1 });
    assert.deepEqual(ranks(servers), { "server/nginx": 0, "server/net": 1, "server/drv": 2, "server/os": 3 });
    assert.deepEqual(crossings(monolithic), ["server/nginx/libc server/os/tcpip system call"]);
    assert.deepEqual(crossings(servers), ["server/net/tcpip server/drv/ixgbe IPC", "server/nginx/libc server/net/tcpip IPC"]);
    assert.deepEqual(crossings(library), ["server/nginx/tcpip server/os/ixgbe system call"]);
    assert.equal(node(servers.model, "server/net").caption, "process · of os");
  });

  it("offers every function, server and device as a target, with the reason where it is none", () => {
    const uplink = movableUplinks(design).find((each) => each.path === "server/redis/vif");
    assert.ok(uplink);
    const targets = moveTargets(design, uplink, fill).map((target) => [target.path, target.current, target.refusal === undefined]);
    assert.deepEqual(targets, [
      ["server/netsrv/netserver", true, true], ["server/nic0/pf", false, false], ["server/nic0/vf0", false, false], ["server/nic0/vf1", false, true],
      ["server/nic0", false, true],
    ]);
  });

  it("stands a fault on what it strikes, and a switch on the interface that it moves to", () => {
    const event = (sample: string, component: string): string => {
      const found = read(readFileSync(`samples/${sample}.exo.yaml`, "utf8"));
      const view = { row: 1, time: 0, component, context: "", fn: "", file: undefined, packet: -1, packetSummary: "", trail: [component, "server"], uplinks: {} };
      const drawn = drawnCursor(found.design, view);
      assert.deepEqual(drawn.trail, [drawn.component, "server"]);
      return drawn.component;
    };
    assert.equal(event("faults/server-crash", "faults/crash-netsrv"), "server/netsrv");
    assert.equal(event("switching/by-hand", "switches/nginx"), "server/nginx/ixgbe");
    assert.equal(event("switching/by-hand", "server/nginx/vif"), "server/nginx/vif");
  });

  it("shows the uplink that is in use where the debugger stands, and moves the one of the design", () => {
    const { design, problems } = read(readFileSync("samples/switching/by-hand.exo.yaml", "utf8"));
    const drawn = (uplinks: Record<string, string>): Record<string, unknown> => {
      const model = diagramModel(design, problems, fill, uplinks);
      const idle = [...model.nodes.filter(({ kind }) => kind === "component"), ...model.edges].flatMap((each) => (each.idle ? ["path" in each ? each.path : each.id] : []));
      const said = (path: string): unknown => node(model, path).details.find(({ label }) => label === "uplink")?.value;
      return { idle, vif: said("server/nginx/vif"), ixgbe: said("server/nginx/ixgbe"), movable: model.nodes.filter(({ movable }) => movable).map(({ path }) => path) };
    };
    const direct = { idle: ["server/nginx/vif", "call:server/nginx/tcpip:server/nginx/vif", "channel:server/nginx/vif:server/netsrv/netserver"], vif: "not in use", ixgbe: "in use", movable: ["server/nginx/vif"] };
    const server = { idle: ["server/nginx/ixgbe", "call:server/nginx/tcpip:server/nginx/ixgbe", "binding:server/nginx/ixgbe:server/nic0/vf0"], vif: "in use", ixgbe: "not in use", movable: ["server/nginx/vif"] };
    assert.deepEqual(drawn({}), server);
    assert.deepEqual(drawn({ "server/nginx": "server/nginx/vif" }), server);
    assert.deepEqual(drawn({ "server/nginx": "server/nginx/ixgbe" }), direct);
    assert.deepEqual(drawn({ "server/nginx": "server/nginx/gone" }), server, "the text has changed since");
  });

  it("has a first design without a problem", () => {
    assert.deepEqual(parseDesign(STARTER_DESIGN).problems, []);
  });

  function clientRanks(): Record<string, number> {
    const client = design.hosts.find((host) => host.kind === "load-generator");
    return Object.fromEntries((client?.domains ?? []).map((domain) => [domain.path, domain.kind === "kernel" ? 1 : 0]));
  }
});
