import type { EventDetail, EventLink, SliceRange, Slices } from "../../engine/trace/timelineQuery";
import type { Outage } from "../../engine/trace/outages";
import { NO_VCPU, type TraceNames } from "../../engine/trace/trace";
import { drawFlow } from "./flow";
import { LaneRaster, packed } from "./laneRaster";
import type { Ink, Palette } from "./palette";
import type { Tiles } from "./tiles";
import type { TrackRow } from "./trackTree";
import type { Viewport } from "./viewport";

/** Narrower slices go into the raster; wider ones get a box of their own, device pixels. */
const BOX_WIDTH = 3;
/** Narrower boxes carry no label, CSS pixels. */
const LABEL_WIDTH = 26;
const PAD = 3;

export interface ChartScene {
  readonly viewport: Viewport;
  readonly rows: readonly TrackRow[];
  readonly scrollTop: number;
  /** CSS pixels. */
  readonly height: number;
  readonly ratio: number;
  readonly names: TraceNames;
  /** What work on a pCPU is called that no vCPU does. */
  readonly hypervisor: string;
  readonly palette: Palette;
  readonly tiles: Tiles;
  /** Slices of the packets' lanes: not tiled, there are few. */
  readonly packets: Slices | undefined;
  readonly outages: readonly Outage[];
  readonly cursorRow: number;
  readonly currentPacket: number;
  readonly selection: EventDetail | undefined;
  readonly hoverRow: number;
  /** Functions that a search looks for; the others step back. Undefined: no search. */
  readonly highlight: ReadonlySet<number> | undefined;
}

interface Box {
  readonly lane: Lane;
  readonly x0: number;
  readonly x1: number;
  readonly slices: Slices;
  readonly index: number;
}

interface Lane {
  readonly row: TrackRow;
  readonly track: number;
  readonly lane: number;
  readonly isPcpu: boolean;
  /** CSS pixels in the canvas. */
  readonly top: number;
  readonly height: number;
  readonly labels: boolean;
}

/** Draws the tracks. Costs O(pixels) a frame: see {@link LaneRaster} and the tiles. */
export class Chart {
  private readonly raster = new LaneRaster();
  private readonly widths = new Map<string, number>();
  private font = "";

