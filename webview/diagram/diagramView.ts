/** The diagram as the user meets it: what is drawn, selected, pointed at, and where the packet is. */
import type { CursorView } from "../../protocol/cursor";
import type { DiagramNode } from "../../protocol/diagram";
import type { KeptFocus } from "../ui/keyboard";
import type { Tooltip, TooltipContent } from "../ui/tooltip";
import { Drawing } from "./drawing";
import { neighbour, type Direction } from "./navigate";
import type { Box, Scene, Wire } from "./scene";
import { drawnPath, trailView, type TrailView } from "./trail";
import { motion } from "../ui/motion";
import { Viewport, type ViewportState } from "./viewport";

export interface ViewEvents {
  /** The user chose a part; `focus`: and wants to be taken to it. */
  readonly chosen: (path: string, focus: boolean) => void;
  /** Without a pointer: the user wants to move this uplink. */
  readonly moveWanted: (uplink: DiagramNode) => void;
  /** A part came to be selected or current that is not drawn: it is in a pile. */
  readonly hiddenWanted: (path: string) => void;
  /** Without a pointer: the user wants the box around this part to stand elsewhere. */
  readonly placeWanted: (path: string, direction: Direction) => void;
  /** The box around this part is to stand where it would without a pin. */
  readonly unpinWanted: (path: string) => void;
  /** The next (1) or previous (−1) of the pile around this part is wanted in front. */
  readonly leaf: (path: string, step: 1 | -1) => void;
  readonly viewChanged: (state: ViewportState) => void;
}

const ARROWS: Readonly<Record<string, Direction>> = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };
/** How long the packet's dot takes along the wire that it crossed last, milliseconds. */
const CROSS_MS = 220;

const TILES: ReadonlySet<string> = new Set(["component", "function", "workload"]);

export class DiagramView {
  readonly drawing: Drawing;
  readonly viewport: Viewport;
  scene: Scene | undefined;
  private selected: string | undefined;
  private cursor: CursorView | undefined;
  /** Where the pointer was last, on the screen. */
  private pointer: readonly [number, number] = [-1, -1];

  constructor(parent: HTMLElement, private readonly tooltip: Tooltip, private readonly kept: KeptFocus, private readonly events: ViewEvents) {
    this.drawing = new Drawing(parent);
    this.viewport = new Viewport(this.drawing.svg, this.drawing.page, (state) => events.viewChanged(state));
    this.viewport.resized = () => this.revealCursor();
    const svg = this.drawing.svg.node();
    svg?.addEventListener("keydown", (event) => this.key(event));
    svg?.addEventListener("click", (event) => this.click(event));
    svg?.addEventListener("focusin", (event) => this.focused(event));
    svg?.addEventListener("focusout", () => tooltip.hide());
    svg?.addEventListener("pointerover", (event) => this.point(event));
    svg?.addEventListener("pointerleave", () => tooltip.hide());
    svg?.addEventListener("pointerdown", () => tooltip.hide());
    svg?.addEventListener("wheel", () => tooltip.hide(), { passive: true });
  }

  show(scene: Scene, label: string): void {
    const first = this.scene === undefined;
    this.scene = scene;
    this.drawing.svg.attr("aria-label", label);
    this.drawing.draw(scene);
    this.viewport.contentChanged(scene, !first);
    this.highlight();
  }

  /** Marks a part as selected without telling the extension. */
  select(path: string | undefined): void {
    this.selected = path;
    this.want(path);
    this.highlight();
  }

  showCursor(cursor: CursorView | undefined): void {
    const moved = cursor !== undefined && cursor.row !== this.cursor?.row;
    this.cursor = cursor;
    if (moved) this.want(cursor.component);
    const trail = this.highlight();
    if (moved && trail) this.cross(trail);
    if (moved) this.revealCursor();
  }

  private revealCursor(): void {
    const at = this.cursor && this.boxOf(this.cursor.component);
    if (at) this.viewport.reveal(at);
  }

  focus(path: string): void {
    this.drawing.boxes().filter((box) => box.node.path === path).node()?.focus();
  }

  /** Paths that should be visible, the most wanted last. */
  wanted(): string[] {
    return [this.selected, this.cursor?.component].filter((path) => path !== undefined);
  }

  private want(path: string | undefined): void {
    if (path !== undefined && this.scene && !this.scene.boxes.some((box) => box.node.path === path)) this.events.hiddenWanted(path);
  }

  private highlight(): TrailView | undefined {
    const { scene, cursor, drawing } = this;
    if (!scene) return undefined;
    const drawn = new Set(scene.boxes.map((box) => box.node.path));
    const selected = this.selected === undefined ? undefined : drawnPath(this.selected, drawn);
    const current = cursor && drawnPath(cursor.component, drawn);
    const trail = cursor && trailView(scene, cursor.trail);
    const parts = new Set(trail?.parts);
    const wires = new Set(trail?.wires);
    const roving = selected ?? scene.boxes[0]?.node.path;
    drawing.boxes()
      .classed("selected", (box) => box.node.path === selected)
      .classed("current", (box) => box.node.path === current)
      .classed("trail", (box) => parts.has(box.node.path) && TILES.has(box.node.kind))
      .attr("tabindex", (box) => (box.node.path === roving ? 0 : -1))
      .attr("aria-selected", (box) => String(box.node.path === selected));
    drawing.wires()
      .classed("movable", (wire) => this.movableEnd(wire) !== undefined)
      .attr("data-path", (wire) => this.movableEnd(wire) ?? null)
      .classed("trail", (wire) => wires.has(wire.id))
      .classed("last", (wire) => wire.id === trail?.last?.id)
      // Functions share the last piece of the way to the port: what the packet took lies on top.
      .filter((wire) => wires.has(wire.id)).raise();
    return trail;
  }

