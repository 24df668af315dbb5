import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import ELK from "elkjs";
import { parseDesign } from "../../../engine/design/parse";
import { diagramModel } from "../../../extension/editor/diagramModel";
import { fill } from "../../../protocol/diagramStrings";
import { layoutModel } from "../../../webview/diagram/layoutModel";
import { HEADER, type Box, type Rect, type Scene } from "../../../webview/diagram/scene";

/** All of them, as `folder/name`. */
const SAMPLES = readdirSync("samples", { recursive: true, encoding: "utf8" }).filter((path) => path.endsWith(".exo.yaml")).map((path) => path.replaceAll("\\", "/").replace(".exo.yaml", "")).toSorted();
const SAMPLE = readFileSync("samples/librettos/librettos.exo.yaml", "utf8");

async function sceneOf(text: string): Promise<Scene> {
  const { design, problems } = parseDesign(text);
  assert.ok(design);
  return layoutModel(new ELK(), diagramModel(design, problems, fill), new Set(), (label) => label.length * 7);
}

function box(scene: Scene, path: string): Box {
  const found = scene.boxes.find((each) => each.node.path === path);
  assert.ok(found, `${path} is not drawn`);
  return found;
}

const inside = (inner: Rect, outer: Rect): boolean =>
  inner.x >= outer.x && inner.y >= outer.y && inner.x + inner.width <= outer.x + outer.width && inner.y + inner.height <= outer.y + outer.height;
const apart = (a: Rect, b: Rect): boolean =>
  a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y;

