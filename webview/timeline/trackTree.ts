import type { PacketLane, Track } from "../../engine/trace/timelineQuery";
import type { TimelineStrings } from "../../protocol/timelineStrings";
import { fill } from "./wording";

/** Height of a row, CSS pixels: VS Code's own lists. */
export const ROW_HEIGHT = 22;
const LANE_HEIGHT = 8;

/** A line of the track list, and the strip of the chart beside it. */
export interface TrackRow {
  /** Stable over growth and reordering. */
  readonly key: string;
  readonly level: number;
  readonly label: string;
  /** Full path, for the accessible name and the tooltip. */
  readonly path: string;
  /** The track; −1 on a group. */
  readonly track: number;
  readonly lanes: number;
  readonly domain: string | undefined;
  /** The domain whose the track is, or the group. */
  readonly home: string | undefined;
  /** The domain has vCPUs: it shows the colour that its slices have on pCPU tracks. */
  readonly swatch: boolean;
  /** The lane of the current packet. */
  readonly current: boolean;
  /** Undefined where there is nothing to expand. */
  readonly expanded: boolean | undefined;
  /** Tracks under a group: drawn small in its row while it is collapsed. */
  readonly inside: readonly Track[];
  readonly packet: number;
  readonly top: number;
  readonly height: number;
}

interface Node {
  readonly key: string;
  readonly label: string;
  readonly path: string;
  readonly domain?: string;
  readonly children: Node[];
  readonly track?: Track;
  readonly packet?: number;
}

/**
 * The rows to show: packets, then each host with its CPUs, its domains and its devices. A group with one member of its own
 * name is left out.
 */
export function trackRows(
  tracks: readonly Track[], packets: readonly PacketLane[], current: number, collapsed: ReadonlySet<string>, strings: TimelineStrings,
): TrackRow[] {
  const roots: Node[] = [packetGroup(packets, current, strings)];
  for (const host of new Set(tracks.map((t) => t.host))) roots.push(hostGroup(host, tracks.filter((t) => t.host === host), strings));
  const rows: TrackRow[] = [];
  let top = 0;
  const add = (node: Node, level: number): void => {
    const isGroup = node.track === undefined && node.packet === undefined;
    const expanded = isGroup ? !collapsed.has(node.key) : undefined;
    const lanes = node.track?.lanes ?? 1;
    const height = lanes > 2 ? lanes * LANE_HEIGHT + 4 : ROW_HEIGHT;
    rows.push({
      key: node.key, level, label: node.label, path: node.path, track: node.track?.id ?? -1, lanes, domain: node.domain, home: node.domain ?? node.track?.domain, expanded,
      swatch: node.children.some((child) => child.track?.kind === "vcpu"),
      current: node.packet !== undefined && node.packet === current,
      inside: isGroup ? tracksIn(node) : [], packet: node.packet ?? -1, top, height,
    });
    top += height;
    if (expanded) for (const child of node.children) add(child, level + 1);
  };
  for (const root of roots) add(root, 0);
  return rows;
}

/** The last step of the path; of a device all that follows its host, since `vf0` alone does not say of what. */
function labelOf({ path, host, kind }: Track): string {
  return kind === "device" && path.startsWith(`${host}/`) ? path.slice(host.length + 1) : (path.split("/").at(-1) ?? path);
}

function tracksIn(node: Node): Track[] {
  return node.track ? [node.track] : node.children.flatMap(tracksIn);
}

function packetGroup(packets: readonly PacketLane[], current: number, strings: TimelineStrings): Node {
  return {
    key: "packets", label: strings.packets, path: strings.packets,
    children: packets.map((lane, k): Node => ({
      key: `packet-lane/${k}`, label: `#${lane.packet}`,
      path: [fill(lane.packet === current ? strings.currentPacket : strings.packet, String(lane.packet)), lane.summary].filter(Boolean).join(", "),
      children: [], packet: lane.packet,
      track: { id: lane.track, kind: "packet", path: `#${lane.packet}`, host: "", domain: undefined, lanes: 1, slices: 0 },
    })),
  };
}

function hostGroup(host: string, tracks: readonly Track[], strings: TimelineStrings): Node {
  const leaf = (t: Track): Node => ({ key: `track/${t.id}`, label: labelOf(t), path: t.path, track: t, children: [] });
  const group = (key: string, label: string, members: readonly Track[], domain?: string): Node[] =>
    members.length === 0 ? [] : [{ key: `${host}//${key}`, label, path: domain ?? `${host}, ${label}`, domain, children: members.map(leaf) }];
  // vCPUs first; what runs on none (an interrupt that waits for its vCPU, a workload's clock) after them.
  const placed = [...tracks.filter((t) => t.kind === "vcpu"), ...tracks.filter((t) => t.kind === "thread")];
  const domains = [...new Set(placed.map((t) => t.domain ?? host))];
  const children = [
    ...group("cpus", strings.cpus, tracks.filter((t) => t.kind === "pcpu")),
    ...domains.flatMap((domain) => group(domain, domain.split("/").at(-1) ?? domain, placed.filter((t) => (t.domain ?? host) === domain), domain)),
    ...group("devices", strings.devices, tracks.filter((t) => t.kind === "device" || t.kind === "link")),
  ];
  const only = children.length === 1 ? children[0] : undefined;
  return { key: host, label: host, path: host, children: only ? only.children : children };
}
