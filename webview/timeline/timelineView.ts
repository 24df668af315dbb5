import type { Outage } from "../../engine/trace/outages";
import type { EventDetail, Track } from "../../engine/trace/timelineQuery";
import { NONE } from "../../engine/trace/trace";
import type { CursorView } from "../../protocol/cursor";
import type { FromTimeline, TimelineAction, TimelineSimulation, ToTimeline } from "../../protocol/timeline";
import type { TimelineStrings } from "../../protocol/timelineStrings";
import type { HostConnection } from "../ui/host";
import { Camera } from "./camera";
import { Chart } from "./chart";
import { Details, tooltipFor } from "./details";
import { Events, spotAt } from "./events";
import { listenToGestures } from "./gestures";
import { Hover } from "./hover";
import { listenToKeys } from "./keyboard";
import { Layout } from "./layout";
import { rememberView, viewOf } from "./memory";
import { Minimap } from "./minimap";
import { PacketWindow } from "./packetWindow";
import { Palette, watchTheme } from "./palette";
import { Questions, Unanswered } from "./questions";
import { resize, RulerView } from "./rulerView";
import { Search } from "./search";
import { formatTime } from "./timeFormat";
import { Tiles } from "./tiles";
import { TrackList } from "./trackList";
import { trackRows, type TrackRow } from "./trackTree";
import { wishes } from "./wishes";
import { fill } from "./wording";

/** How near to an event a click has to be, and the pointer, CSS pixels. */
const CLICK = 6;
const POINT = 2;
/** Rows that have to be there before a first window is chosen. */
const ENOUGH_ROWS = 60;

/** The timeline: what it knows of the simulation, and how its parts work together. */
export class TimelineView {
  private readonly chart = new Chart();
  private readonly ruler = new RulerView();
  private readonly camera = new Camera(() => this.redraw());
  private readonly layout: Layout;
  private readonly minimap: Minimap;
  private readonly trackList: TrackList;
  private readonly details: Details;
  private readonly search: Search;
  private readonly hover: Hover;
  private readonly questions: Questions;
  private readonly events: Events;
  private readonly tiles: Tiles;
  private readonly packets: PacketWindow;

  private generation = 0;
  private simulation: TimelineSimulation | undefined;
  private rows = 0;
  private complete = false;
  private cursor: CursorView | undefined;
  private selection: EventDetail | undefined;
  private tracks: readonly Track[] = [];
  private outages: readonly Outage[] = [];
  /** Rows of the trace when the tracks were last asked for. */
  private tracksAsked = -1;
  private collapsed = new Set<string>();
  private trackRows: readonly TrackRow[] = [];
  private palette: Palette | undefined;
  private frame = 0;
  private stale = { rows: true, minimap: true, palette: true };

  constructor(root: HTMLElement, private readonly host: HostConnection<ToTimeline, FromTimeline>, private readonly strings: TimelineStrings) {
    const failed = (error: unknown): void => this.failed(error);
    this.questions = new Questions((message) => host.post(message));
    this.events = new Events(this.questions, failed);
    this.tiles = new Tiles((query) => this.questions.ask(query), () => this.redraw("minimap"), failed);
    this.packets = new PacketWindow((query) => this.questions.ask(query), () => this.redraw("rows"), failed);
    this.minimap = new Minimap({ show: (from, to) => this.byHand((viewport) => viewport.set(from, to)) });
    this.trackList = new TrackList(strings, {
      toggle: (row) => this.toggle(row),
      walk: (row, to) => void this.walk(row, to),
      enter: () => this.choose(this.selection),
    });
    this.details = new Details(strings, (row) => void this.events.at(row).then((event) => this.select(event, true)));
    this.search = new Search(strings.search, { changed: () => this.redraw(), find: (direction) => void this.find(direction), leave: () => this.trackList.focus() });
    this.hover = new Hover((event) => tooltipFor(event, this.simulation?.names, strings), () => this.redraw());
    this.layout = new Layout(
      root, strings,
      { search: this.search.element, minimap: this.minimap.element, ruler: this.ruler.canvas, tracks: this.trackList.element, details: this.details.element },
      () => host.post({ type: "run" }),
    );
    this.listen();
    host.onMessage((message) => this.receive(message));
    host.post({ type: "ready" });
  }

