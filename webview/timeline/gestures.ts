/** Further than this, pressing and releasing is a drag and not a click, CSS pixels. */
const DRAG_SLOP = 4;
/** Zoom per pixel of wheel. */
const WHEEL_ZOOM = 0.0025;
const LINE = 16;

export interface GestureActions {
  /** `x`, `y`: CSS pixels in the chart. */
  zoom(factor: number, x: number): void;
  pan(pixels: number): void;
  scroll(pixels: number): void;
  click(x: number, y: number): void;
  hover(x: number, y: number): void;
  leave(): void;
}

/** Mouse, wheel, trackpad and touch on the chart. */
export function listenToGestures(chart: HTMLElement, actions: GestureActions): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let pressed: { x: number; y: number } | undefined;
  let dragging = false;
  const place = (event: MouseEvent): { x: number; y: number } => {
    const box = chart.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  chart.addEventListener("wheel", (event) => {
    const unit = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? LINE : 1;
    // A trackpad's pinch arrives as a wheel with ctrl.
    if (event.ctrlKey || event.altKey || event.metaKey) {
      const delta = Math.max(-200, Math.min(200, (event.deltaY || event.deltaX) * unit));
      actions.zoom(Math.exp(delta * WHEEL_ZOOM * (Math.abs(delta) < 20 ? 4 : 1)), place(event).x);
    } else if (event.shiftKey) actions.pan((event.deltaY || event.deltaX) * unit);
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) actions.pan(event.deltaX * unit);
    else return;
    event.preventDefault();
  }, { passive: false });

  chart.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    pointers.set(event.pointerId, place(event));
    pressed = place(event);
    dragging = false;
    chart.setPointerCapture(event.pointerId);
    actions.leave();
  });
  chart.addEventListener("pointermove", (event) => {
    const at = place(event);
    const before = pointers.get(event.pointerId);
    if (!before) {
      actions.hover(at.x, at.y);
      return;
    }
    if (!dragging && pressed && Math.hypot(at.x - pressed.x, at.y - pressed.y) < DRAG_SLOP) return;
    dragging = true;
    chart.classList.add("dragging");
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const apart = Math.max(8, Math.abs(before.x - other.x));
      actions.zoom(apart / Math.max(8, Math.abs(at.x - other.x)), (at.x + other.x) / 2);
    } else {
      actions.pan(before.x - at.x);
      actions.scroll(before.y - at.y);
    }
    pointers.set(event.pointerId, at);
  });
  const release = (event: PointerEvent): void => {
    if (!pointers.delete(event.pointerId)) return;
    chart.classList.remove("dragging");
    if (!dragging && event.type === "pointerup") actions.click(place(event).x, place(event).y);
    if (pointers.size === 0) pressed = undefined;
  };
  chart.addEventListener("pointerup", release);
  chart.addEventListener("pointercancel", release);
  chart.addEventListener("pointerleave", () => actions.leave());
}
