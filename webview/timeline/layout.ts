import type { TimelineStrings } from "../../protocol/timelineStrings";
import { button } from "../ui/controls";

/** The page's frame: head, body, strip, and the state without a simulation. */
export class Layout {
  /** Scrolls the track list and, under it, the chart. */
  readonly scroller = element("div", "scroller");
  readonly chart = document.createElement("canvas");
  private readonly cursor = element("div", "cursor-line");
  private readonly notice = element("div", "notice");

  constructor(
    readonly root: HTMLElement, strings: TimelineStrings,
    parts: { readonly search: HTMLElement; readonly minimap: HTMLElement; readonly ruler: HTMLElement; readonly tracks: HTMLElement; readonly details: HTMLElement },
    run: () => void,
  ) {
    root.className = "timeline";
    root.setAttribute("aria-label", strings.timeline);
    this.state = "empty";
    this.chart.setAttribute("role", "img");
    this.chart.setAttribute("aria-label", strings.canvasHint);
    this.chart.tabIndex = 0;
    this.cursor.hidden = this.notice.hidden = true;
    this.notice.setAttribute("role", "alert");
    this.scroller.append(parts.tracks, element("div", "chart", this.chart));
    root.append(
      element("div", "header", element("div", "corner", parts.search), element("div", "head", parts.minimap, parts.ruler)),
      element("div", "body", this.scroller, this.cursor, this.notice),
      parts.details,
      emptyState(strings, run),
    );
  }

  set state(state: "empty" | "live") {
    this.root.dataset.state = state;
  }

  /** Says that something failed; an empty text takes it back. */
  complain(text: string): void {
    this.notice.hidden = text === "";
    this.notice.textContent = text;
  }

  /** Puts the cursor's line at `x` of a chart `width` wide, CSS pixels; hides it outside and for undefined. */
  placeCursor(x: number | undefined, width: number, row: number): void {
    const { cursor } = this;
    cursor.hidden = !(x !== undefined && x >= 0 && x <= width);
    if (cursor.hidden) return;
    cursor.dataset.row = String(row);
    cursor.style.transform = `translateX(${x}px)`;
  }

  /** Scrolls as little as it takes to show [top, top + height]. */
  scrollTo(top: number, height: number): void {
    const { scroller } = this;
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (top + height > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = top + height - scroller.clientHeight;
  }
}

function emptyState(strings: TimelineStrings, run: () => void): HTMLElement {
  const title = element("h2", "");
  title.textContent = strings.emptyTitle;
  const text = element("p", "");
  text.textContent = strings.emptyText;
  return element("section", "empty", title, text, button({ label: strings.run, icon: "debug-start", appearance: "primary", onClick: run }));
}

function element(tag: string, className: string, ...children: readonly HTMLElement[]): HTMLElement {
  const made = document.createElement(tag);
  made.className = className;
  made.append(...children);
  return made;
}
