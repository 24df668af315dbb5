import assert from "node:assert/strict";
import ELK from "elkjs";
import { setPins } from "../../../engine/design/edit";
import { parseDesign } from "../../../engine/design/parse";
import { applyEdits } from "../../../engine/design/yamlEdit";
import { diagramModel } from "../../../extension/editor/diagramModel";
import { fill } from "../../../protocol/diagramStrings";
import { layoutModel } from "../../../webview/diagram/layoutModel";
import { dragged, holds, movedBox, nudged, type Pin } from "../../../webview/diagram/placing";
import type { Box, Scene } from "../../../webview/diagram/scene";
import { readSample } from "../../support/samples";

const elk = new ELK();

async function sceneOf(text: string): Promise<Scene> {
  const { design, problems } = parseDesign(text);
  assert.ok(design);
  return layoutModel(elk, diagramModel(design, problems, fill), new Set(), (label) => label.length * 7);
}

function box(scene: Scene, path: string): Box {
  const found = scene.boxes.find(({ node }) => node.path === path);
  assert.ok(found, path);
  return found;
}

/** The file after the gesture: what the extension writes. */
function written(text: string, pins: readonly Pin[] | undefined): string {
  const edits = setPins(text, new Map(pins?.map(({ path, x, y }) => [path, { x, y }])));
  assert.ok(Array.isArray(edits) && edits.length <= 1);
  return applyEdits(text, edits);
}

/** Domains of the server that serve nobody, from left to right. */
const orderOf = (scene: Scene): string[] => scene.boxes.filter(({ node }) => node.kind === "domain" && node.rank === 0 && node.parent === "server").sort((a, b) => a.x - b.x).map(({ node }) => node.label);

describe("placing boxes of the diagram", () => {
  // ELK compiles itself the first time.
  const { text } = readSample("switching/vf-scarcity.exo.yaml");

  it("moves the box around a tile; a host by its head line only, and no hypervisor", async () => {
    const scene = await sceneOf(text);
    assert.equal(movedBox(scene, `${orderPath(scene, 0)}/tcpip`)?.node.path, orderPath(scene, 0));
    assert.equal(movedBox(scene, "server/nic0/pf")?.node.path, "server/nic0");
    assert.equal(movedBox(scene, "server/hypervisor"), undefined);
    const server = box(scene, "server");
    assert.ok(holds(server, { x: server.x + 5, y: server.y + 5 }));
    assert.ok(!holds(server, { x: server.x + 5, y: server.y + server.height - 5 }));
    const client = scene.boxes.find(({ node }) => node.kind === "client")!;
    assert.ok(holds(client, { x: client.x + 5, y: client.y + client.height - 5 }));
  });

  it("puts a domain where it is dropped among those of its row, whatever was moved before", async () => {
    let file = text;
    let scene = await sceneOf(file);
    let seed = 5;
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return (seed >>> 8) % below;
    };
    assert.ok(orderOf(scene).length >= 3);
    for (let i = 0; i < 8; i++) {
      const before = orderOf(scene);
      const from = random(before.length);
      const to = random(before.length);
      const moved = box(scene, `server/${before[from]!}`);
      const target = box(scene, `server/${before[to]!}`);
      // Past the middle of the one whose place it takes.
      const past = to > from ? 5 : -5;
      const by = { x: to === from ? 0 : target.x + target.width / 2 + past - (moved.x + moved.width / 2), y: 17 };
      file = written(file, dragged(scene, moved, by).pins);
      scene = await sceneOf(file);
      const expected = before.toSpliced(from, 1).toSpliced(to, 0, before[from]!);
      assert.deepEqual(orderOf(scene), expected, `drag ${i}: ${before[from]} to ${to}`);
    }
  });

  it("moves a domain one place by key, and back; nothing happens at the end of the row, nor up", async () => {
    let file = text;
    let scene = await sceneOf(file);
    const start = orderOf(scene);
    const path = `server/${start[0]!}`;
    assert.equal(nudged(scene, box(scene, path), "left"), undefined);
    assert.equal(nudged(scene, box(scene, path), "up"), undefined);
    // To and fro until no number is left between its neighbours: then the row is numbered anew.
    for (let i = 0; i < 16; i++) {
      const placement = nudged(scene, box(scene, path), i % 2 === 0 ? "right" : "left");
      file = written(file, placement?.pins);
      scene = await sceneOf(file);
      assert.deepEqual(orderOf(scene), i % 2 === 0 ? [start[1], start[0], ...start.slice(2)] : start, `key ${i}`);
    }
  });

  it("writes nothing for a drop where it was", async () => {
    const scene = await sceneOf(text);
    assert.deepEqual(dragged(scene, box(scene, orderPath(scene, 0)), { x: 3, y: 200 }).pins, []);
    assert.deepEqual(dragged(scene, box(scene, "server"), { x: 0.2, y: -0.2 }).pins, []);
  });

  it("leaves a host exactly where it is put, with all that is in it", async () => {
    const scene = await sceneOf(text);
    const before = box(scene, "client");
    const { pins } = dragged(scene, before, { x: -40.4, y: 73 });
    const after = await sceneOf(written(text, pins));
    const at = box(after, "client");
    assert.deepEqual([at.x, at.y], [Math.round(before.x - 40.4), before.y + 73]);
    const tile = (of: Scene): Box => of.boxes.find(({ node }) => node.parent === "client")!;
    assert.deepEqual([tile(after).x - at.x, tile(after).y - at.y], [tile(scene).x - before.x, tile(scene).y - before.y]);
    const pushed = await sceneOf(written(text, nudged(scene, before, "down")?.pins));
    assert.equal(box(pushed, "client").y, before.y + 20);
  });

  it("is undone by taking the pin away: the bytes of the file, and the picture", async () => {
    const scene = await sceneOf(text);
    const moved = box(scene, orderPath(scene, 0));
    const pinned = written(text, nudged(scene, moved, "right")?.pins);
    assert.notEqual(pinned, text);
    const freed = setPins(pinned, new Map([[moved.node.path, undefined]]));
    assert.ok(Array.isArray(freed));
    assert.equal(applyEdits(pinned, freed), text);
  });

  it("says of every part of a pinned box that it is pinned, for its menu", async () => {
    const scene = await sceneOf(`${text}\nlayout: { pins: { ${orderPath(await sceneOf(text), 0)}: [1, 2] } }\n`);
    const path = orderPath(await sceneOf(text), 0);
    for (const { node } of scene.boxes) assert.equal(node.pinned, node.path === path || node.parent === path, node.path);
    assert.ok(box(scene, path).node.details.some(({ value }) => value === "pinned"));
  });

  function orderPath(scene: Scene, at: number): string {
    return `server/${orderOf(scene)[at]!}`;
  }
});
