/**
 * What the diagram shows, and the messages between the extension (which has the text, the design and the debugger's
 * cursor) and the webview (which lays out and draws). Texts arrive localised.
 */
import type { CursorView } from "./cursor";
import type { DiagramStrings } from "./diagramStrings";

export type NodeKind = "host" | "client" | "workload" | "domain" | "component" | "hypervisor" | "device" | "function";

export type Severity = "error" | "warning" | "info";

export interface Detail {
  readonly label: string;
  readonly value: string;
}

export interface Mark {
  readonly severity: Severity;
  /** The sentences of the problems, worst first. */
  readonly messages: readonly string[];
}

/** A box or a tile. */
export interface DiagramNode {
  /** The design's path: stable over edits. */
  readonly path: string;
  /** Path of the box that it lies in. */
  readonly parent: string | undefined;
  readonly kind: NodeKind;
  /** The domain's kind, the component's, device's or workload's type. */
  readonly type: string;
  readonly label: string;
  /** What a box says beside its name, e.g. `VM · 2 vCPUs`; empty on tiles. */
  readonly caption: string;
  /** The one number of a tile, e.g. `:80`; empty if it has none. */
  readonly badge: string;
  /** Name of a codicon. */
  readonly icon: string;
  /**
   * Level of privilege and service, from the top of the page: an application's domain 0, a server that it uses 1, a
   * server that this one uses 2 … Used for domains only.
   */
  readonly rank: number;
  /** A function without a driver; a domain's uplink that it could use but does not. */
  readonly idle: boolean;
  /** The box that moves with it stands where the user has pinned it. */
  readonly pinned: boolean;
  /** The domain's active uplink, which the user can drag to another target. */
  readonly movable: boolean;
  readonly details: readonly Detail[];
  readonly mark: Mark | undefined;
  /** What assistive technology says: name, kind, place, problems. */
  readonly description: string;
}

/**
 * `call`: neighbours in a domain's stack. `channel`: shared-memory rings with notifications. `binding`: a driver and its
 * PCI function (DMA, doorbells, interrupts). `link`: a network link. `crossing`: a call into another protection domain, through
 * the kernel.
 */
export type EdgeKind = "call" | "crossing" | "channel" | "binding" | "link";

export interface DiagramEdge {
  readonly id: string;
  readonly kind: EdgeKind;
  /** Paths. The upper end first; of a link the client. */
  readonly from: string;
  readonly to: string;
  /** An uplink that is there but not in use. */
  readonly idle: boolean;
  /** A binding whose DMA goes through an IOMMU; false on the other kinds. */
  readonly guarded: boolean;
  /** e.g. `Ring and event channel`. */
  readonly title: string;
  /** What stands beside it on the page, e.g. `10 Gb/s · 2 µs`; empty on most. */
  readonly caption: string;
  readonly details: readonly Detail[];
}

export interface DiagramModel {
  readonly name: string;
  /** Parents before children; siblings in the file's order. */
  readonly nodes: readonly DiagramNode[];
  readonly edges: readonly DiagramEdge[];
  /** The user's own positions by path, diagram units: a host stands there; of domains and devices x says the order from left to right. */
  readonly pins: Readonly<Record<string, { readonly x: number; readonly y: number }>>;
}

const BOXES: ReadonlySet<NodeKind> = new Set<NodeKind>(["host", "client", "domain", "device"]);

/** The box that moves when a part is moved: itself, or the one around a tile. A hypervisor stays under its domains. */
export function boxAround(nodes: readonly DiagramNode[], path: string): DiagramNode | undefined {
  const part = nodes.find((node) => node.path === path);
  if (!part || part.kind === "hypervisor") return undefined;
  return BOXES.has(part.kind) ? part : nodes.find((node) => node.path === part.parent);
}

/** A place in the text, for people: lines and columns from 1. */
export interface TextPlace {
  readonly offset: number;
  readonly line: number;
  readonly column: number;
}

/** Why the picture is older than the text. */
export interface Unreadable {
  readonly message: string;
  readonly place: TextPlace;
}

/** Where an uplink could go; `refusal` says why it cannot. */
export interface MoveTarget {
  /** Path of a PCI function or of a server component. */
  readonly path: string;
  readonly label: string;
  readonly refusal: string | undefined;
  /** It is there already. */
  readonly current: boolean;
}

export type ToDiagram =
  /** The design changed. */
  | { readonly type: "design"; readonly model: DiagramModel; readonly readOnly: boolean }
  /** The text cannot be drawn; keep showing the last design. */
  | { readonly type: "unreadable"; readonly problem: Unreadable }
  /** There is nothing in the file. */
  | { readonly type: "empty"; readonly readOnly: boolean }
  /** The debugger's cursor, or that there is none. */
  | { readonly type: "cursor"; readonly cursor: CursorView | undefined }
  /** The caret is in the lines of this part. */
  | { readonly type: "select"; readonly path: string | undefined }
  /** Answer to `askTargets`. */
  | { readonly type: "targets"; readonly uplink: string; readonly targets: readonly MoveTarget[]; readonly refusal: string | undefined }
  /** What became of a gesture: said and, where it failed, shown. */
  | { readonly type: "outcome"; readonly ok: boolean; readonly message: string }
  /** See `focusPage`. */
  | { readonly type: "focus" };

export type FromDiagram =
  | { readonly type: "ready" }
  /** The user chose a part: show its line in the text; with `focus`, put the caret there. */
  | { readonly type: "select"; readonly path: string; readonly focus: boolean }
  | { readonly type: "askTargets"; readonly uplink: string }
  | { readonly type: "move"; readonly uplink: string; readonly target: string }
  /** Without a pointer: let the user choose the target from VS Code's own list. */
  | { readonly type: "pickTarget"; readonly uplink: string }
  /** Write pins into the file: one edit. */
  | { readonly type: "pin"; readonly path: string; readonly pins: readonly { readonly path: string; readonly x: number; readonly y: number }[] }
  /** Take the pin of the box around this part out of the file. */
  | { readonly type: "unpin"; readonly path: string }
  /** Show this place of the text and put the caret there. */
  | { readonly type: "reveal"; readonly offset: number }
  /** Write a first design into an empty file. */
  | { readonly type: "insertStarter" };

export const TO_DIAGRAM: readonly ToDiagram["type"][] = [
  "design", "unreadable", "empty", "cursor", "select", "targets", "outcome", "focus",
];

/** What the page carries for the script, as JSON in an attribute. */
export interface DiagramBoot {
  readonly strings: DiagramStrings;
  /** Address of ELK's worker script. */
  readonly elkWorker: string;
}
