import { zoom, zoomIdentity, type Selection, type ZoomBehavior, type ZoomTransform } from "d3";
import { motion } from "../ui/motion";
import type { Rect } from "./scene";

/** What is kept over hiding and restarts. */
export interface ViewportState {
  readonly x: number;
  readonly y: number;
  readonly k: number;
  /** The user has not moved it: it follows the size of diagram and window. */
  readonly fitted: boolean;
}

export function isViewportState(value: unknown): value is ViewportState {
  if (typeof value !== "object" || value === null) return false;
  const numbers = ["x", "y", "k"].every((key) => Number.isFinite(Reflect.get(value, key)));
  return numbers && typeof Reflect.get(value, "fitted") === "boolean";
}

const MARGIN = 16;
const SMALLEST = 0.05;
const LARGEST = 4;
/** A small design is not blown up: text larger than the editor's looks wrong beside it. */
const FIT_LARGEST = 1.25;
const STEP = 1.25;
const PAN = 60;

/** Zooming and panning by wheel, pinch, pointer and call. */
export class Viewport {
  private readonly behaviour: ZoomBehavior<SVGSVGElement, unknown>;
  private transform: ZoomTransform = zoomIdentity;
  private content: Rect = { x: 0, y: 0, width: 0, height: 0 };
  private fitted = true;
  /** Height at the lower edge that other things cover, CSS pixels. */
  private covered = 0;
  /** Whether a press there takes hold of something: then it is dragged, and the page stays. */
  claims: (event: MouseEvent) => boolean = () => false;
  /** The window has another size, and shows what the user has chosen. */
  resized: () => void = () => undefined;
  /** A transform that we set, not the user. */
  private setting = false;

  constructor(
    private readonly svg: Selection<SVGSVGElement, unknown, null, undefined>,
    page: Selection<SVGGElement, unknown, null, undefined>,
    private readonly onChange: (state: ViewportState) => void,
  ) {
    this.behaviour = zoom<SVGSVGElement, unknown>()
      .scaleExtent([SMALLEST, LARGEST])
      .filter((event: Event) => this.accepts(event))
      .on("zoom", ({ transform }: { transform: ZoomTransform }) => {
        this.transform = transform;
        page.attr("transform", transform.toString());
        if (!this.setting) this.fitted = false;
      })
      .on("end", () => this.onChange(this.state()));
    svg.call(this.behaviour).on("dblclick.zoom", null);
    new ResizeObserver(() => {
      if (this.fitted) this.fit(false);
      else this.resized();
    }).observe(svg.node() ?? document.body);
  }

  state(): ViewportState {
    const { x, y, k } = this.transform;
    return { x, y, k, fitted: this.fitted };
  }

  restore(state: ViewportState): void {
    this.set(zoomIdentity.translate(state.x, state.y).scale(state.k), 0, state.fitted);
  }

  /** The drawing changed: follow its size as long as the user has not chosen a view. */
  contentChanged(content: Rect, animate: boolean): void {
    this.content = content;
    if (this.fitted) this.fit(animate);
  }

  /** What stands over the lower edge (legend, packet, buttons) has this height now. */
  coverBottom(height: number): void {
    if (height === this.covered) return;
    this.covered = height;
    if (this.fitted) this.fit(false);
    else this.resized();
  }

  fit(animate = true): void {
    const { width, height } = this.size();
    if (width === 0 || height === 0 || this.content.width === 0) return;
    const { x, y, width: w, height: h } = this.content;
    const room = { width: width - 2 * MARGIN, height: height - 2 * MARGIN - this.covered };
    const k = Math.max(SMALLEST, Math.min(FIT_LARGEST, room.width / w, room.height / h));
    const left = (width - w * k) / 2 - x * k;
    const top = MARGIN + Math.max(0, (room.height - h * k) / 2) - y * k;
    this.set(zoomIdentity.translate(Math.round(left), Math.round(top)).scale(k), animate ? 200 : 0, true);
  }

  zoomBy(direction: 1 | -1): void {
    const { width, height } = this.size();
    const k = Math.min(LARGEST, Math.max(SMALLEST, this.transform.k * (direction > 0 ? STEP : 1 / STEP)));
    const [cx, cy] = this.transform.invert([width / 2, height / 2]);
    this.set(zoomIdentity.translate(width / 2 - cx * k, height / 2 - cy * k).scale(k), 120, false);
  }

  /** @param right,down steps of the view over the page. */
  panBy(right: number, down: number): void {
    const { x, y, k } = this.transform;
    this.set(zoomIdentity.translate(x - right * PAN, y - down * PAN).scale(k), 80, false);
  }

  /** Moves the page just so far that `rect` can be seen. */
  reveal(rect: Rect): void {
    const { width, height } = this.size();
    const { x, y, k } = this.transform;
    const left = rect.x * k + x;
    const top = rect.y * k + y;
    const shift = (low: number, high: number, from: number, to: number): number =>
      high - low > to - from || low < from ? from - low : high > to ? to - high : 0;
    const dx = shift(left, left + rect.width * k, MARGIN, width - MARGIN);
    const dy = shift(top, top + rect.height * k, MARGIN, height - MARGIN - this.covered);
    const large = rect.width * k > width && left < width && left + rect.width * k > 0;
    if ((dx !== 0 || dy !== 0) && !large) this.set(zoomIdentity.translate(x + dx, y + dy).scale(k), 120, false);
  }

  /** From the window's coordinates to the page's. */
  toPage(clientX: number, clientY: number): { x: number; y: number } {
    const bounds = this.svg.node()?.getBoundingClientRect();
    const [x, y] = this.transform.invert([clientX - (bounds?.left ?? 0), clientY - (bounds?.top ?? 0)]);
    return { x, y };
  }

  private accepts(event: Event): boolean {
    // An uplink under the pointer is dragged; the page stays.
    const onUplink = event.target instanceof Element && event.target.closest(".movable") !== null;
    if (event.type === "wheel") return true;
    const button = event instanceof MouseEvent ? event.button : 0;
    return button === 0 && !onUplink && !(event instanceof MouseEvent && this.claims(event));
  }

  private set(transform: ZoomTransform, duration: number, fitted: boolean): void {
    const apply = (step: ZoomTransform): void => {
      this.setting = true;
      try {
        this.svg.call(this.behaviour.transform, step);
      } finally {
        this.setting = false;
      }
    };
    this.fitted = fitted;
    this.svg.interrupt("view");
    const time = motion(duration);
    if (time === 0) {
      apply(transform);
      return;
    }
    const from = this.transform;
    // d3's own transition of a zoom flies in an arc and reports itself as the user's; a straight glide is calmer.
    this.svg.transition("view").duration(time).tween("view", () => (t: number) => {
      const mix = (a: number, b: number): number => a + (b - a) * t;
      const { x, y, k } = transform;
      apply(t === 1 ? transform : zoomIdentity.translate(mix(from.x, x), mix(from.y, y)).scale(mix(from.k, k)));
    });
  }

  private size(): { width: number; height: number } {
    const node = this.svg.node();
    return { width: node?.clientWidth ?? 0, height: node?.clientHeight ?? 0 };
  }
}
