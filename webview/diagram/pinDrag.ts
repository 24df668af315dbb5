/** Dragging a box to another place: from the pointer going down to the pins that the drop writes. */
import type { Selection } from "d3";
import type { DiagramNode } from "../../protocol/diagram";
import type { Drawing } from "./drawing";
import { dragged, holds, movedBox, type Pin, type Placement } from "./placing";
import type { Box, Point, Scene } from "./scene";
import { SLOP } from "./uplinkDrag";
import type { Viewport } from "./viewport";

export interface PinDragEvents {
  /** Why nothing may be moved; undefined: it may. */
  readonly refusal: () => string | undefined;
  readonly refused: (reason: string) => void;
  readonly started: (box: DiagramNode) => void;
  readonly dropped: (box: DiagramNode, pins: readonly Pin[]) => void;
  /** Let go where it was, or given up with Escape. */
  readonly cancelled: (box: DiagramNode) => void;
}

interface Gesture {
  readonly box: Box;
  readonly pointer: number;
  /** On the screen, and on the page. */
  readonly start: Point;
  readonly from: Point;
  moving: boolean;
  placement: Placement | undefined;
}

export class PinDrag {
  private gesture: Gesture | undefined;
  private readonly ghost: Selection<SVGRectElement, unknown, null, undefined>;
  private readonly mark: Selection<SVGRectElement, unknown, null, undefined>;

  constructor(
    private readonly drawing: Drawing,
    private readonly viewport: Viewport,
    private readonly scene: () => Scene | undefined,
    private readonly events: PinDragEvents,
  ) {
    this.ghost = drawing.overlay.append("rect").attr("class", "drag-ghost").attr("visibility", "hidden");
    this.mark = drawing.overlay.append("rect").attr("class", "drag-gap").attr("visibility", "hidden");
    viewport.claims = (event) => this.boxAt(event) !== undefined;
    const svg = drawing.svg.node();
    svg?.addEventListener("pointerdown", (event) => this.press(event));
    svg?.addEventListener("pointermove", (event) => this.move(event));
    svg?.addEventListener("pointerup", (event) => this.release(event));
    svg?.addEventListener("pointercancel", () => this.end(true));
    window.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.gesture?.moving) this.end(true);
    });
  }

  /** The box that a press there takes hold of. An uplink under the pointer is dragged by itself. */
  private boxAt(event: MouseEvent): Box | undefined {
    const scene = this.scene();
    if (!scene || !(event.target instanceof Element) || event.target.closest(".movable")) return undefined;
    const path = event.target.closest("g.box")?.getAttribute("data-path");
    const box = path === null || path === undefined ? undefined : movedBox(scene, path);
    return box && holds(box, this.viewport.toPage(event.clientX, event.clientY)) ? box : undefined;
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0) return;
    const box = this.boxAt(event);
    if (!box) return;
    const start = { x: event.clientX, y: event.clientY };
    this.gesture = { box, pointer: event.pointerId, start, from: this.viewport.toPage(start.x, start.y), moving: false, placement: undefined };
  }

  private move(event: PointerEvent): void {
    const { gesture } = this;
    const scene = this.scene();
    if (!gesture || !scene || gesture.pointer !== event.pointerId) return;
    if (!gesture.moving) {
      if (Math.hypot(event.clientX - gesture.start.x, event.clientY - gesture.start.y) < SLOP) return;
      const refusal = this.events.refusal();
      if (refusal !== undefined) {
        this.gesture = undefined;
        this.events.refused(refusal);
        return;
      }
      gesture.moving = true;
      this.drawing.svg.node()?.setPointerCapture(event.pointerId);
      this.drawing.svg.classed("dragging placing", true);
      this.events.started(gesture.box.node);
    }
    const { box, from } = gesture;
    const at = this.viewport.toPage(event.clientX, event.clientY);
    const by = { x: at.x - from.x, y: at.y - from.y };
    gesture.placement = dragged(scene, box, by);
    this.ghost.attr("visibility", "visible").attr("x", box.x + by.x).attr("y", box.y + by.y).attr("width", box.width).attr("height", box.height);
    const { kind, rect } = gesture.placement.mark;
    const shown = kind === "gap" && gesture.placement.pins.length > 0;
    this.mark.attr("visibility", shown ? "visible" : "hidden").attr("x", rect.x).attr("y", rect.y).attr("width", rect.width).attr("height", rect.height);
  }

  private release(event: PointerEvent): void {
    const { gesture } = this;
    if (!gesture || gesture.pointer !== event.pointerId) return;
    this.end(false);
    const pins = gesture.placement?.pins ?? [];
    if (pins.length > 0) this.events.dropped(gesture.box.node, pins);
    else if (gesture.moving) this.events.cancelled(gesture.box.node);
  }

  private end(cancelled: boolean): void {
    const { gesture } = this;
    this.gesture = undefined;
    this.ghost.attr("visibility", "hidden");
    this.mark.attr("visibility", "hidden");
    if (!gesture?.moving) return;
    this.drawing.svg.classed("dragging placing", false);
    if (cancelled) this.events.cancelled(gesture.box.node);
  }
}
