import { packetLanes } from "./packetLanes";
import { PacketIndex } from "./packetIndex";
import { firstPartAt, indexOfRow, neighbourOf } from "./neighbours";
import { eachGroup } from "./groups";
import type { Group, SliceList } from "./sliceList";
import { Outages } from "./outages";
import { RowLabels } from "./rowLabels";
import { SliceWriter } from "./sliceWriter";
import { findRow } from "./findRow";
import { TimelineTrack } from "./timelineTrack";
import type { EventDetail, EventLink, Marks, ResultOf, TimelineQuery, TimelineResult, Track, WindowQuery } from "./timelineQuery";
import { NO_VCPU, NONE, type Trace } from "./trace";
import { TrackIds } from "./trackIds";
import { VcpuSwitches } from "./vcpuSwitches";

/** Rows on either side of an event that its `near` window spans. */
const NEAR_ROWS = 30;

/**
 * A multi-resolution index over a trace, for timelines: what each pCPU, vCPU, thread, device and link does when, and where
 * the packets are. It absorbs a growing trace ({@link update}); a window costs O(buckets × tracks × log rows), whatever
 * the number of rows in it.
 *
 * Memory beside the trace's own: 21 bytes a slice (a row is one slice, or a few where it was preempted), 8 bytes a row for what its
 * slices say, 4 for the packets' lists, 26 bytes a packet; with the slack of growing columns, 40 … 45 bytes a row measured.
 */
export class TimelineIndex {
  readonly ids: TrackIds;
  readonly packets: PacketIndex;
  private readonly tracks: (TimelineTrack | undefined)[] = [];
  private absorbed = 0;
  private readonly switches: VcpuSwitches;
  private readonly labels = new RowLabels();
  private readonly outages: Outages;
  /** Function ids whose rows are marked: drops, violations, timeouts. */
  private readonly isProblem: Uint8Array;
  private readonly kindOfContext: ReadonlyArray<"pcpu" | "thread" | "device" | "link">;

  /**
   * @param trace grows behind the index's back; rows that it has already do not change.
   * @param summarizePacket one line about a packet; its exceptions become an empty line.
   */
  constructor(readonly trace: Trace, private readonly summarizePacket: (packet: number) => string = () => "") {
    const { contexts, functions } = trace.names;
    this.ids = new TrackIds(trace.names);
    this.packets = new PacketIndex(trace);
    this.switches = new VcpuSwitches(trace);
    this.outages = new Outages(trace.names);
    this.isProblem = Uint8Array.from(functions, (f) => (f.kind === "drop" || f.kind === "violation" || f.kind === "timeout" || f.kind === "fault" ? 1 : 0));
    this.kindOfContext = contexts.map((c) => c.kind);
    // A pCPU that idles all the time says something; of everything else there is a track from its first event on.
    for (const c of contexts) if (c.kind === "pcpu") this.track(this.ids.ofContext(c.id));
  }

  /** Rows absorbed so far. */
  get rows(): number { return this.absorbed; }
  /** Instant of the last row absorbed, picoseconds. */
  get time(): number { return this.absorbed === 0 ? 0 : this.trace.time(this.absorbed - 1); }
  /** Bytes held by the index, without the trace. */
  get bytes(): number {
    let n = this.packets.bytes + this.switches.bytes + this.labels.bytes;
    for (const t of this.tracks) n += t?.bytes ?? 0;
    return n;
  }

  /**
   * Absorbs rows appended since.
   * @param limit most rows to absorb, for callers that work in slices; about 3 million rows a second.
   */
  update(limit = Infinity): void {
    const end = Math.min(this.trace.length, this.absorbed + limit);
    if (end === this.absorbed) return;
    for (let row = this.absorbed; row < end; row++) this.absorb(row);
    this.absorbed = end;
    for (const t of this.tracks) {
      if (t?.kind === "pcpu") this.switches.extend(t.lanes[0]!, t.id, this.time);
      t?.settle();
    }
  }