  private listen(): void {
    const { chart, scroller, root } = this.layout;
    listenToGestures(chart, {
      zoom: (factor, x) => this.byHand((viewport) => viewport.zoom(factor, x)),
      pan: (pixels) => this.byHand((viewport) => viewport.pan(pixels)),
      scroll: (pixels) => (scroller.scrollTop += pixels),
      click: (x, y) => void this.pick(x, y, CLICK).then((event) => this.choose(event)),
      hover: (x, y) => {
        const box = chart.getBoundingClientRect();
        void this.hover.over(box.left + x, box.top + y, this.pick(x, y, POINT));
      },
      leave: () => this.hover.leave(),
    });
    listenToKeys(document.body, {
      zoom: (factor) => this.byHand((viewport) => viewport.zoom(factor, this.anchor())),
      pan: (part) => this.byHand((viewport) => viewport.pan(part * viewport.width)),
      scroll: (pixels) => (scroller.scrollTop += pixels),
      fit: () => this.act("fit"),
      zoomToSelection: () => this.act("zoomToSelection"),
      find: () => this.act("find"),
      moveHere: () => this.choose(this.selection),
    });
    scroller.addEventListener("scroll", () => {
      this.hover.leave();
      this.redraw();
    });
    new ResizeObserver(() => this.redraw("minimap")).observe(root);
    watchTheme(() => this.redraw("palette"));
    window.addEventListener("focus", () => this.host.post({ type: "keyboard", here: true }));
    window.addEventListener("blur", () => this.host.post({ type: "keyboard", here: false }));
  }

  private receive(message: ToTimeline): void {
    if (message.type === "simulation") this.start(message.generation, message.simulation);
    else if (message.type === "action") this.act(message.action);
    else if (message.type === "focus") window.focus();
    else if (message.generation !== this.generation) return;
    else if (message.type === "grew") this.grew(message.rows, message.time, message.complete);
    else if (message.type === "cursor") void this.moveCursor(message.cursor, message.reveal);
    else {
      if (message.type === "answer") this.layout.complain("");
      this.questions.receive(message);
    }
  }

  private start(generation: number, simulation: TimelineSimulation | undefined): void {
    this.generation = generation;
    this.simulation = simulation;
    this.questions.restart(generation);
    this.tiles.clear();
    this.packets.clear();
    this.tracks = [];
    this.outages = [];
    this.tracksAsked = -1;
    this.rows = 0;
    this.complete = this.camera.settled = false;
    this.selection = undefined;
    this.cursor = simulation?.cursor;
    this.stale = { rows: true, minimap: true, palette: true };
    this.layout.complain("");
    this.hover.leave();
    this.layout.state = simulation ? "live" : "empty";
    this.search.names = simulation?.names;
    this.search.refresh();
    if (!simulation) return;
    this.details.show(undefined, simulation.names);
    const memory = viewOf(this.host.savedState(), simulation.key);
    this.collapsed = new Set(memory?.collapsed);
    this.camera.viewport.setRun(simulation.time);
    this.grew(simulation.rows, simulation.time, simulation.complete);
    if (memory) this.camera.byHand((viewport) => viewport.set(memory.from, memory.to));
    void this.moveCursor(simulation.cursor, false);
  }

  private grew(rows: number, time: number, complete: boolean): void {
    this.rows = rows;
    this.complete = complete;
    this.tiles.grew(rows, time, complete);
    const { viewport, settled } = this.camera;
    viewport.reach(time);
    if (!settled) viewport.fit();
    this.minimap.label(fill(this.strings.overview, formatTime(time)));
    void this.settle();
    this.redraw("minimap");
  }