  draw(context: CanvasRenderingContext2D, scene: ChartScene): void {
    const { ratio, palette, viewport } = scene;
    const width = Math.round(viewport.width * ratio);
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, Math.round(scene.height * ratio));
    context.imageSmoothingEnabled = false;
    this.setFont(context, palette, ratio);
    const lanes = visibleLanes(scene);
    this.drawRows(context, scene, width);
    const boxes: Box[] = [];
    const marks: { lane: Lane; x: number }[] = [];
    this.raster.begin(width, lanes.length);
    lanes.forEach((lane, k) => {
      this.collect(scene, lane, width, boxes, marks);
      this.raster.finishLane(k, palette.background);
    });
    this.raster.upload();
    lanes.forEach((lane, k) => {
      this.raster.drawLane(context, k, Math.round(lane.top * ratio), Math.max(1, Math.round(lane.height * ratio)));
    });
    for (const box of boxes) this.drawBox(context, scene, box);
    for (const { lane, x } of marks) drawMark(context, palette, x, lane.top * ratio, ratio);
    this.drawSelection(context, scene, lanes);
  }

  private setFont(context: CanvasRenderingContext2D, palette: Palette, ratio: number): void {
    const font = palette.font.replace(/^([\d.]+)px/, (_, size: string) => `${Number(size) * ratio}px`);
    if (font !== this.font) this.widths.clear();
    this.font = context.font = font;
    context.textBaseline = "middle";
  }

  private drawRows(context: CanvasRenderingContext2D, scene: ChartScene, width: number): void {
    const { ratio, palette } = scene;
    for (const row of scene.rows) {
      const y = Math.round((row.top - scene.scrollTop) * ratio);
      const height = Math.round(row.height * ratio);
      if (y + height < 0 || y > scene.height * ratio) continue;
      if (row.level === 0 && row.expanded !== undefined) {
        context.fillStyle = palette.wash({ rgb: palette.foreground, css: "fg", text: "" }, 0.07).css;
        context.fillRect(0, y, width, height);
      }
      context.fillStyle = palette.hairline;
      context.globalAlpha = 0.5;
      context.fillRect(0, y + height - 1, width, 1);
      context.globalAlpha = 1;
      for (const { domain, from, to } of scene.outages) {
        if (domain !== row.home) continue;
        const left = Math.max(0, scene.viewport.x(from) * ratio);
        const right = Math.min(width, to === undefined ? width : scene.viewport.x(to) * ratio);
        if (right > left) drawOutage(context, palette, left, y, right - left, height - 1, ratio);
      }
    }
  }

  /** Sorts a lane's slices: the narrow ones into the raster, the wide ones into `boxes`. */
  private collect(scene: ChartScene, lane: Lane, width: number, boxes: Box[], marks: { lane: Lane; x: number }[]): void {
    const { viewport, ratio, palette, tiles } = scene;
    const perPixel = viewport.scale / ratio;
    const problem = packed(palette.problem);
    let lastRow = -1;
    let lastStart = NaN;
    const add = (slices: Slices, range: SliceRange, from: number, to: number): void => {
      const end = range.offset + range.count;
      const { start, end: ends, key, fill } = slices;
      for (let i = firstEndingAfter(ends, range.offset, end, from); i < end; i++) {
        if (start[i]! >= to) break;
        const wide = lane.labels && (ends[i]! - start[i]!) / perPixel >= BOX_WIDTH;
        // One event in whole: not cut at the tile's edges, and drawn by the first tile only that it is in.
        const whole = wide && (fill[i] === 255 || lane.row.packet >= 0);
        const x0 = ((whole ? start[i]! : Math.max(start[i]!, from)) - viewport.from) / perPixel;
        const x1 = ((whole ? ends[i]! : Math.min(ends[i]!, to)) - viewport.from) / perPixel;
        if (x1 < 0 || x0 > width) continue;
        if (wide) {
          if (whole && slices.row[i] === lastRow && start[i] === lastStart) continue;
          lastRow = slices.row[i]!;
          lastStart = start[i]!;
          boxes.push({ lane, x0, x1, slices, index: i });
        } else {
          const color = !lane.isPcpu && palette.isProblem(key[i]!) ? problem : packed(this.inkOf(scene, lane, slices, i));
          this.raster.add(Math.max(0, x0), Math.min(width - 0.01, x1), fill[i]! / 255, color);
        }
      }
    };
    if (lane.row.packet >= 0) {
      const range = scene.packets?.ranges.find((r) => r.track === lane.track);
      if (scene.packets && range) add(scene.packets, range, 0, Infinity);
      return;
    }
    tiles.best(lane.track, tiles.levelFor(perPixel), viewport.from, viewport.to, ({ answer, ranges }, from, to) => {
      const range = ranges.find((r) => r.lane === lane.lane);
      if (range) add(answer.slices, range, from, to);
      if (lane.lane > 0) return;
      for (const [k, time] of answer.marks.time.entries()) {
        if (answer.marks.track[k] === lane.track && time >= from && time < to) marks.push({ lane, x: (time - viewport.from) / perPixel });
      }
    });
  }

  private inkOf(scene: ChartScene, lane: Lane, slices: Slices, i: number): Ink {
    const { palette, highlight } = scene;
    const key = slices.key[i]!;
    if (lane.isPcpu) return key === NO_VCPU ? palette.scheduling : palette.wash(palette.ofVcpu(key), highlight ? 0.2 : 0.6);
    const ink = palette.ofFunction(key);
    return highlight && !highlight.has(key) ? palette.wash(ink, 0.2) : ink;
  }

  private drawBox(context: CanvasRenderingContext2D, scene: ChartScene, { lane, x0, x1, slices, index }: Box): void {
    const { ratio, palette } = scene;
    const left = Math.max(-8, Math.round(x0));
    const right = Math.min(Math.round(scene.viewport.width * ratio) + 8, Math.round(x1));
    // One pixel is left free between neighbours.
    const width = Math.max(1, right - left - (right - left > 4 ? 1 : 0));
    const top = Math.round(lane.top * ratio);
    const height = Math.round(lane.height * ratio);
    const ink = this.inkOf(scene, lane, slices, index);
    const fill = slices.fill[index]! / 255;
    const isPacket = lane.row.packet >= 0;
    const ground = fill < 0.98 ? palette.wash(ink, isPacket ? 0.25 : 0.3 + 0.7 * fill) : ink;
    context.fillStyle = ground.css;
    context.fillRect(left, top, width, height);
    if (isPacket && fill < 0.98 && fill > 0) {
      context.fillStyle = ink.css;
      context.fillRect(left, top, Math.max(1, Math.round((x1 - x0) * fill)), height);
    }
    if (lane.isPcpu && slices.key[index] !== NO_VCPU) {
      context.fillStyle = palette.ofVcpu(slices.key[index]!).css;
      context.fillRect(left, top, width, Math.max(1, Math.round(2 * ratio)));
    }
    if (palette.border) {
      context.strokeStyle = palette.border;
      context.lineWidth = 1;
      context.strokeRect(left + 0.5, top + 0.5, width - 1, height - 1);
    }
    if (!isPacket && scene.currentPacket >= 0 && slices.packet[index] === scene.currentPacket) {
      context.fillStyle = palette.packet.css;
      context.fillRect(left, top + height - Math.round(3 * ratio), width, Math.round(3 * ratio));
    }
    if (slices.row[index] === scene.hoverRow) outline(context, palette.quiet, left, top, width, height, ratio);
    if (slices.row[index] === scene.cursorRow) outline(context, palette.packet.css, left, top, width, height, 2 * ratio);
    if (lane.height < 12) return;
    // In a packet's lane work and waiting differ in colour: the label goes where there is more room.
    const worked = isPacket ? Math.round((x1 - x0) * fill) : 0;
    const inWork = worked * 2 > x1 - x0;
    const from = Math.max(0, left + (isPacket && !inWork ? worked : 0));
    const to = Math.min(scene.viewport.width * ratio, left + (isPacket && inWork ? worked : width));
    if (to - from < LABEL_WIDTH * ratio) return;
    const text = this.labelOf(context, scene, lane, slices, index, to - from - 8 * ratio);
    this.drawLabel(context, text, isPacket && inWork ? ink.text : ground.text, from + 4 * ratio, top + height / 2 + ratio * 0.5, to - from - 8 * ratio);
  }

  /** What a box says: on a packet's lane the component and, where there is room, the function. */
  private labelOf(context: CanvasRenderingContext2D, scene: ChartScene, lane: Lane, slices: Slices, i: number, room: number): string {
    const { functions, vcpus, components } = scene.names;
    if (lane.isPcpu) {
      if (slices.key[i] === NO_VCPU) return scene.hypervisor;
      const path = vcpus[slices.key[i]!]?.path.split("/").slice(1) ?? [];
      return this.widthOf(context, path.join("/")) <= room ? path.join("/") : (path[0] ?? "");
    }
    const name = functions[slices.key[i]!]?.name ?? "";
    if (lane.row.packet < 0) return name;
    const path = components[slices.place[i]!]?.path.split("/") ?? [];
    const long = `${path.slice(-2).join("/")} · ${name}`;
    const middle = path.slice(-2).join("/");
    return [long, middle].find((text) => this.widthOf(context, text) <= room) ?? path.at(-1) ?? "";
  }

  private drawLabel(context: CanvasRenderingContext2D, text: string, color: string, x: number, y: number, room: number): void {
    let shown = text;
    if (this.widthOf(context, text) > room) {
      const letters = Math.floor((text.length * room) / this.widthOf(context, text)) - 1;
      if (letters < 2) return;
      shown = `${text.slice(0, letters)}…`;
    }
    context.fillStyle = color;
    context.fillText(shown, x, y);
  }

  private widthOf(context: CanvasRenderingContext2D, text: string): number {
    let width = this.widths.get(text);
    if (width === undefined) this.widths.set(text, (width = context.measureText(text).width));
    return width;
  }

  /** The selected event's outline, and arrows from what asked for it and what it waited for. */
  private drawSelection(context: CanvasRenderingContext2D, scene: ChartScene, lanes: readonly Lane[]): void {
    const { selection, viewport, ratio, palette } = scene;
    if (!selection) return;
    const at = (event: EventLink, time: number): { x: number; y: number } | undefined => {
      const lane = lanes.find((l) => l.track === event.track && l.lane === event.lane);
      return lane && { x: viewport.x(time) * ratio, y: (lane.top + lane.height / 2) * ratio };
    };
    const end = at(selection, selection.begin);
    const lane = lanes.find((l) => l.track === selection.track && l.lane === selection.lane);
    if (!end || !lane) return;
    const from = Math.round(end.x);
    const to = Math.max(from + Math.round(3 * ratio), Math.round(viewport.x(selection.end) * ratio));
    outline(context, palette.selected, from, Math.round(lane.top * ratio), to - from, Math.round(lane.height * ratio), 2 * ratio);
    if (selection.cause) drawFlow(context, at(selection.cause, selection.cause.end), end, palette.quiet, [], ratio);
    if (selection.enabler) drawFlow(context, at(selection.enabler, selection.enabler.end), end, palette.selected, [4, 3], ratio);
  }
}