  private absorb(row: number): void {
    const { trace } = this;
    const context = trace.context(row);
    const packet = trace.packet(row);
    if (packet !== NONE) this.packets.add(row, packet);
    const id = this.trackOf(row);
    const track = this.track(id);
    const begin = trace.begin(row);
    const until = trace.time(row);
    this.labels.add(row, this.kindOfContext[context] === "pcpu" ? trace.vcpu(row) : trace.fn(row), context, packet);
    switch (this.kindOfContext[context]) {
      case "pcpu":
        this.switches.absorb(track.lanes[0]!, row);
        break;
      case "thread": {
        const vcpu = trace.vcpu(row);
        track.lay(row, begin, trace.cost(row), until, vcpu === NO_VCPU ? undefined : this.switches.off[vcpu]);
        break;
      }
      default:
        track.place(row, begin, trace.cost(row), until);
    }
    if (this.isProblem[trace.fn(row)]) track.mark(row, until);
    this.outages.add(trace.fn(row), trace.component(row), until);
  }

  private track(id: number): TimelineTrack {
    return (this.tracks[id] ??= this.newTrack(id));
  }

  private newTrack(id: number): TimelineTrack {
    const { contexts, vcpus } = this.trace.names;
    const vcpu = vcpus[this.ids.vcpuOf(id)];
    if (vcpu) return new TimelineTrack(id, "vcpu", vcpu.path, vcpu.domain.split("/")[0] ?? "", vcpu.domain);
    const context = contexts[id]!;
    return new TimelineTrack(id, context.kind, context.path, context.host, context.domain);
  }

  /** The track that a row is on: of its vCPU where a thread runs on one, else of its context. */
  trackOf(row: number): number {
    const context = this.trace.context(row);
    const vcpu = this.trace.vcpu(row);
    return this.kindOfContext[context] === "thread" && vcpu !== NO_VCPU ? this.ids.ofVcpu(vcpu) : this.ids.ofContext(context);
  }

  /** Absorbs what is new and answers. Unknown tracks and rows give empty answers. */
  query<K extends TimelineQuery["kind"]>(query: Extract<TimelineQuery, { kind: K }>): ResultOf<K>;
  query(query: TimelineQuery): TimelineResult;
  query(query: TimelineQuery): TimelineResult {
    this.update();
    switch (query.kind) {
      case "tracks":
        return { kind: "tracks", tracks: this.listTracks(), outages: this.outages.list(), rows: this.rows, time: this.time };
      case "window":
        return this.window(query);
      case "packets":
        return { kind: "packets", query, ...packetLanes(this.trace, this.packets, this.ids, query, this.summarize), rows: this.rows, time: this.time };
      case "pick":
        return { kind: "event", event: this.detail(this.rowAt(query.track, query.lane, query.time, query.tolerance)) };
      case "neighbour":
        return { kind: "event", event: this.detail(this.neighbour(query.track, query.row, query.direction)) };
      case "event":
        return { kind: "event", event: this.detail(query.row) };
      case "find":
        return { kind: "event", event: this.detail(findRow(this.trace, this.packets, query.text, query.row, query.direction)) };
    }
  }

  private readonly summarize = (packet: number): string => {
    try {
      return this.summarizePacket(packet);
    } catch {
      return "";
    }
  };

  private listTracks(): Track[] {
    const list: Track[] = [];
    for (const t of this.tracks) {
      if (t) list.push({ id: t.id, kind: t.kind, path: t.path, host: t.host, domain: t.domain, lanes: t.lanes.length, slices: t.slices });
    }
    return list;
  }

  private window(query: WindowQuery): ResultOf<"window"> {
    const writer = new SliceWriter();
    const markTrack: number[] = [];
    const markTime: number[] = [];
    const markRow: number[] = [];
    for (const id of query.tracks) {
      const track = this.tracks[id];
      if (!track) continue;
      for (const [k, lane] of track.lanes.entries()) {
        const offset = writer.count;
        eachGroup(lane, query, (group) => this.write(writer, track, lane, group));
        writer.range(id, k, offset);
      }
      eachGroup(track.marks, query, (group) => {
        markTrack.push(id);
        markTime.push(track.marks.begin[group.first]!);
        markRow.push(track.marks.row[group.first]!);
      });
    }
    const marks: Marks = { track: Int32Array.from(markTrack), time: Float64Array.from(markTime), row: Int32Array.from(markRow) };
    return { kind: "window", query, slices: writer.finish(), marks, rows: this.rows, time: this.time };
  }

  private write(writer: SliceWriter, track: TimelineTrack, lane: SliceList, group: Group): void {
    const { labels } = this;
    const row = lane.row[group.longest]!;
    // A switch is two slices: the hypervisor's work before it, and the vCPU's run after it.
    const works = track.kind === "pcpu" && group.longest + 1 < lane.length && lane.row[group.longest + 1] === row;
    const key = works ? NO_VCPU : labels.key(row);
    writer.push(lane.begin[group.first]!, lane.end[group.last]!, group.busy, row, key, labels.place(row), labels.packet(row));
  }