  /** Chooses the first window: one in which the events around the cursor can be told apart. The minimap shows the rest. */
  private async settle(): Promise<void> {
    if (this.camera.settled || (this.rows < ENOUGH_ROWS && !this.complete)) return;
    this.camera.settled = true;
    const { generation, camera: { chosen } } = this;
    const event = await this.events.at(Math.max(0, this.cursor?.row ?? 0));
    // The engine may be busy for a while: a window that the user has chosen since stays.
    if (!event || generation !== this.generation || chosen !== this.camera.chosen) return;
    const room = (event.near.to - event.near.from) * 0.05;
    this.camera.byHand((viewport) => viewport.set(event.near.from - room, event.near.to + room));
  }

  private async moveCursor(cursor: CursorView | undefined, reveal: boolean): Promise<void> {
    this.cursor = cursor;
    this.redraw("rows");
    if (!cursor) return;
    if (reveal && this.camera.settled) this.camera.reveal(cursor.time);
    void this.settle();
    const event = await this.events.at(cursor.row);
    if (event && this.cursor?.row === cursor.row) this.select(event, false, reveal);
  }

  private failed(error: unknown): void {
    if (error instanceof Unanswered && error.stale) return;
    this.layout.complain(fill(this.strings.failed, error instanceof Error ? error.message : String(error)));
  }

  private act(action: TimelineAction): void {
    if (!this.simulation) return;
    switch (action) {
      case "zoomIn": this.byHand((viewport) => viewport.zoom(0.5, this.anchor())); break;
      case "zoomOut": this.byHand((viewport) => viewport.zoom(2, this.anchor())); break;
      case "fit": this.camera.glideTo(0, this.camera.viewport.end); break;
      case "zoomToSelection":
        if (this.selection) this.camera.glideTo(this.selection.near.from, this.selection.near.to);
        break;
      case "find": this.search.element.focus(); break;
    }
  }

  private byHand(change: Parameters<Camera["byHand"]>[0]): void {
    this.hover.leave();
    this.camera.byHand(change);
  }

  /** Where the keyboard zooms: on the selected event or the cursor where it is in view, else in the middle. */
  private anchor(): number {
    const { viewport } = this.camera;
    const time = this.selection?.begin ?? this.cursor?.time;
    return time !== undefined && time >= viewport.from && time <= viewport.to ? viewport.x(time) : viewport.width / 2;
  }

  private pick(x: number, y: number, tolerance: number): Promise<EventDetail | undefined> {
    const { viewport } = this.camera;
    const spot = spotAt(this.trackRows, viewport, x, y + this.layout.scroller.scrollTop);
    return spot ? this.events.near(spot, tolerance * viewport.scale) : Promise.resolve(undefined);
  }

  /** Selects an event and, on demand, brings its instant and its track into view. */
  private select(event: EventDetail | undefined, revealTime: boolean, revealTrack = revealTime): void {
    if (!event || !this.simulation) return;
    this.selection = event;
    this.details.show(event, this.simulation.names);
    if (revealTime) this.camera.reveal(event.begin);
    const row = revealTrack ? this.trackRows.find((r) => r.track === event.track) : undefined;
    if (row) this.layout.scrollTo(row.top, row.height);
    this.redraw();
  }

  /** The user chose an event: the debugger goes there, and everything else with it. */
  private choose(event: EventDetail | undefined): void {
    if (!event) return;
    this.select(event, false);
    this.host.post({ type: "moveCursor", generation: this.generation, row: event.row });
  }

  private async walk(row: TrackRow, to: "next" | "previous" | "first" | "last"): Promise<void> {
    const event = await this.events.walk(row, to, this.selection, this.camera.viewport.time(this.anchor()));
    if (!event) this.details.say(to === "next" || to === "previous" ? this.strings.noMoreEvents : this.strings.noEventHere);
    this.select(event, true, false);
  }

  private async find(direction: 1 | -1): Promise<void> {
    if (this.search.text === "") return;
    const event = await this.events.find(this.search.text, this.selection?.row ?? NONE, direction);
    if (!event) this.details.say(fill(this.strings.noMatch, this.search.text));
    this.select(event, true);
  }

