/** What is drawn, placed: boxes and wires in diagram units (CSS pixels at zoom 1). */
import type { DiagramEdge, DiagramNode, EdgeKind } from "../../protocol/diagram";

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Box extends Rect {
  readonly node: DiagramNode;
  /** 0 for hosts. */
  readonly depth: number;
  /** It stands for a pile of boxes like it. */
  readonly pile: boolean;
}

/** `switch`: inside a device, between a function and the port to the wire. */
export type WireKind = EdgeKind | "switch";

export interface Wire {
  readonly id: string;
  readonly kind: WireKind;
  readonly from: string;
  readonly to: string;
  readonly idle: boolean;
  /** Orthogonal, at least two points. */
  readonly points: readonly Point[];
  /** Where it passes the IOMMU. */
  readonly guard: Point | undefined;
  /** Middle of the text beside it. */
  readonly caption: Point | undefined;
  /** The model's edge; a `switch` has none. */
  readonly edge: DiagramEdge | undefined;
}

export interface Picture extends Rect {
  /** Outer boxes before the ones in them. */
  readonly boxes: readonly Box[];
  readonly wires: readonly Wire[];
}

export interface Scene extends Picture {
  /** What domains and devices stand in the order of, by path, from left to right: pins, or where they would stand without. */
  readonly order: ReadonlyMap<string, number>;
}

/** The 4 px grid, and what hangs on it. */
export const GRID = 4;
export const TILE_HEIGHT = 28;
export const BAND_HEIGHT = 40;
/** Height of a box's head line; a device has it at its foot, where its functions face the hypervisor. */
export const HEADER = { host: 36, domain: 32, device: 28 } as const;

export function onGrid(value: number): number {
  return Math.ceil(value / GRID) * GRID;
}
