import { TO_DIAGRAM, type DiagramBoot, type DiagramModel, type FromDiagram, type ToDiagram } from "../../protocol/diagram";
import { fill } from "../../protocol/diagramStrings";
import { Announcer } from "../ui/announce";
import { connectHost } from "../ui/host";
import { KeptFocus } from "../ui/keyboard";
import { Tooltip } from "../ui/tooltip";
import { Chrome, type LegendKind } from "./chrome";
import { DiagramView } from "./diagramView";
import { Layouter } from "./layout";
import { textMeasure } from "./measure";
import type { Direction } from "./navigate";
import { pileUp, type PiledModel } from "./piles";
import { PinDrag } from "./pinDrag";
import { movedBox, nudged } from "./placing";
import { UplinkDrag } from "./uplinkDrag";
import { isViewportState } from "./viewport";
import "../ui/ui.css";
import "./diagram.css";

function run(root: HTMLElement): void {
  // Written by the extension into the page that it made: the two are built together.
  const { strings, elkWorker }: DiagramBoot = JSON.parse(root.dataset["boot"] ?? "");
  const host = connectHost<ToDiagram, FromDiagram>(TO_DIAGRAM);
  const announcer = new Announcer(document.body);
  const tooltip = new Tooltip(document.body);
  const view = new DiagramView(root, tooltip, new KeptFocus(), {
    chosen: (path, focus) => host.post({ type: "select", path, focus }),
    moveWanted: (uplink) => {
      if (readOnly) refuse(strings.readOnly);
      else host.post({ type: "pickTarget", uplink: uplink.path });
    },
    placeWanted: (path, direction) => place(path, direction),
    unpinWanted: (path) => {
      if (readOnly) refuse(strings.readOnly);
      else host.post({ type: "unpin", path });
    },
    hiddenWanted: (path) => bringToFront(path),
    leaf: (path, step) => leaf(path, step),
    viewChanged: (state) => host.saveState(state),
  });
  const chrome = new Chrome(root, strings, {
    zoom: (direction) => view.viewport.zoomBy(direction),
    fit: () => view.viewport.fit(),
    reveal: (offset) => host.post({ type: "reveal", offset }),
    insertStarter: () => host.post({ type: "insertStarter" }),
    footResized: (height) => view.viewport.coverBottom(height),
  });
  const saved = host.savedState();
  if (isViewportState(saved) && !saved.fitted) view.viewport.restore(saved);

  const refuse = (reason: string): void => {
    chrome.say("warning", reason);
    announcer.say(reason);
  };
  let hovered: string | undefined;
  const drag = new UplinkDrag(view.drawing, view.viewport, () => view.scene, {
    notATarget: strings.notATarget,
    alreadyThere: strings.alreadyThere,
    askTargets: (uplink) => host.post({ type: "askTargets", uplink }),
    started: (uplink, targets) => {
      tooltip.hide();
      const possible = targets.filter((target) => !target.current && target.refusal === undefined).map((target) => target.label);
      announcer.say(fill(strings.dragging, uplink.path, possible.join(", ") || strings.noTargets));
    },
    hover: (over, at) => {
      const title = over && (over.refusal ?? fill(strings.dropHere, over.label));
      if (title === undefined) tooltip.hide();
      else {
        tooltip.show({ left: at.x + 12, right: at.x + 12, top: at.y, bottom: at.y + 12 }, over?.refusal === undefined
          ? { title } : { title: over.label, problems: [{ severity: "warning", message: over.refusal }] }, true);
        if (title !== hovered) announcer.say(title);
      }
      hovered = title;
    },
    dropped: (uplink, target) => {
      if (target.refusal !== undefined) refuse(target.refusal);
      else host.post({ type: "move", uplink, target: target.path });
    },
    cancelled: () => announcer.say(strings.dragCancelled),
  });

  new PinDrag(view.drawing, view.viewport, () => view.scene, {
    refusal: () => (readOnly ? strings.readOnly : undefined),
    refused: refuse,
    started: (box) => {
      tooltip.hide();
      announcer.say(fill(strings.placing, box.label));
    },
    dropped: (box, pins) => host.post({ type: "pin", path: box.path, pins }),
    cancelled: (box) => announcer.say(fill(strings.placeCancelled, box.label)),
  });
  const place = (path: string, direction: Direction): void => {
    const box = view.scene && movedBox(view.scene, path);
    if (!view.scene || !box) return;
    const pins = nudged(view.scene, box, direction)?.pins ?? [];
    if (readOnly) refuse(strings.readOnly);
    else if (pins.length === 0) announcer.say(fill(strings.noPlace, box.node.label));
    else host.post({ type: "pin", path: box.node.path, pins });
  };

  const layouter = new Layouter(elkWorker, textMeasure());
  let readOnly = false;
  let newest: DiagramModel | undefined;
  let shown: { readonly model: DiagramModel; readonly piled: PiledModel } | undefined;
  const bringToFront = (path: string): void => {
    if (!shown) return;
    const hidden = [...shown.piled.piles.values()].flat().some((member) => path === member || path.startsWith(`${member}/`));
    if (hidden) void draw(shown.model);
  };
  const leaf = (path: string, step: 1 | -1): void => {
    const [front, members] = [...(shown?.piled.piles ?? [])].find(([each]) => path === each || path.startsWith(`${each}/`)) ?? [];
    if (front === undefined || !members) return;
    // Pressed again before the last one was drawn, it goes on from there.
    const at = focusWhenDrawn !== undefined && members.includes(focusWhenDrawn) ? focusWhenDrawn : front;
    const next = members[(members.indexOf(at) + step + members.length) % members.length];
    if (next === undefined) return;
    host.post({ type: "select", path: next, focus: false });
    view.select(next);
    focusWhenDrawn = next;
  };
  let focusWhenDrawn: string | undefined;
  let layingOut = false;
  /** One layout at a time; of the models that come in meanwhile only the newest is laid out. */
  const draw = async (model: DiagramModel): Promise<void> => {
    newest = model;
    if (layingOut) return;
    layingOut = true;
    try {
      while (newest) {
        const next: DiagramModel = newest;
        newest = undefined;
        // What is in front stays there, unless something in the same pile is selected, or is where the packet is.
        const fronts = [...(shown?.piled.piles.keys() ?? []), ...view.wanted()];
        const piled = pileUp(next, fronts, strings);
        const scene = await layouter.layout(piled.model, new Set(piled.piles.keys()));
        shown = { model: next, piled };
        view.show(scene, `${fill(strings.diagram, next.name)}. ${fill(strings.laidOut, scene.boxes.length, next.edges.length)}. ${strings.hint}`);
        if (focusWhenDrawn !== undefined) view.focus(focusWhenDrawn);
        focusWhenDrawn = undefined;
        chrome.showLegend(legendOf(next));
        chrome.drawn();
      }
    } catch (error) {
      chrome.say("error", fill(strings.layoutFailed, error instanceof Error ? error.message : String(error)));
    } finally {
      layingOut = false;
    }
  };

  host.onMessage((message) => {
    switch (message.type) {
      case "design":
        readOnly = message.readOnly;
        chrome.showStale(undefined);
        void draw(message.model);
        break;
      case "unreadable":
        if (view.scene) chrome.drawn();
        if (view.scene || newest) chrome.showStale(message.problem);
        else chrome.unreadable(message.problem);
        break;
      case "empty":
        readOnly = message.readOnly;
        chrome.showStale(undefined);
        chrome.empty(message.readOnly);
        break;
      case "cursor":
        view.showCursor(message.cursor);
        chrome.showPacket(message.cursor);
        break;
      case "select":
        view.select(message.path);
        break;
      case "targets":
        drag.offer(message.uplink, message.targets, message.refusal);
        break;
      case "outcome":
        if (message.ok) announcer.say(message.message);
        else refuse(message.message);
        break;
      case "focus":
        window.focus();
        break;
    }
  });
  host.post({ type: "ready" });
}

function legendOf(model: DiagramModel): ReadonlySet<LegendKind> {
  const kinds = new Set<LegendKind>(model.edges.map((edge) => edge.kind));
  if (model.nodes.some((node) => node.kind === "domain")) kinds.add("boundary");
  if (model.edges.some((edge) => edge.guarded)) kinds.add("guard");
  return kinds;
}

const root = document.getElementById("diagram");
if (root) run(root);