describe("diagram layout", () => {
  // ELK compiles itself the first time.
  let scene: Scene;
  before(async () => {
    scene = await sceneOf(SAMPLE);
  });

  it("puts every part in its box and no part on its neighbour", () => {
    for (const each of scene.boxes) {
      if (each.node.parent !== undefined) assert.ok(inside(each, box(scene, each.node.parent)), `${each.node.path} sticks out`);
      for (const other of scene.boxes) {
        if (other !== each && other.node.parent === each.node.parent) assert.ok(apart(each, other), `${each.node.path} covers ${other.node.path}`);
      }
    }
  });

  it("puts a process above its kernel, and the name of the call between them beside its line", async () => {
    const placed = await sceneOf(readFileSync("samples/placement/monolithic-linux.exo.yaml", "utf8"));
    const [process, kernel] = [box(placed, "server/nginx"), box(placed, "server/os")];
    assert.ok(process.y + process.height < kernel.y);
    const call = placed.wires.find(({ kind }) => kind === "crossing");
    assert.equal(call?.edge?.caption, "system call");
    assert.ok(call.caption && call.caption.y > process.y + process.height && call.caption.y < kernel.y, "between the boxes");
    assert.ok(call.points.some(({ x }) => x === call.caption?.x), "on the line");
  });

  it("reads from applications down to the wire", () => {
    const order = ["server/nginx", "server/netsrv", "server/hypervisor", "server/nic0"].map((path) => box(scene, path));
    order.reduce((above, below) => {
      assert.ok(above.y + above.height <= below.y, `${above.node.path} is not above ${below.node.path}`);
      return below;
    });
    const stack = ["http-server", "libc", "tcpip", "ixgbe"].map((id) => box(scene, `server/nginx/${id}`).y);
    assert.deepEqual(stack, stack.toSorted((a, b) => a - b));
    const link = scene.wires.find((wire) => wire.kind === "link");
    assert.ok(link?.points.some((point) => point.y > box(scene, "server").y + box(scene, "server").height));
  });

  it("stands the client to the side", () => {
    const server = box(scene, "server");
    assert.ok(box(scene, "client").x >= server.x + server.width);
  });

  it("routes every edge orthogonally, ending on the parts that it joins", () => {
    const { length } = scene.wires.filter((wire) => wire.edge);
    assert.equal(length, 3 + 3 + 1 + 1 + 2 + 1, "calls of three domains, a channel, two bindings, a link");
    for (const wire of scene.wires) {
      wire.points.slice(1).forEach((point, i) => {
        const before = wire.points[i];
        assert.ok(before && (before.x === point.x || before.y === point.y), `${wire.id} runs askew`);
      });
      for (const [path, point] of [[wire.from, wire.points[0]], [wire.to, wire.points.at(-1)]] as const) {
        const end = box(scene, path);
        assert.ok(point && point.x >= end.x && point.x <= end.x + end.width && (point.y === end.y || point.y === end.y + end.height), `${wire.id} misses ${path}`);
      }
    }
  });

  it("passes bindings straight through the hypervisor's band, each at its own IOMMU mark", () => {
    const band = box(scene, "server/hypervisor");
    const bindings = scene.wires.filter((wire) => wire.kind === "binding");
    for (const { guard, points, id } of bindings) {
      assert.ok(guard && guard.y > band.y && guard.y < band.y + band.height);
      for (const { y } of points) assert.ok(y <= band.y || y >= band.y + band.height, `${id} bends inside the band`);
    }
    assert.equal(new Set(bindings.map(({ guard }) => guard?.x)).size, bindings.length);
  });

  for (const sample of SAMPLES) {
    it(`lets no wire run through what a box says of itself: ${sample}`, async () => {
      const picture = await sceneOf(readFileSync(`samples/${sample}.exo.yaml`, "utf8"));
      const measure = (label: string): number => label.length * 7;
      for (const each of picture.boxes.filter(({ node }) => node.kind === "domain")) {
        // Icon and name on the left of the head line, the caption on its right.
        const [left, right] = [each.x + 10 + 16 + 6 + measure(each.node.label), each.x + each.width - 10 - measure(each.node.caption)];
        for (const wire of picture.wires.filter(({ kind }) => kind !== "call" && kind !== "switch")) {
          wire.points.slice(1).forEach((point, i) => {
            const before = wire.points[i]!;
            const [top, bottom] = [Math.min(before.y, point.y), Math.max(before.y, point.y)];
            if (point.x !== before.x || bottom <= each.y || top >= each.y + HEADER.domain || point.x < each.x || point.x > each.x + each.width) return;
            assert.ok(point.x > left && point.x < right, `${wire.id} runs through the name of ${each.node.path}`);
          });
        }
        for (const other of picture.boxes) if (other !== each && other.node.parent === each.node.parent) assert.ok(apart(each, other), `${each.node.path} covers ${other.node.path}`);
      }
    });
  }

  it("keeps the names of links off the other links", async () => {
    const picture = await sceneOf(readFileSync("samples/netfront/bridge.exo.yaml", "utf8"));
    const links = picture.wires.filter(({ kind }) => kind === "link");
    assert.equal(links.length, 2);
    for (const { caption, id } of links) {
      for (const other of links) {
        if (other.id === id) continue;
        // Down from a port, across, up to the client: a lane below is crossed by nothing from above.
        const deepest = Math.max(...other.points.map(({ y }) => y));
        for (const { x } of other.points) assert.ok(deepest < caption!.y || Math.abs(x - caption!.x) > 50, `${other.id} runs through the name of ${id}`);
      }
    }
  });

  it("draws a driver that waits for a function of a device to the device", async () => {
    const picture = await sceneOf(readFileSync("samples/switching/vf-scarcity.exo.yaml", "utf8"));
    const waiting = picture.wires.filter(({ kind, to }) => kind === "binding" && to === "server/nic0");
    assert.equal(waiting.length, 3);
    for (const { idle, points } of waiting) {
      const device = box(picture, "server/nic0");
      assert.ok(idle);
      assert.equal(points.at(-1)?.y, device.y);
    }
  });

  it("makes of a stack one block: uplinks side by side take the width of one layer", async () => {
    for (const sample of ["switching/by-hand", "switching/vf-scarcity", "librettos/shared-address"]) {
      const picture = await sceneOf(readFileSync(`samples/${sample}.exo.yaml`, "utf8"));
      let shared = 0;
      for (const domain of picture.boxes.filter(({ node }) => node.kind === "domain")) {
        const rows = new Map<number, Box[]>();
        for (const tile of picture.boxes.filter(({ node }) => node.parent === domain.node.path)) rows.set(tile.y, [...(rows.get(tile.y) ?? []), tile]);
        for (const row of rows.values()) {
          if (row.length > 1) shared++;
          const [left, right] = [Math.min(...row.map(({ x }) => x)), Math.max(...row.map(({ x, width }) => x + width))];
          assert.ok(Math.abs(left - domain.x - 12) <= 1 && Math.abs(domain.x + domain.width - 12 - right) <= 1, `${sample}: ${row.map(({ node }) => node.path).join(", ")}: ${left - domain.x}, ${domain.x + domain.width - right}`);
        }
      }
      assert.ok(shared > 0, sample);
    }
  });

  it("gives the same picture for the same text", async () => {
    assert.deepEqual(await sceneOf(SAMPLE), scene);
  });

  it("keeps boxes in their order when an edit elsewhere takes an edge away", async () => {
    const other = await sceneOf(SAMPLE.replace("bind: nic0.vf0", "bind: nic0.vf7"));
    for (const picture of [scene, other]) assert.ok(box(picture, "server/nginx").x < box(picture, "server/redis").x);
  });

  it("keeps pinned domains in the order of their pins, and a pinned host at its place", async () => {
    const swapped = box(scene, "server/nginx").x < box(scene, "server/redis").x ? ["redis", "nginx"] : ["nginx", "redis"];
    const pins = `layout:\n  pins:\n    server/${swapped[0]}: [0, 0]\n    server/${swapped[1]}: [500, 0]\n`;
    const pinned = await sceneOf(SAMPLE + pins);
    assert.ok(box(pinned, `server/${swapped[0]}`).x < box(pinned, `server/${swapped[1]}`).x);
  });
});
