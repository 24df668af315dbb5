import assert from "node:assert/strict";
import type { DiagramNode } from "../../../protocol/diagram";
import { neighbour } from "../../../webview/diagram/navigate";
import type { Box, Picture, Wire, WireKind } from "../../../webview/diagram/scene";
import { drawnPath, trailView } from "../../../webview/diagram/trail";

const box = (path: string, x = 0, y = 0, width = 100, height = 28): Box => {
  const node: DiagramNode = {
    path, parent: undefined, kind: "component", type: "", label: path, caption: "", badge: "", icon: "", rank: 0, idle: false, movable: false, pinned: false, details: [],
    mark: undefined, description: "",
  };
  return { node, depth: 0, pile: false, x, y, width, height };
};
const wire = (kind: WireKind, from: string, to: string): Wire =>
  ({ id: `${from}>${to}`, kind, from, to, idle: false, points: [], guard: undefined, caption: undefined, edge: undefined });

const scene: Picture = {
  x: 0, y: 0, width: 0, height: 0,
  boxes: ["client", "s", "s/nic0", "s/nic0/pf", "s/nic0/vf0", "s/srv", "s/srv/ixgbe", "s/srv/netserver", "s/app", "s/app/vif", "s/app/tcpip"].map((path) => box(path)),
  wires: [
    wire("link", "client", "s/nic0"), wire("switch", "s/nic0/pf", "s/nic0"), wire("switch", "s/nic0/vf0", "s/nic0"), wire("binding", "s/srv/ixgbe", "s/nic0/pf"),
    wire("call", "s/srv/netserver", "s/srv/ixgbe"), wire("channel", "s/app/vif", "s/srv/netserver"), wire("call", "s/app/tcpip", "s/app/vif"),
  ],
};

describe("the packet's way through the diagram", () => {
  it("follows the wires between the places that it passed", () => {
    const { wires, last } = trailView(scene, ["client", "s/nic0", "s/nic0/pf", "s/srv/ixgbe", "s/srv/netserver", "s/app/vif", "s/app/tcpip"]);
    assert.deepEqual(wires, ["client>s/nic0", "s/nic0/pf>s/nic0", "s/srv/ixgbe>s/nic0/pf", "s/srv/netserver>s/srv/ixgbe", "s/app/vif>s/srv/netserver", "s/app/tcpip>s/app/vif"]);
    assert.deepEqual(last, { id: "s/app/tcpip>s/app/vif", backwards: true });
  });

  it("fills in places that the trail leaves out", () => {
    assert.deepEqual(trailView(scene, ["client", "s/srv/ixgbe"]).wires, ["client>s/nic0", "s/nic0/pf>s/nic0", "s/srv/ixgbe>s/nic0/pf"]);
  });

  it("passes over places without a wire, and stands on the nearest box for places that are not drawn", () => {
    const { wires, parts, last } = trailView(scene, ["s/app/vif", "s/hypervisor", "s/srv/netserver"]);
    assert.deepEqual(wires, ["s/app/vif>s/srv/netserver"]);
    assert.deepEqual(parts, ["s/app/vif", "s", "s/srv/netserver"]);
    assert.equal(last?.backwards, false);
    assert.equal(trailView(scene, ["s/app/tcpip", "s/app/vif", "s/hypervisor"]).last, undefined);
  });

  it("knows no way where there is none", () => {
    assert.deepEqual(trailView({ ...scene, wires: [] }, ["client", "s/nic0"]), { parts: ["client", "s/nic0"], wires: [], last: undefined });
    assert.equal(drawnPath("elsewhere/x", new Set(["s"])), undefined);
  });
});

describe("arrow keys in the diagram", () => {
  const page: Picture = {
    x: 0, y: 0, width: 0, height: 0, wires: [],
    boxes: [box("domain", 0, 0, 120, 100), box("domain/a", 10, 30), box("domain/b", 10, 62), box("right", 140, 0, 120, 100), box("right/a", 150, 30)],
  };

  it("go into a box, through its tiles and out again", () => {
    assert.equal(neighbour(page, "domain", "down"), "domain/a");
    assert.equal(neighbour(page, "domain/a", "down"), "domain/b");
    assert.equal(neighbour(page, "domain/b", "up"), "domain/a");
    assert.equal(neighbour(page, "domain/a", "up"), "domain");
  });

  it("go across rows, and stay at the edge", () => {
    assert.equal(neighbour(page, "domain/a", "right"), "right/a");
    assert.equal(neighbour(page, "right", "left"), "domain");
    assert.equal(neighbour(page, "domain", "left"), undefined);
  });

  it("reach every part from the first", () => {
    const reached = new Set(["domain"]);
    for (const path of reached) {
      for (const direction of ["up", "down", "left", "right"] as const) reached.add(neighbour(page, path, direction) ?? path);
    }
    assert.equal(reached.size, page.boxes.length);
  });
});