function visibleLanes(scene: ChartScene): Lane[] {
  const lanes: Lane[] = [];
  const kinds = scene.names.contexts;
  const add = (row: TrackRow, track: number, lane: number, top: number, height: number, labels: boolean): void => {
    lanes.push({ row, track, lane, isPcpu: track < kinds.length && kinds[track]?.kind === "pcpu", top, height, labels });
  };
  for (const row of scene.rows) {
    const top = row.top - scene.scrollTop;
    if (top + row.height < 0 || top > scene.height) continue;
    if (row.track >= 0) {
      const height = (row.height - 2 * PAD + 1) / row.lanes;
      for (let k = 0; k < row.lanes; k++) add(row, row.track, k, top + PAD + k * height, row.lanes > 1 ? height - 1 : height - 1, true);
    } else if (row.expanded === false) {
      const small = row.inside.flatMap((t) => Array.from({ length: t.lanes }, (_, k) => ({ track: t.id, lane: k })));
      const height = (row.height - 2 * PAD) / Math.max(1, small.length);
      small.forEach(({ track, lane }, k) => add(row, track, lane, top + PAD + k * height, height, false));
    }
  }
  return lanes;
}

function firstEndingAfter(ends: Float64Array, low: number, high: number, time: number): number {
  while (low < high) {
    const mid = (low + high) >>> 1;
    if (ends[mid]! < time) low = mid + 1;
    else high = mid;
  }
  return low;
}