  /**
   * The row whose slice covers `time`, else the one whose slice is nearest and at most `tolerance` away, else −1.
   * On a packet's track `lane` means nothing.
   */
  rowAt(track: number, lane: number, time: number, tolerance: number): number {
    const packet = this.ids.packetOf(track);
    if (packet >= 0) return this.packetRowAt(packet, time);
    const list = this.tracks[track]?.lanes[lane];
    if (!list) return NONE;
    const i = list.firstEndAfter(time);
    if (i < list.length && list.begin[i]! <= time) return list.row[i]!;
    const after = i < list.length ? list.begin[i]! - time : Infinity;
    const before = i > 0 ? time - list.end[i - 1]! : Infinity;
    if (Math.min(after, before) > tolerance) return NONE;
    return list.row[after < before ? i : i - 1]!;
  }

  private packetRowAt(packet: number, time: number): number {
    let found = this.packets.first(packet);
    for (let row = found; row !== NONE && this.trace.begin(row) <= time; row = this.packets.after(row)) found = row;
    return found;
  }

  /** The row of the slice before or after the one of `row` on a track; from the track's ends where `row` is −1; −1 if none. */
  neighbour(track: number, row: number, direction: 1 | -1): number {
    const packet = this.ids.packetOf(track);
    if (packet >= 0) return this.packetNeighbour(packet, row, direction);
    const lanes = this.tracks[track]?.lanes;
    if (!lanes) return NONE;
    let time = direction > 0 ? -Infinity : Infinity;
    if (row !== NONE) {
      const own = this.link(row);
      time = own.track === track ? firstPartAt(lanes[own.lane]!, row, own.begin, own.time) : own.begin;
    }
    return neighbourOf(this.trace, lanes, time, row, direction);
  }

  private packetNeighbour(packet: number, row: number, direction: 1 | -1): number {
    if (row === NONE || this.trace.packet(row) !== packet) return direction > 0 ? this.packets.first(packet) : this.packets.last(packet);
    if (direction > 0) return this.packets.after(row);
    let before = NONE;
    for (let r = this.packets.first(packet); r !== NONE && r < row; r = this.packets.after(r)) before = r;
    return before;
  }

  /** All about a row; undefined for a row that is not there. */
  detail(row: number): EventDetail | undefined {
    const { trace } = this;
    if (!(row >= 0 && row < this.absorbed)) return undefined;
    const vcpu = trace.vcpu(row);
    const packet = trace.packet(row);
    return {
      ...this.link(row),
      cost: trace.cost(row),
      component: trace.component(row),
      context: trace.context(row),
      vcpu: vcpu === NO_VCPU ? NONE : vcpu,
      packet,
      packetSummary: packet === NONE ? "" : this.summarize(packet),
      cause: this.linkOrNone(trace.cause(row)),
      enabler: this.linkOrNone(trace.enabler(row)),
      near: this.near(row),
    };
  }

  private near(row: number): { from: number; to: number } {
    const { trace } = this;
    const from = trace.begin(Math.max(0, row - NEAR_ROWS));
    const to = trace.time(Math.min(this.absorbed - 1, row + NEAR_ROWS));
    return { from: Math.min(from, trace.begin(row)), to: Math.max(to, trace.time(row)) };
  }

  private linkOrNone(row: number): EventLink | undefined {
    return row === NONE || row >= this.absorbed ? undefined : this.link(row);
  }

  private link(row: number): EventLink {
    const track = this.trackOf(row);
    const begin = this.trace.begin(row);
    const time = this.trace.time(row);
    const lanes = this.tracks[track]?.lanes ?? [];
    const lane = Math.max(0, lanes.findIndex((l) => indexOfRow(l, row, begin, time) >= 0));
    const slice = indexOfRow(lanes[lane]!, row, begin, time);
    let end = Math.min(time, begin + this.trace.cost(row));
    if (this.kindOfContext[track] === "pcpu" && slice >= 0) {
      // The vCPU's run follows the hypervisor's work.
      const run = lanes[lane]!.row[slice + 1] === row ? slice + 1 : slice;
      end = lanes[lane]!.end[run]!;
    }
    return { row, track, lane, fn: this.trace.fn(row), begin, end, time };
  }
}