  private toggle(row: TrackRow): void {
    if (!this.collapsed.delete(row.key)) this.collapsed.add(row.key);
    this.redraw("rows");
  }

  /** A frame is needed; what is named is to be made anew for it. */
  private redraw(stale?: "rows" | "minimap" | "palette"): void {
    if (stale) this.stale[stale] = true;
    if (this.frame === 0) this.frame = requestAnimationFrame((now) => this.draw(now));
  }

  private draw(now: number): void {
    this.frame = 0;
    const { simulation, layout, camera: { viewport } } = this;
    const context = layout.chart.getContext("2d");
    if (!simulation || !context) return;
    this.camera.step(now);
    const ratio = window.devicePixelRatio || 1;
    const width = this.minimap.element.clientWidth;
    const height = layout.scroller.clientHeight;
    if (width === 0 || height === 0) return;
    if (width !== viewport.width) this.stale.minimap = true;
    viewport.width = width;
    if (!this.palette || this.stale.palette) {
      this.palette = new Palette(simulation.names);
      this.details.showLegend(this.palette);
      this.stale = { rows: true, minimap: true, palette: false };
    }
    const { palette } = this;
    this.askTracks();
    if (this.stale.rows) this.layOut(palette);
    this.tiles.want(wishes(this.tiles, this.tracks, this.trackRows, viewport, layout.scroller, ratio));
    this.packets.want(viewport, this.cursor?.packet ?? NONE, this.rows, this.complete);
    resize(layout.chart, width, height, ratio);
    layout.chart.style.height = `${height}px`;
    this.chart.draw(context, {
      viewport, rows: this.trackRows, scrollTop: layout.scroller.scrollTop, height, ratio, names: simulation.names, hypervisor: this.strings.hypervisor, palette, tiles: this.tiles,
      packets: this.packets.answer?.slices, cursorRow: this.cursor?.row ?? NONE, currentPacket: this.cursor?.packet ?? NONE,
      outages: this.outages, selection: this.selection, hoverRow: this.hover.event?.row ?? NONE, highlight: this.search.highlight,
    });
    this.ruler.draw(viewport, palette, ratio);
    if (this.stale.minimap) this.minimap.draw(this.tracks, this.tiles, viewport, palette, ratio);
    this.stale.minimap = false;
    this.minimap.place(viewport);
    layout.placeCursor(this.cursor && viewport.x(this.cursor.time), width, this.cursor?.row ?? NONE);
    if (this.camera.settled) rememberView(this.host, { key: simulation.key, from: viewport.from, to: viewport.to, collapsed: [...this.collapsed] });
  }

  /** Lays the rows out anew. What the user looks at stays where it is when rows come or go above it. */
  private layOut(palette: Palette): void {
    const { scroller } = this.layout;
    const { scrollTop } = scroller;
    const inView = this.trackRows.filter((r) => r.packet < 0 && r.top + r.height > scrollTop && r.top < scrollTop + scroller.clientHeight);
    const anchor = inView.find((r) => r.key === this.trackList.activeKey) ?? (scrollTop > 0 ? inView[0] : undefined);
    this.trackRows = trackRows(this.tracks, this.packets.answer?.lanes ?? [], this.cursor?.packet ?? NONE, this.collapsed, this.strings);
    this.trackList.show(this.trackRows, palette);
    const after = anchor && this.trackRows.find((r) => r.key === anchor.key);
    if (anchor && after && after.top !== anchor.top) scroller.scrollTop = scrollTop + after.top - anchor.top;
    this.stale.rows = false;
  }

  /** Asks which tracks there are, whenever rows have come since: a thread's track, a device's lane appear with their first event. */
  private askTracks(): void {
    if (this.tracksAsked >= this.rows) return;
    const { generation } = this;
    this.tracksAsked = this.rows;
    this.questions.ask<"tracks">({ kind: "tracks" }).then(
      (answer) => {
        if (generation !== this.generation) return;
        this.tracks = answer.tracks;
        this.outages = answer.outages;
        this.stale.minimap = true;
        this.redraw("rows");
      },
      (error: unknown) => this.failed(error),
    );
  }
}
