import type { EventDetail, Track } from "../../engine/trace/timelineQuery";
import { NONE, type TraceNames } from "../../engine/trace/trace";
import type { CursorView } from "../../protocol/cursor";
import type { FromTimeline, TimelineAction, TimelineSimulation, ToTimeline } from "../../protocol/timeline";
import type { TimelineStrings } from "../../protocol/timelineStrings";
import { button, textField } from "../ui/controls";
import type { HostConnection } from "../ui/host";
import { motion } from "../ui/motion";
import { Tooltip } from "../ui/tooltip";
import { Chart } from "./chart";
import { Details, tooltipFor } from "./details";
import { listenToGestures } from "./gestures";
import { listenToKeys } from "./keyboard";
import { Minimap } from "./minimap";
import { PacketWindow } from "./packetWindow";
import { Palette } from "./palette";
import { Questions, Unanswered } from "./questions";
import { resize, RulerView } from "./rulerView";
import { formatTime } from "./timeFormat";
import { Tiles } from "./tiles";
import { TrackList } from "./trackList";
import { trackRows, type TrackRow } from "./trackTree";
import { Viewport } from "./viewport";
import { rememberView, viewOf } from "./memory";
import { fill } from "./wording";

/** How near to an event a click has to be, CSS pixels. */
const PICK = 6;
/** Rows that have to be there before a first window is chosen. */
const ENOUGH_ROWS = 60;
const GLIDE = 160;

/** The timeline: what is shown, and how the parts of it work together. */
export class TimelineView {
  private readonly scroller = document.createElement("div");
  private readonly chartCanvas = document.createElement("canvas");
  private readonly chartContext = this.chartCanvas.getContext("2d");
  private readonly cursorLine = document.createElement("div");
  private readonly notice = document.createElement("div");
  private readonly empty: HTMLElement;
  private readonly searchBox: HTMLElement;
  private readonly viewport = new Viewport();
  private readonly chart = new Chart();
  private readonly rulerView = new RulerView();
  private readonly minimap: Minimap;
  private readonly trackList: TrackList;
  private readonly details: Details;
  private readonly tooltip: Tooltip;
  private readonly questions: Questions;
  private readonly tiles: Tiles;
  private readonly packets: PacketWindow;

  private generation = 0;
  private simulation: TimelineSimulation | undefined;
  private rows = 0;
  private complete = false;
  private cursor: CursorView | undefined;
  private selection: EventDetail | undefined;
  private hover: EventDetail | undefined;
  private hoverAsked = 0;
  private highlight: ReadonlySet<number> | undefined;
  private tracks: readonly Track[] = [];
  private collapsed = new Set<string>();
  private trackRows: readonly TrackRow[] = [];
  private palette: Palette | undefined;
  private settled = false;
  private frame = 0;
  private glide: { readonly from: number; readonly to: number; readonly start: number; readonly fromEnd: number; readonly toEnd: number; readonly lasts: number } | undefined;
  private stale = { rows: true, minimap: true, palette: true };
  private asked = { tracks: false, tracksRows: -1 };

  constructor(private readonly root: HTMLElement, private readonly host: HostConnection<ToTimeline, FromTimeline>, private readonly strings: TimelineStrings) {
    this.questions = new Questions((message) => host.post(message));
    const failed = (error: unknown): void => this.failed(error);
    this.tiles = new Tiles((query) => this.questions.ask(query), () => {
      this.stale.minimap = true;
      this.redraw();
    }, failed);
    this.packets = new PacketWindow((query) => this.questions.ask(query), () => {
      this.stale.rows = true;
      this.redraw();
    }, failed);
    this.minimap = new Minimap({ show: (from, to) => this.show(from, to) });
    this.trackList = new TrackList(strings, {
      toggle: (row) => this.toggle(row),
      walk: (row, to) => void this.walk(row, to),
      enter: () => this.moveHere(),
      focused: () => this.redraw(),
    });
    this.details = new Details(strings, (row) => void this.select(row, true));
    this.searchBox = textField({ label: strings.search, placeholder: strings.search, onInput: (text) => this.onSearch(text) });
    this.searchBox.addEventListener("keydown", (event) => this.onSearchKey(event));
    this.empty = this.emptyState();
    this.build();
    this.tooltip = new Tooltip(document.body);
    this.listen();
    host.onMessage((message) => this.receive(message));
    host.post({ type: "ready" });
  }

