/** Dragging an uplink to another PCI function or network server: from the pointer going down to the drop. */
import type { Selection } from "d3";
import type { DiagramNode, MoveTarget } from "../../protocol/diagram";
import type { Drawing } from "./drawing";
import type { Point, Scene } from "./scene";
import type { Viewport } from "./viewport";

/** A press that moves less than this is a click, CSS pixels. */
export const SLOP = 4;

export interface DragEvents {
  /** The targets are wanted; {@link UplinkDrag.offer} brings them. */
  readonly askTargets: (uplink: string) => void;
  /** Over `target`, over a part that is none (with the reason), or over nothing. */
  readonly hover: (over: { readonly label: string; readonly refusal: string | undefined } | undefined, at: Point) => void;
  readonly started: (uplink: DiagramNode, targets: readonly MoveTarget[]) => void;
  readonly dropped: (uplink: string, target: MoveTarget) => void;
  /** Let go over nothing, or given up with Escape. */
  readonly cancelled: () => void;
  /** Why parts that are no targets refuse. */
  readonly notATarget: string;
  readonly alreadyThere: string;
}

interface Gesture {
  readonly uplink: DiagramNode;
  readonly pointer: number;
  readonly start: Point;
  moving: boolean;
  targets: readonly MoveTarget[] | undefined;
  refusal: string | undefined;
}

export class UplinkDrag {
  private gesture: Gesture | undefined;
  private readonly line: Selection<SVGPathElement, unknown, null, undefined>;

  constructor(
    private readonly drawing: Drawing,
    private readonly viewport: Viewport,
    private readonly scene: () => Scene | undefined,
    private readonly events: DragEvents,
  ) {
    this.line = drawing.overlay.append("path").attr("class", "drag-line");
    const svg = drawing.svg.node();
    svg?.addEventListener("pointerdown", (event) => this.press(event));
    svg?.addEventListener("pointermove", (event) => this.move(event));
    svg?.addEventListener("pointerup", (event) => this.release(event));
    svg?.addEventListener("pointercancel", () => this.end(true));
    window.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.gesture?.moving) this.end(true);
    });
  }

  get active(): boolean {
    return this.gesture?.moving === true;
  }

  /** The extension's answer to `askTargets`. */
  offer(uplink: string, targets: readonly MoveTarget[], refusal: string | undefined): void {
    const gesture = this.gesture;
    if (!gesture || gesture.uplink.path !== uplink) return;
    gesture.targets = targets;
    gesture.refusal = refusal;
    if (gesture.moving) this.showTargets(gesture);
  }

  private press(event: PointerEvent): void {
    if (event.button !== 0 || !(event.target instanceof Element)) return;
    const path = event.target.closest("g.movable")?.getAttribute("data-path");
    const uplink = this.scene()?.boxes.find((box) => box.node.path === path)?.node;
    if (!uplink?.movable) return;
    this.gesture = { uplink, pointer: event.pointerId, start: { x: event.clientX, y: event.clientY }, moving: false, targets: undefined, refusal: undefined };
    this.events.askTargets(uplink.path);
  }

  private move(event: PointerEvent): void {
    const gesture = this.gesture;
    if (!gesture || gesture.pointer !== event.pointerId) return;
    if (!gesture.moving) {
      if (Math.hypot(event.clientX - gesture.start.x, event.clientY - gesture.start.y) < SLOP) return;
      gesture.moving = true;
      this.drawing.svg.node()?.setPointerCapture(event.pointerId);
      this.drawing.svg.classed("dragging", true);
      this.drawing.boxes().classed("drag-source", (box) => box.node.path === gesture.uplink.path);
      if (gesture.targets) this.showTargets(gesture);
    }
    this.drawLine(gesture, event);
    const over = this.under(event, gesture);
    this.drawing.boxes().classed("drop", (box) => over?.target?.path === box.node.path && over.refusal === undefined);
    this.events.hover(over && { label: over.label, refusal: over.refusal }, { x: event.clientX, y: event.clientY });
  }

  private release(event: PointerEvent): void {
    const gesture = this.gesture;
    if (!gesture || gesture.pointer !== event.pointerId) return;
    if (!gesture.moving) {
      this.gesture = undefined;
      return;
    }
    const over = this.under(event, gesture);
    this.end(false);
    if (!over) this.events.cancelled();
    else if (over.target) this.events.dropped(gesture.uplink.path, over.target);
    else this.events.dropped(gesture.uplink.path, { path: over.path, label: over.label, refusal: over.refusal, current: false });
  }

  private end(cancelled: boolean): void {
    const wasMoving = this.gesture?.moving === true;
    this.gesture = undefined;
    this.line.attr("d", null);
    this.drawing.svg.classed("dragging", false);
    this.drawing.boxes().classed("drag-source", false).classed("possible", false).classed("refused", false).classed("drop", false);
    this.events.hover(undefined, { x: 0, y: 0 });
    if (cancelled && wasMoving) this.events.cancelled();
  }

  private showTargets(gesture: Gesture): void {
    const targets = new Map((gesture.targets ?? []).map((target) => [target.path, target]));
    this.drawing.boxes()
      .classed("possible", (box) => isPossible(targets.get(box.node.path)))
      .classed("refused", (box) => targets.has(box.node.path) && !isPossible(targets.get(box.node.path)));
    this.events.started(gesture.uplink, gesture.targets ?? []);
  }

  private drawLine(gesture: Gesture, event: PointerEvent): void {
    const source = this.scene()?.boxes.find((box) => box.node.path === gesture.uplink.path);
    if (!source) return;
    const to = this.viewport.toPage(event.clientX, event.clientY);
    const x = source.x + source.width / 2;
    const y = to.y < source.y ? source.y : source.y + source.height;
    const bend = (y + to.y) / 2;
    this.line.attr("d", `M${x},${y}C${x},${bend} ${to.x},${bend} ${to.x},${to.y}`);
  }

  /** What lies under the pointer: a target, or the reason why this part is none. */
  private under(event: PointerEvent, gesture: Gesture): { path: string; label: string; target: MoveTarget | undefined; refusal: string | undefined } | undefined {
    const element = document.elementsFromPoint(event.clientX, event.clientY).map((each) => each.closest("g.box")).find((each) => each !== null);
    const path = element?.getAttribute("data-path");
    const node = this.scene()?.boxes.find((box) => box.node.path === path)?.node;
    // Hosts are the page's ground: letting go there is letting go over nothing.
    if (!node || node.kind === "host" || node.path === gesture.uplink.path) return undefined;
    const targets = gesture.targets ?? [];
    const inside = targets.filter((target) => target.path.startsWith(`${node.path}/`));
    // A domain with one network server stands for it; functions that are not drawn stand for their device.
    const aside = node.type === "more" ? node.parent : node.path;
    const target = targets.find((each) => each.path === aside) ?? (inside.length === 1 ? inside[0] : undefined);
    const refusal = gesture.refusal ?? (target ? (target.current ? this.events.alreadyThere : target.refusal) : this.events.notATarget);
    return { path: node.path, label: target?.label ?? node.label, target: target && { ...target, refusal }, refusal };
  }
}

function isPossible(target: MoveTarget | undefined): boolean {
  return target !== undefined && !target.current && target.refusal === undefined;
}
