import { select, type Selection } from "d3";
import { ICONS, isIconName } from "../ui/icons";
import { glide } from "./glide";
import { HEADER, type Box } from "./scene";
import { GAP, ICON, PAD } from "./sizes";

type Boxes = Selection<SVGGElement, Box, SVGGElement, unknown>;

/** Height of the head line, whose middle carries icon and name. */
const HEAD = 28;
/** Distance of the focus ring from its box. */
const RING = 3;

const HEADED: ReadonlySet<string> = new Set(["host", "client", "domain", "device"]);

/** Writes everything but the place: the same call draws a new box and refreshes an old one. */
export function drawBox(boxes: Boxes): void {
  boxes.each(function (box) {
    const { node } = box;
    const group = select(this);
    group
      .attr("class", `box ${node.kind} type-${node.type}`)
      .classed("idle", node.idle)
      .classed("movable", node.movable)
      .classed("marked", node.mark !== undefined)
      .classed("pile", box.pile)
      .attr("role", "treeitem")
      .attr("aria-label", node.description)
      .attr("aria-level", box.depth + 1)
      .attr("data-path", node.path)
      .attr("data-vscode-context", JSON.stringify({
        webviewSection: node.movable ? "uplink" : node.kind, exoscopePath: node.path, exoscopePinned: node.pinned, preventDefaultContextMenuItems: true,
      }));
    if (!group.attr("tabindex")) group.attr("tabindex", -1);
    if (group.select("rect.body").empty()) {
      for (const name of ["behind far", "behind", "body"]) group.append("rect").attr("class", name);
      group.append("text").attr("class", "icon codicon-glyph");
      group.append("text").attr("class", "label");
      group.append("text").attr("class", "caption");
      group.append("text").attr("class", "badge");
      group.append("text").attr("class", "mark codicon-glyph");
      group.append("rect").attr("class", "ring");
    }
    group.select("text.icon").text(isIconName(node.icon) ? ICONS[node.icon] : "");
    group.select("text.label").text(node.label);
    group.select("text.caption").text(node.caption);
    group.select("text.badge").text(node.badge);
    const mark = group.select("text.mark").attr("class", `mark codicon-glyph ${node.mark?.severity ?? ""}`);
    mark.text(node.mark ? ICONS[node.mark.severity] : "");
  });
}

/** Moves and sizes the boxes, over `duration` milliseconds. */
export function placeBox(boxes: Boxes, duration: number): void {
  boxes.each(function (box) {
    const group = select<SVGGElement, Box>(this);
    glide(group, { transform: `translate(${box.x},${box.y})` }, duration);
    glide(group.selectAll("rect.body, rect.behind"), { width: box.width, height: box.height }, duration);
    glide(group.select("rect.ring"), { x: -RING, y: -RING, width: box.width + 2 * RING, height: box.height + 2 * RING }, duration);
    placeTexts(group, box);
  });
}

function placeTexts(group: Selection<SVGGElement, Box, null, undefined>, box: Box): void {
  const band = box.node.kind === "hypervisor";
  const headed = HEADED.has(box.node.kind);
  const middle = band ? 14 : box.node.kind === "device" ? box.height - HEADER.device / 2 : headed ? HEAD / 2 + 2 : HEAD / 2;
  group.select("text.icon").attr("x", PAD).attr("y", middle + 1);
  group.select("text.label").attr("x", PAD + ICON + GAP).attr("y", middle);
  const caption = group.select("text.caption");
  // The band's two lines stand in the margin that the layout keeps free of bindings.
  if (band) caption.attr("x", PAD).attr("y", 29).attr("text-anchor", "start");
  else if (headed) caption.attr("x", box.width - PAD).attr("y", middle).attr("text-anchor", "end");
  group.select("text.badge").attr("x", box.width - PAD).attr("y", middle).attr("text-anchor", "end");
  group.select("text.mark").attr("x", box.width - 6).attr("y", 1);
}
