import type { ResultOf, SliceRange, WindowQuery } from "../../engine/trace/timelineQuery";

/** Buckets in a tile. */
export const TILE_BUCKETS = 1024;
const MAX_TILES = 160;
/** Questions under way at once: enough to keep the worker busy, few enough that what the user sees now comes soon. */
const MAX_OPEN = 2;
/** How long to leave a window alone whose question failed, milliseconds. */
const RETRY = 2000;

type Answer = ResultOf<"window">;

/** A window of some tracks at a level, picoseconds. */
export interface Wish {
  readonly level: number;
  readonly from: number;
  readonly to: number;
  readonly tracks: readonly number[];
}

/** What a tile knows about one track. */
export interface TrackTile {
  readonly answer: Answer;
  readonly ranges: readonly SliceRange[];
}

interface Tile {
  readonly level: number;
  readonly index: number;
  readonly from: number;
  readonly to: number;
  readonly tracks: Map<number, TrackTile>;
  open: boolean;
  retryAt: number;
}

/**
 * Windows of the trace, fetched once and kept: tile `index` of level k has 1024 buckets of 2^k picoseconds and begins at
 * index · 1024 · 2^k, so that panning asks only for what comes in and zooming meets the same tiles again. While a tile is
 * loading, a coarser (or finer) one is drawn in its place.
 */
export class Tiles {
  private tiles = new Map<string, Tile>();
  private wanted: { tile: Tile; tracks: readonly number[] }[] = [];
  private openCount = 0;
  private epoch = 0;
  private rows = 0;
  private time = 0;
  private complete = false;

  constructor(
    private readonly ask: (query: WindowQuery) => Promise<Answer>,
    private readonly changed: () => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  /** Another trace. */
  clear(): void {
    this.tiles.clear();
    this.wanted = [];
    this.openCount = 0;
    this.epoch++;
    this.rows = this.time = 0;
    this.complete = false;
  }

  grew(rows: number, time: number, complete: boolean): void {
    this.rows = rows;
    this.time = time;
    this.complete = complete;
  }

  /** The level whose buckets are at most one pixel wide. */
  levelFor(picosecondsPerPixel: number): number {
    return Math.max(0, Math.floor(Math.log2(picosecondsPerPixel)));
  }

  /** The level at which one tile holds the whole run. */
  get overviewLevel(): number {
    return Math.max(0, Math.ceil(Math.log2(Math.max(1, this.time) / TILE_BUCKETS)));
  }

  /** Says what is in view, most urgent first; forgets what was wanted before and is not under way yet. */
  want(wishes: readonly Wish[]): void {
    this.wanted = [];
    const now = performance.now();
    for (const { level, from, to, tracks } of wishes) {
      const width = TILE_BUCKETS * 2 ** level;
      for (let index = Math.max(0, Math.floor(from / width)); index * width < Math.min(to, this.time + 1); index++) {
        const tile = this.tile(level, index);
        if (tile.open || tile.retryAt > now) continue;
        const missing = tracks.filter((t) => this.isStale(tile, t));
        if (missing.length > 0) this.wanted.push({ tile, tracks: missing });
      }
    }
    this.pump();
  }

  private isStale(tile: Tile, track: number): boolean {
    const known = tile.tracks.get(track);
    if (!known) return true;
    const { rows, time } = known.answer;
    // A row can begin long before it is recorded, so that only the end of the recording makes a window final.
    return rows < this.rows && (this.complete || tile.to > time);
  }

  private tile(level: number, index: number): Tile {
    const key = `${level}:${index}`;
    let tile = this.tiles.get(key);
    if (tile) this.tiles.delete(key);
    else {
      const width = TILE_BUCKETS * 2 ** level;
      tile = { level, index, from: index * width, to: (index + 1) * width, tracks: new Map(), open: false, retryAt: 0 };
    }
    // The map's order is that of use.
    this.tiles.set(key, tile);
    return tile;
  }

  private pump(): void {
    while (this.openCount < MAX_OPEN) {
      const next = this.wanted.shift();
      if (!next) return;
      void this.fetch(next.tile, next.tracks);
    }
  }

  private async fetch(tile: Tile, tracks: readonly number[]): Promise<void> {
    const { epoch } = this;
    tile.open = true;
    this.openCount++;
    try {
      const answer = await this.ask({ kind: "window", from: tile.from, to: tile.to, buckets: TILE_BUCKETS, tracks });
      if (epoch !== this.epoch) return;
      for (const track of tracks) tile.tracks.set(track, { answer, ranges: answer.slices.ranges.filter((r) => r.track === track) });
      this.trim();
    } catch (error) {
      if (epoch !== this.epoch) return;
      tile.retryAt = performance.now() + RETRY;
      this.failed(error);
    } finally {
      if (epoch === this.epoch) {
        tile.open = false;
        this.openCount--;
        this.changed();
        this.pump();
      }
    }
  }

  private trim(): void {
    for (const [key, tile] of this.tiles) {
      if (this.tiles.size <= MAX_TILES) return;
      if (!tile.open) this.tiles.delete(key);
    }
  }

  /**
   * Visits the best that is known about a track in [from, to): `visit` gets a tile and the part of the window that it is to
   * be drawn in.
   */
  best(track: number, level: number, from: number, to: number, visit: (tile: TrackTile, from: number, to: number) => void): void {
    const width = TILE_BUCKETS * 2 ** level;
    for (let index = Math.max(0, Math.floor(from / width)); index * width < Math.min(to, this.time + 1); index++) {
      const start = index * width;
      const exact = this.known(level, index, track);
      if (exact) {
        visit(exact, start, start + width);
        continue;
      }
      const left = level > 0 ? this.known(level - 1, index * 2, track) : undefined;
      const right = level > 0 ? this.known(level - 1, index * 2 + 1, track) : undefined;
      if (left && right) {
        visit(left, start, start + width / 2);
        visit(right, start + width / 2, start + width);
        continue;
      }
      for (let up = 1; up < 48; up++) {
        const coarse = this.known(level + up, Math.floor(index / 2 ** up), track);
        if (!coarse) continue;
        visit(coarse, start, start + width);
        break;
      }
    }
  }

  private known(level: number, index: number, track: number): TrackTile | undefined {
    return this.tiles.get(`${level}:${index}`)?.tracks.get(track);
  }
}
