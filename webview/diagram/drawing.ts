/** The SVG: one group a box and one a wire, joined by path and id, so that an edit moves what stays and fades what goes. */
import { select, type Selection } from "d3";
import { motion } from "../ui/motion";
import { drawBox, placeBox } from "./drawBox";
import { drawWire, placeWire } from "./drawWire";
import type { Box, Scene, Wire } from "./scene";

export type BoxSelection = Selection<SVGGElement, Box, SVGGElement, unknown>;
export type WireSelection = Selection<SVGGElement, Wire, SVGGElement, unknown>;

const MOVE_MS = 240;
const FADE_MS = 160;

export class Drawing {
  readonly svg: Selection<SVGSVGElement, unknown, null, undefined>;
  /** Everything that zooms. */
  readonly page: Selection<SVGGElement, unknown, null, undefined>;
  /** What a gesture draws, above all else. */
  readonly overlay: Selection<SVGGElement, unknown, null, undefined>;
  private readonly boxLayer: Selection<SVGGElement, unknown, null, undefined>;
  private readonly wireLayer: Selection<SVGGElement, unknown, null, undefined>;
  private readonly tileLayer: Selection<SVGGElement, unknown, null, undefined>;
  private empty = true;

  constructor(parent: HTMLElement) {
    this.svg = select(parent).append("svg").attr("class", "diagram").attr("role", "tree");
    this.page = this.svg.append("g").attr("class", "page").attr("role", "presentation");
    // Wires run over boxes and under tiles; keyboard and pointer order follow.
    this.boxLayer = this.layer("boxes");
    this.wireLayer = this.layer("wires").attr("aria-hidden", "true");
    this.tileLayer = this.layer("tiles");
    this.overlay = this.layer("overlay").attr("aria-hidden", "true");
  }

  draw(scene: Scene): void {
    const duration = this.empty ? 0 : motion(MOVE_MS);
    this.empty = false;
    const isTile = (box: Box): boolean => box.node.kind === "component" || box.node.kind === "function" || box.node.kind === "workload";
    this.joinBoxes(this.boxLayer, scene.boxes.filter((box) => !isTile(box)), duration);
    this.joinBoxes(this.tileLayer, scene.boxes.filter(isTile), duration);
    this.wireLayer
      .selectAll<SVGGElement, Wire>("g.wire")
      .data(scene.wires, (wire) => wire.id)
      .join(
        (enter) => enter.append("g").call(drawWire).call(placeWire, 0).call(fadeIn, duration),
        (update) => update.call(drawWire).call(placeWire, duration),
        (exit) => exit.call(fadeOut),
      );
  }

  /** All boxes and tiles. */
  boxes(): BoxSelection {
    return this.page.selectAll<SVGGElement, Box>("g.box:not(.leaving)");
  }

  wires(): WireSelection {
    return this.wireLayer.selectAll<SVGGElement, Wire>("g.wire:not(.leaving)");
  }

  private layer(name: string): Selection<SVGGElement, unknown, null, undefined> {
    return this.page.append("g").attr("class", name).attr("role", "presentation");
  }

  private joinBoxes(layer: Selection<SVGGElement, unknown, null, undefined>, boxes: readonly Box[], duration: number): void {
    layer
      .selectAll<SVGGElement, Box>("g.box")
      .data(boxes, (box) => box.node.path)
      .join(
        (enter) => enter.append("g").call(drawBox).call(placeBox, 0).call(fadeIn, duration),
        (update) => update.call(drawBox).call(placeBox, duration),
        (exit) => exit.call(fadeOut),
      )
      .order();
  }
}

function fadeIn<Datum>(entering: Selection<SVGGElement, Datum, SVGGElement, unknown>, duration: number): void {
  if (duration === 0) return;
  entering.style("opacity", 0).transition("fade").duration(FADE_MS).delay(duration / 2).style("opacity", 1).on("end", clear).on("interrupt", clear);
}

function clear(this: SVGGElement): void {
  this.style.removeProperty("opacity");
}

function fadeOut<Datum>(leaving: Selection<SVGGElement, Datum, SVGGElement, unknown>): void {
  leaving.classed("leaving", true).attr("tabindex", null);
  const duration = motion(FADE_MS);
  if (duration === 0) leaving.remove();
  else leaving.transition("fade").duration(duration).style("opacity", 0).remove();
}