function outline(context: CanvasRenderingContext2D, color: string, x: number, y: number, width: number, height: number, thickness: number): void {
  context.strokeStyle = color;
  context.lineWidth = thickness;
  context.strokeRect(x - thickness / 2, y - thickness / 2, width + thickness, height + thickness);
}

/** A time in which the row's domain did not run: hatched, so that it does not depend on colour. */
function drawOutage(context: CanvasRenderingContext2D, palette: Palette, x: number, y: number, width: number, height: number, ratio: number): void {
  context.save();
  context.beginPath();
  context.rect(x, y, width, height);
  context.clip();
  context.fillStyle = palette.down.css;
  context.fillRect(x, y, width, height);
  context.strokeStyle = palette.quiet;
  context.globalAlpha = 0.45;
  context.lineWidth = ratio;
  context.beginPath();
  const step = 8 * ratio;
  // The lines keep their place while the view moves in whole steps.
  for (let at = Math.floor((x - height) / step) * step; at < x + width; at += step) {
    context.moveTo(at, y + height);
    context.lineTo(at + height, y);
  }
  context.stroke();
  context.restore();
}

/** A problem: a triangle that points at its instant, so that it does not depend on colour. */
function drawMark(context: CanvasRenderingContext2D, palette: Palette, x: number, y: number, ratio: number): void {
  context.fillStyle = palette.problem.css;
  context.beginPath();
  context.moveTo(x - 4 * ratio, y - 3 * ratio);
  context.lineTo(x + 4 * ratio, y - 3 * ratio);
  context.lineTo(x, y + 4 * ratio);
  context.fill();
}