  private build(): void {
    const { root, scroller, strings } = this;
    root.className = "timeline";
    root.dataset.state = "empty";
    root.setAttribute("aria-label", strings.timeline);
    const corner = document.createElement("div");
    corner.className = "corner";
    corner.append(this.searchBox);
    const head = document.createElement("div");
    head.className = "head";
    head.append(this.minimap.element, this.rulerView.canvas);
    scroller.className = "scroller";
    const chart = document.createElement("div");
    chart.className = "chart";
    this.chartCanvas.setAttribute("role", "img");
    this.chartCanvas.setAttribute("aria-label", strings.canvasHint);
    this.chartCanvas.tabIndex = 0;
    chart.append(this.chartCanvas);
    scroller.append(this.trackList.element, chart);
    this.cursorLine.className = "cursor-line";
    this.cursorLine.hidden = true;
    this.notice.className = "notice";
    this.notice.hidden = true;
    const body = document.createElement("div");
    body.className = "body";
    body.append(scroller, this.cursorLine, this.notice);
    const header = document.createElement("div");
    header.className = "header";
    header.append(corner, head);
    root.append(header, body, this.details.element, this.empty);
  }

  private emptyState(): HTMLElement {
    const element = document.createElement("section");
    element.className = "empty";
    const title = document.createElement("h2");
    title.textContent = this.strings.emptyTitle;
    const text = document.createElement("p");
    text.textContent = this.strings.emptyText;
    element.append(title, text, button({ label: this.strings.run, icon: "debug-start", appearance: "primary", onClick: () => this.host.post({ type: "run" }) }));
    return element;
  }

  private listen(): void {
    listenToGestures(this.chartCanvas, {
      zoom: (factor, x) => this.change(() => this.viewport.zoom(factor, x)),
      pan: (pixels) => this.change(() => this.viewport.pan(pixels)),
      scroll: (pixels) => (this.scroller.scrollTop += pixels),
      click: (x, y) => void this.pick(x, y, PICK).then((event) => event && this.choose(event)),
      hover: (x, y) => this.onHover(x, y),
      leave: () => this.leave(),
    });
    listenToKeys(document.body, {
      zoom: (factor) => this.change(() => this.viewport.zoom(factor, this.zoomAnchor())),
      pan: (part) => this.change(() => this.viewport.pan(part * this.viewport.width)),
      scroll: (pixels) => (this.scroller.scrollTop += pixels),
      fit: () => this.act("fit"),
      zoomToSelection: () => this.act("zoomToSelection"),
      find: () => this.act("find"),
      moveHere: () => this.moveHere(),
    });
    this.scroller.addEventListener("scroll", () => {
      this.leave();
      this.redraw();
    });
    const resized = (): void => {
      this.stale.minimap = true;
      this.redraw();
    };
    new ResizeObserver(resized).observe(this.root);
    window.matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", resized, { once: true });
    const themed = new MutationObserver(() => {
      this.stale.palette = true;
      this.redraw();
    });
    themed.observe(document.body, { attributes: true, attributeFilter: ["class"] });
    themed.observe(document.documentElement, { attributes: true, attributeFilter: ["style"] });
  }

  private receive(message: ToTimeline): void {
    if (message.type === "simulation") {
      this.start(message.generation, message.simulation);
      return;
    }
    if (message.type === "action") {
      this.act(message.action);
      return;
    }
    if (message.generation !== this.generation) return;
    switch (message.type) {
      case "grew": this.grew(message.rows, message.time, message.complete); break;
      case "cursor": this.moveCursor(message.cursor, message.reveal); break;
      default: this.questions.receive(message);
    }
  }

