/** What stands over the page: zoom buttons, legend, notices, the line about the packet, and the empty state. */
import { fill, type DiagramStrings } from "../../protocol/diagramStrings";
import type { CursorView } from "../../protocol/cursor";
import type { Severity, Unreadable } from "../../protocol/diagram";
import { button, progressRing } from "../ui/controls";
import { iconElement } from "../ui/icons";

/** How long a notice about a gesture stays, milliseconds. */
const NOTICE_MS = 6000;

export interface ChromeEvents {
  readonly zoom: (direction: 1 | -1) => void;
  readonly fit: () => void;
  readonly reveal: (offset: number) => void;
  readonly insertStarter: () => void;
  /** The parts at the lower edge have this height now, CSS pixels. */
  readonly footResized: (height: number) => void;
}

export class Chrome {
  private readonly stale = element("div", "notice stale");
  private readonly notice = element("div", "notice");
  private readonly packet = element("div", "packet-line");
  private readonly legend = element("div", "legend");
  private readonly cover = element("div", "cover");
  private timer: number | undefined;

  constructor(parent: HTMLElement, private readonly strings: DiagramStrings, private readonly events: ChromeEvents) {
    const zoom = element("div", "zoom-buttons");
    zoom.append(
      button({ label: strings.zoomOut, icon: "zoom-out", appearance: "icon", onClick: () => events.zoom(-1) }),
      button({ label: strings.zoomIn, icon: "zoom-in", appearance: "icon", onClick: () => events.zoom(1) }),
      button({ label: strings.fit, icon: "screen-full", appearance: "icon", onClick: () => events.fit() }),
    );
    const notices = element("div", "notices");
    notices.append(this.stale, this.notice);
    const foot = element("div", "foot");
    foot.append(this.packet, this.legend, zoom);
    for (const each of [this.stale, this.notice, this.packet, this.legend]) each.hidden = true;
    this.stale.setAttribute("role", "alert");
    parent.append(notices, foot, this.cover);
    new ResizeObserver(() => events.footResized(foot.offsetHeight)).observe(foot);
    this.loading();
  }

  loading(): void {
    this.cover.hidden = false;
    this.cover.replaceChildren(progressRing(this.strings.loading), text("p", this.strings.loading));
  }

  empty(readOnly: boolean): void {
    this.cover.hidden = false;
    const title = text("h2", this.strings.emptyTitle);
    const parts: HTMLElement[] = [iconElement("type-hierarchy"), title, text("p", this.strings.emptyText)];
    if (!readOnly) parts.push(button({ label: this.strings.insertStarter, appearance: "primary", onClick: this.events.insertStarter }));
    this.cover.replaceChildren(...parts);
  }

  /** Nothing has been drawn yet, and the text cannot be. */
  unreadable(problem: Unreadable): void {
    this.cover.hidden = false;
    this.cover.replaceChildren(
      iconElement("error"),
      text("p", fill(this.strings.unreadable, problem.place.line, problem.place.column, problem.message)),
      button({ label: this.strings.goThere, onClick: () => this.events.reveal(problem.place.offset) }),
    );
  }

  /** A diagram is there. */
  drawn(): void {
    this.cover.hidden = true;
    this.legend.hidden = false;
  }

  /** The picture is older than the text, or not any more. */
  showStale(problem: Unreadable | undefined): void {
    this.stale.hidden = problem === undefined;
    if (!problem) return;
    this.stale.replaceChildren(
      iconElement("warning"),
      text("span", fill(this.strings.stale, problem.place.line, problem.place.column, problem.message)),
      button({ label: this.strings.goThere, onClick: () => this.events.reveal(problem.place.offset) }),
    );
  }

  /** A sentence about a gesture; it goes by itself. */
  say(severity: Severity, message: string): void {
    window.clearTimeout(this.timer);
    this.notice.hidden = false;
    this.notice.className = `notice ${severity}`;
    this.notice.replaceChildren(
      iconElement(severity), text("span", message),
      button({ label: this.strings.dismiss, icon: "close", appearance: "icon", onClick: () => this.quiet() }),
    );
    this.timer = window.setTimeout(() => this.quiet(), NOTICE_MS);
  }

  quiet(): void {
    window.clearTimeout(this.timer);
    this.notice.hidden = true;
  }

  showPacket(cursor: CursorView | undefined): void {
    this.packet.hidden = cursor === undefined;
    if (!cursor) return;
    const where = cursor.component.slice(cursor.component.indexOf("/") + 1);
    this.packet.replaceChildren(element("span", "packet-dot"), text("span", cursor.packetSummary
      ? fill(this.strings.packetAt, cursor.fn, where, cursor.packetSummary)
      : fill(this.strings.packetNone, cursor.fn, where)));
  }

  /** @param kinds what the picture holds: only that is explained. */
  showLegend(kinds: ReadonlySet<LegendKind>): void {
    const entries = LEGEND.filter(([kind]) => kinds.has(kind));
    this.legend.setAttribute("role", "list");
    this.legend.setAttribute("aria-label", this.strings.legend);
    this.legend.replaceChildren(...entries.map(([kind, key]) => {
      const item = element("span", "legend-item");
      item.setAttribute("role", "listitem");
      item.append(element("span", `swatch ${kind}`), text("span", this.strings[key]));
      return item;
    }));
  }
}

export type LegendKind = "boundary" | "call" | "crossing" | "channel" | "binding" | "guard" | "link" | "packet";

const LEGEND: readonly (readonly [LegendKind, keyof DiagramStrings])[] = [
  ["boundary", "legendBoundary"], ["call", "legendCall"], ["crossing", "legendCrossing"], ["channel", "legendChannel"], ["binding", "legendBinding"],
  ["guard", "legendGuard"], ["link", "legendLink"], ["packet", "legendPacket"],
];

function element(name: string, className: string): HTMLElement {
  const made = document.createElement(name);
  made.className = className;
  return made;
}

function text(name: string, content: string): HTMLElement {
  const made = document.createElement(name);
  made.textContent = content;
  return made;
}
