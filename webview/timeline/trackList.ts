import type { TimelineStrings } from "../../protocol/timelineStrings";
import type { Palette } from "./palette";
import type { TrackRow } from "./trackTree";

export interface TrackListActions {
  toggle(row: TrackRow): void;
  /** Walks to another event of the track: one on or back, or to the first or last. */
  walk(row: TrackRow, to: "next" | "previous" | "first" | "last"): void;
  /** Moves the debugger to the selected event. */
  enter(): void;
}

/**
 * The track list: a tree whose rows stand beside the chart's strips. It reaches every event by keyboard, which a canvas
 * alone cannot.
 */
export class TrackList {
  readonly element = document.createElement("div");
  private rows: readonly TrackRow[] = [];
  private active = "";

  constructor(strings: TimelineStrings, private readonly actions: TrackListActions) {
    this.element.className = "tracks";
    this.element.setAttribute("role", "tree");
    this.element.setAttribute("aria-label", strings.tracks);
    this.element.setAttribute("aria-description", strings.tracksHint);
    this.element.addEventListener("keydown", (event) => this.onKey(event));
    this.element.addEventListener("click", (event) => this.onClick(event));
    this.element.addEventListener("focusin", (event) => {
      const row = this.rowOf(event.target);
      if (row) this.activate(row);
    });
  }

  /** Key of the row that has the keyboard focus; undefined where the focus is elsewhere. */
  get activeKey(): string | undefined {
    return this.element.contains(document.activeElement) ? this.active : undefined;
  }

  show(rows: readonly TrackRow[], palette: Palette): void {
    const hadFocus = this.element.contains(document.activeElement);
    const old = new Map([...this.element.children].flatMap((child) => (child instanceof HTMLElement ? [[child.dataset.key ?? "", child] as const] : [])));
    if (!rows.some((r) => r.key === this.active)) this.active = rows[0]?.key ?? "";
    this.rows = rows;
    const elements = rows.map((row) => {
      const element = old.get(row.key) ?? newRow(row.key);
      fillRow(element, row, palette, row.key === this.active);
      return element;
    });
    const same = elements.length === this.element.children.length && elements.every((e, k) => this.element.children[k] === e);
    if (!same) {
      this.element.replaceChildren(...elements);
      if (hadFocus) this.focus();
    }
  }

  focus(): void {
    this.elementOf(this.active)?.focus({ preventScroll: true });
  }

  private elementOf(key: string): HTMLElement | undefined {
    for (const child of this.element.children) if (child instanceof HTMLElement && child.dataset.key === key) return child;
    return undefined;
  }

  private rowOf(target: EventTarget | null): TrackRow | undefined {
    const key = target instanceof Element ? target.closest<HTMLElement>("[data-key]")?.dataset.key : undefined;
    return this.rows.find((r) => r.key === key);
  }

  private activate(row: TrackRow): void {
    const before = this.elementOf(this.active);
    if (before) before.tabIndex = -1;
    this.active = row.key;
    const element = this.elementOf(row.key);
    if (element) element.tabIndex = 0;
  }

  private onClick(event: MouseEvent): void {
    const row = this.rowOf(event.target);
    if (!row) return;
    this.activate(row);
    this.focus();
    if (row.expanded !== undefined) this.actions.toggle(row);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = this.rows.findIndex((r) => r.key === this.active);
    const row = this.rows[at];
    if (!row) return;
    const isGroup = row.expanded !== undefined;
    switch (event.key) {
      case "ArrowDown": this.go(at + 1); break;
      case "ArrowUp": this.go(at - 1); break;
      case "PageDown": this.go(Math.min(this.rows.length - 1, at + 8)); break;
      case "PageUp": this.go(Math.max(0, at - 8)); break;
      case "ArrowRight":
        if (!isGroup) this.actions.walk(row, "next");
        else if (row.expanded) this.go(at + 1);
        else this.actions.toggle(row);
        break;
      case "ArrowLeft":
        if (!isGroup) this.actions.walk(row, "previous");
        else if (row.expanded) this.actions.toggle(row);
        else this.go(this.parentOf(at));
        break;
      case "Home": if (isGroup) this.go(0); else this.actions.walk(row, "first"); break;
      case "End": if (isGroup) this.go(this.rows.length - 1); else this.actions.walk(row, "last"); break;
      case "Enter": if (isGroup) this.actions.toggle(row); else this.actions.enter(); break;
      case " ": if (isGroup) this.actions.toggle(row); break;
      case "Escape": this.go(this.parentOf(at)); break;
      default: return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  private parentOf(at: number): number {
    const level = this.rows[at]?.level ?? 0;
    for (let k = at - 1; k >= 0; k--) if (this.rows[k]!.level < level) return k;
    return at;
  }

  private go(at: number): void {
    const row = this.rows[at];
    if (!row) return;
    this.activate(row);
    const element = this.elementOf(row.key);
    element?.focus({ preventScroll: true });
    element?.scrollIntoView({ block: "nearest" });
  }
}

function newRow(key: string): HTMLElement {
  const element = document.createElement("div");
  element.className = "track";
  element.dataset.key = key;
  element.setAttribute("role", "treeitem");
  const twistie = document.createElement("span");
  twistie.className = "twistie";
  const swatch = document.createElement("span");
  swatch.className = "swatch";
  const label = document.createElement("span");
  label.className = "track-label";
  element.append(twistie, swatch, label);
  return element;
}

function fillRow(element: HTMLElement, row: TrackRow, palette: Palette, active: boolean): void {
  element.style.height = `${row.height}px`;
  element.style.setProperty("--level", String(row.level));
  element.classList.toggle("group", row.expanded !== undefined);
  element.classList.toggle("top", row.level === 0 && row.expanded !== undefined);
  element.classList.toggle("current", row.current);
  element.tabIndex = active ? 0 : -1;
  element.dataset.track = String(row.track);
  set(element, "aria-level", String(row.level + 1));
  set(element, "aria-label", row.path);
  set(element, "title", row.path);
  if (row.expanded === undefined) element.removeAttribute("aria-expanded");
  else set(element, "aria-expanded", String(row.expanded));
  const swatch = element.children[1];
  if (swatch instanceof HTMLElement) {
    swatch.hidden = row.domain === undefined || !row.swatch;
    if (row.domain !== undefined) swatch.style.background = palette.ofDomain(row.domain).css;
  }
  const label = element.children[2];
  if (label && label.textContent !== row.label) label.textContent = row.label;
}

function set(element: HTMLElement, name: string, value: string): void {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