  private start(generation: number, simulation: TimelineSimulation | undefined): void {
    this.generation = generation;
    this.simulation = simulation;
    this.questions.restart(generation);
    this.tiles.clear();
    this.packets.clear();
    this.tracks = [];
    this.selection = this.hover = this.cursor = this.highlight = undefined;
    this.rows = 0;
    this.complete = this.settled = false;
    this.asked = { tracks: false, tracksRows: -1 };
    this.stale = { rows: true, minimap: true, palette: true };
    this.notice.hidden = true;
    this.leave();
    this.root.dataset.state = simulation ? "live" : "empty";
    if (!simulation) {
      this.redraw();
      return;
    }
    const memory = viewOf(this.host.savedState(), simulation.key);
    this.collapsed = new Set(memory?.collapsed);
    this.cursor = simulation.cursor;
    this.grew(simulation.rows, simulation.time, simulation.complete);
    if (memory) {
      this.viewport.set(memory.from, memory.to);
      this.settled = true;
    } else this.viewport.fit();
    this.details.show(undefined, simulation.names);
    this.moveCursor(simulation.cursor, false);
  }

  private grew(rows: number, time: number, complete: boolean): void {
    this.rows = rows;
    this.complete = complete;
    this.tiles.grew(rows, time, complete);
    this.viewport.setRun(time);
    if (!this.settled) this.viewport.fit();
    this.minimap.label(fill(this.strings.overview, formatTime(time)));
    this.stale.minimap = true;
    void this.settle();
    this.redraw();
  }

  /** Chooses the first window: one in which the events around the cursor can be told apart. The minimap shows the rest. */
  private async settle(): Promise<void> {
    if (this.settled || (this.rows < ENOUGH_ROWS && !this.complete)) return;
    this.settled = true;
    const { generation } = this;
    const event = await this.ask({ kind: "event", row: Math.max(0, this.cursor?.row ?? 0) });
    if (!event || generation !== this.generation) return;
    const room = (event.near.to - event.near.from) * 0.05;
    this.viewport.set(event.near.from - room, event.near.to + room);
    this.redraw();
  }

  private moveCursor(cursor: CursorView | undefined, reveal: boolean): void {
    this.cursor = cursor;
    void this.settle();
    if (cursor) void this.showCursor(cursor.row, cursor.time, reveal);
    else this.redraw();
  }

  private async showCursor(row: number, time: number, reveal: boolean): Promise<void> {
    if (reveal && this.settled) this.revealTime(time);
    this.redraw();
    const event = await this.ask({ kind: "event", row });
    if (!event || this.cursor?.row !== row) return;
    this.setSelection(event);
    if (reveal) this.revealTrack(event.track);
  }

  /** Asks for one event; undefined where there is none or the answer never comes. */
  private async ask(query: Parameters<TimelineView["askEvent"]>[0]): Promise<EventDetail | undefined> {
    try {
      return await this.askEvent(query);
    } catch (error) {
      this.failed(error);
      return undefined;
    }
  }

  private async askEvent(query: Extract<Parameters<Questions["ask"]>[0], { kind: "pick" | "neighbour" | "event" | "find" }>): Promise<EventDetail | undefined> {
    return (await this.questions.ask<"pick" | "neighbour" | "event" | "find">(query)).event;
  }

  private failed(error: unknown): void {
    if (error instanceof Unanswered && error.stale) return;
    this.notice.textContent = fill(this.strings.failed, error instanceof Error ? error.message : String(error));
    this.notice.hidden = false;
  }

