import type { FromTimeline, ToTimeline } from "../../protocol/timeline";
import { TIMELINE_STRINGS, type TimelineStrings } from "../../protocol/timelineStrings";
import { connectHost } from "../ui/host";
import { KeptFocus } from "../ui/keyboard";
import "../ui/ui.css";
import "./timeline.css";
import { TimelineView } from "./timelineView";

const TAGS: readonly ToTimeline["type"][] = ["simulation", "grew", "cursor", "answer", "refused", "action", "focus"];

new KeptFocus();
const root = document.getElementById("timeline") ?? document.body.appendChild(document.createElement("main"));
new TimelineView(root, connectHost<ToTimeline, FromTimeline>(TAGS), strings(root.dataset.strings));

/** The page's strings; a missing one is English. */
function strings(json = "{}"): TimelineStrings {
  const all: Record<keyof TimelineStrings, string> = { ...TIMELINE_STRINGS };
  const given: unknown = JSON.parse(json);
  if (typeof given !== "object" || given === null) return all;
  const texts = new Map(Object.entries(given));
  for (const key of keysOf(all)) {
    const text: unknown = texts.get(key);
    if (typeof text === "string") all[key] = text;
  }
  return all;
}

function keysOf<K extends string>(record: Record<K, string>): K[] {
  return Object.keys(record).filter((key): key is K => key in record);
}