  /** The uplink that dragging this wire moves. */
  private movableEnd(wire: Wire): string | undefined {
    if (wire.kind !== "channel" && wire.kind !== "binding") return undefined;
    return this.scene?.boxes.find((box) => box.node.path === wire.from)?.node.movable ? wire.from : undefined;
  }

  /** A dot runs along the wire that the packet has just crossed. */
  private cross(trail: TrailView): void {
    const duration = motion(CROSS_MS);
    const { last } = trail;
    this.drawing.overlay.selectAll("circle.packet").interrupt().remove();
    if (!last || duration === 0) return;
    const line = this.drawing.wires().filter((wire) => wire.id === last.id).select<SVGPathElement>("path.line").node();
    if (!line) return;
    const length = line.getTotalLength();
    const place = (t: number): string => {
      const { x, y } = line.getPointAtLength(length * (last.backwards ? 1 - t : t));
      return `translate(${x},${y})`;
    };
    this.drawing.overlay.append("circle").attr("class", "packet").attr("r", 5).attr("transform", place(0))
      .transition("cross").duration(duration).attrTween("transform", () => place).remove();
  }

  private key(event: KeyboardEvent): void {
    const box = this.focusedBox();
    const direction = ARROWS[event.key];
    if (event.altKey && direction && box && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      this.events.placeWanted(box.node.path, direction);
      event.preventDefault();
      // The editor would go back or forward in its history.
      event.stopPropagation();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (direction && (event.shiftKey || !box)) {
      this.viewport.panBy(direction === "left" ? -1 : direction === "right" ? 1 : 0, direction === "up" ? -1 : direction === "down" ? 1 : 0);
    } else if (direction && box && this.scene) {
      const next = neighbour(this.scene, box.node.path, direction);
      if (next !== undefined) this.choose(next);
    } else if (event.key === "Home" || event.key === "End") {
      const next = event.key === "Home" ? this.scene?.boxes[0] : this.scene?.boxes.at(-1);
      if (next) this.choose(next.node.path);
    } else if (box && (event.key === "PageDown" || event.key === "PageUp")) this.events.leaf(box.node.path, event.key === "PageDown" ? 1 : -1);
    else if (event.key === "+" || event.key === "=") this.viewport.zoomBy(1);
    else if (event.key === "-") this.viewport.zoomBy(-1);
    else if (event.key === "0") this.viewport.fit();
    else if (box?.node.movable && (event.key === "m" || event.key === "M" || event.key === "Enter" || event.key === " ")) this.events.moveWanted(box.node);
    else if (box && (event.key === "u" || event.key === "U")) this.events.unpinWanted(box.node.path);
    else if (box && (event.key === "Enter" || event.key === " ")) this.events.chosen(box.node.path, event.key === "Enter");
    else return;
    event.preventDefault();
  }

  private choose(path: string): void {
    this.select(path);
    this.focus(path);
    this.events.chosen(path, false);
  }

  private click(event: MouseEvent): void {
    const box = this.boxUnder(event.target);
    if (box) this.choose(box.node.path);
  }

  private focused(event: FocusEvent): void {
    const box = this.boxUnder(event.target);
    if (!box || this.kept.returning) return;
    this.viewport.reveal(box);
    const element = event.target;
    if (element instanceof Element && element.matches(":focus-visible")) this.tooltip.show(element.getBoundingClientRect(), describe(box.node));
  }

  private point(event: PointerEvent): void {
    if (!(event.target instanceof Element) || event.buttons !== 0) return;
    // A page that moves under a resting pointer asks for nothing.
    const [x, y] = this.pointer;
    this.pointer = [event.screenX, event.screenY];
    if (x === event.screenX && y === event.screenY) return;
    const at = { left: event.clientX, right: event.clientX, top: event.clientY - 4, bottom: event.clientY + 12 };
    const wireId = event.target.closest("g.wire")?.getAttribute("data-id");
    const edge = this.scene?.wires.find((wire) => wire.id === wireId)?.edge;
    const box = this.boxUnder(event.target);
    if (edge) this.tooltip.show(at, { title: edge.title, rows: edge.details });
    // A large box says what it is beside the pointer, not at its far lower edge.
    else if (box) this.tooltip.show(TILES.has(box.node.kind) ? event.target.getBoundingClientRect() : at, describe(box.node));
    else this.tooltip.hide();
  }

  private focusedBox(): Box | undefined {
    return this.boxUnder(document.activeElement);
  }

  private boxUnder(target: EventTarget | null): Box | undefined {
    const path = target instanceof Element ? target.closest("g.box")?.getAttribute("data-path") : undefined;
    return this.scene?.boxes.find((box) => box.node.path === path);
  }

  private boxOf(path: string): Box | undefined {
    const drawn = new Set(this.scene?.boxes.map((box) => box.node.path));
    const at = drawnPath(path, drawn);
    return this.scene?.boxes.find((box) => box.node.path === at);
  }
}

function describe(node: DiagramNode): TooltipContent {
  return {
    title: node.label,
    subtitle: node.caption || node.path,
    rows: node.details,
    problems: node.mark?.messages.map((message) => ({ severity: node.mark?.severity ?? "info", message })) ?? [],
  };
}