  private act(action: TimelineAction): void {
    if (!this.simulation) return;
    switch (action) {
      case "zoomIn": this.change(() => this.viewport.zoom(0.5, this.zoomAnchor())); break;
      case "zoomOut": this.change(() => this.viewport.zoom(2, this.zoomAnchor())); break;
      case "fit": this.glideTo(0, this.viewport.end); break;
      case "zoomToSelection":
        if (this.selection) this.glideTo(this.selection.near.from, this.selection.near.to);
        break;
      case "find": this.searchBox.focus(); break;
    }
  }

  /** Where the keyboard zooms: on the selected event or the cursor where it is in view, else in the middle. */
  private zoomAnchor(): number {
    const { viewport } = this;
    const time = this.selection?.begin ?? this.cursor?.time;
    return time !== undefined && time >= viewport.from && time <= viewport.to ? viewport.x(time) : viewport.width / 2;
  }

  /** The user changes the window. */
  private change(how: () => void): void {
    this.glide = undefined;
    this.settled = true;
    this.leave();
    how();
    this.redraw();
  }

  private show(from: number, to: number): void {
    this.change(() => this.viewport.set(from, to));
  }

  private glideTo(from: number, to: number): void {
    this.settled = true;
    const { viewport } = this;
    const lasts = motion(GLIDE);
    if (lasts === 0) {
      viewport.set(from, to);
      this.glide = undefined;
    } else this.glide = { from: viewport.from, to: viewport.to, start: performance.now(), fromEnd: from, toEnd: to, lasts };
    this.redraw();
  }

  private revealTime(time: number): void {
    const { viewport } = this;
    const margin = viewport.span * 0.04;
    if (time >= viewport.from + margin && time <= viewport.to - margin) return;
    const from = time - viewport.span * 0.4;
    // A far jump is not worth a flight over what lies between.
    if (Math.abs(from - viewport.from) > 2 * viewport.span) {
      this.glide = undefined;
      viewport.set(from, from + viewport.span);
    } else this.glideTo(from, from + viewport.span);
  }

  private revealTrack(track: number): void {
    const row = this.trackRows.find((r) => r.track === track && r.packet < 0);
    if (!row) return;
    const { scrollTop, clientHeight } = this.scroller;
    if (row.top < scrollTop) this.scroller.scrollTop = row.top;
    else if (row.top + row.height > scrollTop + clientHeight) this.scroller.scrollTop = row.top + row.height - clientHeight;
  }

  private setSelection(event: EventDetail | undefined): void {
    this.selection = event;
    if (this.simulation) this.details.show(event, this.simulation.names);
    this.redraw();
  }

  private async select(row: number, reveal: boolean): Promise<void> {
    const event = await this.ask({ kind: "event", row });
    if (!event) return;
    this.setSelection(event);
    if (!reveal) return;
    this.revealTime(event.begin);
    this.revealTrack(event.track);
  }

  /** The user chose an event: the debugger goes there, and everything else with it. */
  private choose(event: EventDetail): void {
    this.setSelection(event);
    this.host.post({ type: "moveCursor", generation: this.generation, row: event.row });
  }

  private moveHere(): void {
    if (this.selection) this.choose(this.selection);
  }

  private async walk(row: TrackRow, to: "next" | "previous" | "first" | "last"): Promise<void> {
    const direction = to === "next" || to === "first" ? 1 : -1;
    const stay = to === "first" || to === "last";
    const here = this.selection;
    let event: EventDetail | undefined;
    if (!stay && here && (here.track === row.track || (row.packet >= 0 && here.packet === row.packet))) {
      event = await this.ask({ kind: "neighbour", track: row.track, row: here.row, direction });
    } else if (stay) event = await this.ask({ kind: "neighbour", track: row.track, row: NONE, direction });
    else {
      // The first step onto a track goes to what is nearest in view.
      const time = this.zoomAnchor();
      event = await this.ask({ kind: "pick", track: row.track, lane: 0, time: this.viewport.time(time), tolerance: Number.MAX_VALUE });
    }
    if (!event) {
      this.details.say(here && !stay ? this.strings.noMoreEvents : this.strings.noEventHere);
      return;
    }
    this.setSelection(event);
    this.revealTime(event.begin);
  }

