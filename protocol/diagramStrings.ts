/** The diagram's own words, in English; the extension localises them before it hands them to the webview. `{0}` … are filled in there. */
export const DIAGRAM_STRINGS = {
  diagram: "Diagram of {0}",
  hint: "Arrow keys move between the parts. Enter goes to the part in the text, M moves an uplink, Alt with an arrow key moves a box, U undoes that, plus and minus zoom, 0 fits the page.",
  zoomIn: "Zoom In (+)",
  zoomOut: "Zoom Out (-)",
  fit: "Fit Diagram (0)",
  laidOut: "{0} parts, {1} connections",
  loading: "Laying out…",
  emptyTitle: "Nothing to draw yet",
  emptyText: "Describe hosts, domains and components in the text, and they appear here.",
  insertStarter: "Insert a First Design",
  stale: "Showing the last design that could be read. Line {0}, column {1}: {2}",
  unreadable: "This text cannot be drawn. Line {0}, column {1}: {2}",
  goThere: "Go to the Problem",
  layoutFailed: "The layout failed: {0}",
  legend: "Legend",
  legendBoundary: "protection boundary",
  legendCall: "call",
  legendCrossing: "system call, message",
  legendChannel: "ring + event channel",
  legendBinding: "binding: DMA, interrupt",
  legendGuard: "IOMMU mapping",
  legendLink: "link",
  legendPacket: "current packet",
  dragging: "Moving the uplink of {0}. Possible targets: {1}.",
  noTargets: "none",
  dropHere: "Drop to use {0}",
  dragCancelled: "The uplink stays where it is.",
  placing: "Moving {0}.",
  placeCancelled: "{0} stays where it is.",
  noPlace: "{0} has nowhere to go in that direction.",
  notATarget: "An uplink goes to a PCI function or to a network server.",
  alreadyThere: "It is there already.",
  readOnly: "The file is read-only: the diagram cannot change it.",
  dismiss: "Dismiss",
  pile: "One of {0} alike",
  pileHint: "Same kind, components and uplink. Page Down and Page Up show the next and the one before, and so does the caret in its lines.",
  more: "+ {0} more",
  moreOf: "{0} more in {1}",
  packetAt: "{0} in {1}: {2}",
  packetNone: "{0} in {1}",
} as const;

export type DiagramStrings = Readonly<Record<keyof typeof DIAGRAM_STRINGS, string>>;

/** Fills `{0}`, `{1}` … of `message`. A place without an argument stays as it is. */
export function fill(message: string, ...values: readonly (string | number)[]): string {
  return message.replace(/\{(\d+)\}/g, (place, index: string) => String(values[Number(index)] ?? place));
}