  private toggle(row: TrackRow): void {
    if (this.collapsed.has(row.key)) this.collapsed.delete(row.key);
    else this.collapsed.add(row.key);
    this.stale.rows = true;
    this.redraw();
  }

  private async pick(x: number, y: number, tolerance: number): Promise<EventDetail | undefined> {
    const at = y + this.scroller.scrollTop;
    const row = this.trackRows.find((r) => at >= r.top && at < r.top + r.height);
    if (!row || row.track < 0) return undefined;
    const lane = Math.max(0, Math.min(row.lanes - 1, Math.floor(((at - row.top) / row.height) * row.lanes)));
    return this.ask({ kind: "pick", track: row.track, lane, time: this.viewport.time(x), tolerance: tolerance * this.viewport.scale });
  }

  private onHover(x: number, y: number): void {
    const asked = ++this.hoverAsked;
    void this.pick(x, y, 2).then((event) => {
      if (asked !== this.hoverAsked || !this.simulation) return;
      if (event?.row !== this.hover?.row) this.redraw();
      this.hover = event;
      if (!event) {
        this.tooltip.hide();
        return;
      }
      const box = this.chartCanvas.getBoundingClientRect();
      this.tooltip.show(
        { left: box.left + x + 12, right: box.left + x + 12, top: box.top + y - 8, bottom: box.top + y + 12 },
        tooltipFor(event, this.simulation.names, this.strings),
      );
    });
  }

  private leave(): void {
    this.hoverAsked++;
    this.tooltip?.hide();
    if (this.hover) this.redraw();
    this.hover = undefined;
  }

  private onSearch(text: string): void {
    const wanted = text.trim().toLowerCase();
    const functions = this.simulation?.names.functions ?? [];
    const found = wanted === "" ? [] : functions.filter((f) => f.name.toLowerCase().includes(wanted)).map((f) => f.id);
    this.highlight = found.length > 0 ? new Set(found) : undefined;
    this.searchText = text;
    this.redraw();
  }

  private searchText = "";

  private onSearchKey(event: KeyboardEvent): void {
    if (event.key === "Enter") void this.findNext(event.shiftKey ? -1 : 1);
    else if (event.key === "Escape") this.trackList.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private async findNext(direction: 1 | -1): Promise<void> {
    if (this.searchText.trim() === "") return;
    const event = await this.ask({ kind: "find", text: this.searchText, row: this.selection?.row ?? NONE, direction });
    if (!event) {
      this.details.say(fill(this.strings.noMatch, this.searchText));
      return;
    }
    this.setSelection(event);
    this.revealTime(event.begin);
    this.revealTrack(event.track);
  }

  private redraw(): void {
    if (this.frame === 0) this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  private draw(now: number): void {
    this.frame = 0;
    const { simulation, viewport, scroller, chartContext } = this;
    if (!simulation || !chartContext) return;
    this.step(now);
    const ratio = window.devicePixelRatio || 1;
    const width = this.minimap.element.clientWidth;
    const height = scroller.clientHeight;
    if (width === 0 || height === 0) return;
    if (width !== viewport.width) {
      viewport.width = width;
      this.stale.minimap = true;
    }
    const palette = this.freshPalette(simulation.names);
    this.askTracks();
    if (this.stale.rows) this.layOut(palette);
    this.want(ratio);
    resize(this.chartCanvas, width, height, ratio);
    this.chartCanvas.style.height = `${height}px`;
    this.chart.draw(chartContext, {
      viewport, rows: this.trackRows, scrollTop: scroller.scrollTop, height, ratio, names: simulation.names, palette, tiles: this.tiles,
      packets: this.packets.answer?.slices, cursorRow: this.cursor?.row ?? NONE, currentPacket: this.cursor?.packet ?? NONE,
      selection: this.selection, hoverRow: this.hover?.row ?? NONE, highlight: this.highlight,
    });
    this.rulerView.draw(viewport, palette, ratio);
    if (this.stale.minimap) {
      this.minimap.draw(this.tracks, this.tiles, viewport, palette, ratio);
      this.stale.minimap = false;
    }
    this.minimap.place(viewport);
    this.placeCursor();
    this.remember();
  }

  /** One step of a movement of the window under way. */
  private step(now: number): void {
    const { glide } = this;
    if (!glide) return;
    const part = Math.min(1, Math.max(0, (now - glide.start) / glide.lasts));
    const eased = 1 - (1 - part) ** 3;
    this.viewport.set(glide.from + (glide.fromEnd - glide.from) * eased, glide.to + (glide.toEnd - glide.to) * eased);
    if (part >= 1) this.glide = undefined;
    else this.redraw();
  }

  private freshPalette(names: TraceNames): Palette {
    if (this.palette && !this.stale.palette) return this.palette;
    this.palette = new Palette(names);
    this.details.showLegend(this.palette);
    this.stale = { rows: true, minimap: true, palette: false };
    return this.palette;
  }

  private askTracks(): void {
    if (this.asked.tracks || this.asked.tracksRows >= this.rows) return;
    const { generation, rows } = this;
    this.asked = { tracks: true, tracksRows: rows };
    void this.questions.ask({ kind: "tracks" }).then(
      (answer) => {
        if (generation !== this.generation) return;
        this.asked.tracks = false;
        this.tracks = answer.tracks;
        this.stale.rows = this.stale.minimap = true;
        this.redraw();
      },
      (error: unknown) => {
        if (generation === this.generation) this.asked.tracks = false;
        this.failed(error);
      },
    );
  }

  private layOut(palette: Palette): void {
    this.trackRows = trackRows(this.tracks, this.packets.answer?.lanes ?? [], this.cursor?.packet ?? NONE, this.collapsed, this.strings);
    this.trackList.show(this.trackRows, palette);
    this.stale.rows = false;
  }

  /** Tells the caches what is in view: the exact windows, and the whole run for the minimap and as a stand-in. */
  private want(ratio: number): void {
    const { viewport, tiles, scroller } = this;
    const top = scroller.scrollTop - 100;
    const bottom = scroller.scrollTop + scroller.clientHeight + 100;
    const inView = this.trackRows.filter((r) => r.top + r.height > top && r.top < bottom && r.packet < 0);
    const visible = [...new Set(inView.flatMap((r) => (r.track >= 0 ? [r.track] : r.expanded === false ? r.inside.map((t) => t.id) : [])))];
    const room = viewport.span / 4;
    const level = tiles.levelFor(viewport.scale / ratio);
    tiles.want([
      { level: tiles.overviewLevel, from: 0, to: viewport.end, tracks: this.tracks.map((t) => t.id) },
      { level, from: viewport.from, to: viewport.to, tracks: visible },
      { level, from: viewport.from - room, to: viewport.to + room, tracks: visible },
    ]);
    this.packets.want(viewport, this.cursor?.packet ?? NONE, this.rows, this.complete);
  }

  private placeCursor(): void {
    const { cursor, cursorLine, viewport } = this;
    const x = cursor ? viewport.x(cursor.time) : NaN;
    cursorLine.hidden = !(x >= 0 && x <= viewport.width);
    if (cursorLine.hidden || !cursor) return;
    cursorLine.dataset.row = String(cursor.row);
    cursorLine.dataset.time = String(cursor.time);
    cursorLine.style.transform = `translateX(${x}px)`;
  }

  private remember(): void {
    const { simulation, viewport } = this;
    if (simulation && this.settled) rememberView(this.host, { key: simulation.key, from: viewport.from, to: viewport.to, collapsed: [...this.collapsed] });
  }
}
