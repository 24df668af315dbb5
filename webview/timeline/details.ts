import type { EventDetail, EventLink } from "../../engine/trace/timelineQuery";
import type { TraceNames } from "../../engine/trace/trace";
import type { TimelineStrings } from "../../protocol/timelineStrings";
import type { TooltipContent } from "../ui/tooltip";
import type { Palette } from "./palette";
import { formatDuration, formatTime } from "./timeFormat";
import { fill } from "./wording";

/** One sentence about an event. */
export function describeEvent(event: EventDetail, names: TraceNames, strings: TimelineStrings): string {
  const sentence = fill(
    strings.event, names.functions[event.fn]?.name ?? "?", names.components[event.component]?.path ?? "?", placeOf(event, names),
    formatTime(event.begin), formatDuration(lengthOf(event)),
  );
  if (event.packet < 0) return sentence;
  return `${sentence}. ${fill(strings.packet, String(event.packet))}${event.packetSummary ? `: ${event.packetSummary}` : ""}`;
}

export function tooltipFor(event: EventDetail, names: TraceNames | undefined, strings: TimelineStrings): TooltipContent {
  if (!names) return { title: "" };
  const fn = names.functions[event.fn];
  const elapsed = event.time - event.begin;
  return {
    title: fn?.name ?? "?",
    ...(fn?.file ? { subtitle: fn.file } : {}),
    rows: [
      { label: strings.component, value: names.components[event.component]?.path ?? "?" },
      { label: strings.context, value: placeOf(event, names) },
      { label: strings.time, value: formatTime(event.begin) },
      { label: strings.duration, value: formatDuration(lengthOf(event)) },
      ...(elapsed > event.cost ? [{ label: strings.effect, value: formatTime(event.time) }] : []),
      ...(event.packet >= 0 ? [{ label: strings.packetLabel, value: [`#${event.packet}`, event.packetSummary].filter(Boolean).join("  ") }] : []),
    ],
  };
}

/** Work done; of a switch on a pCPU how long the vCPU runs. */
function lengthOf(event: EventDetail): number {
  return event.cost > 0 ? event.cost : event.end - event.begin;
}

/** The execution context and, where it is not in its path, the vCPU's domain. */
function placeOf(event: EventDetail, names: TraceNames): string {
  const context = names.contexts[event.context]?.path ?? "?";
  const vcpu = names.vcpus[event.vcpu];
  if (!vcpu) return context;
  const steps = vcpu.path.split("/");
  return `${context} (${steps.slice(context.startsWith(`${vcpu.domain}/`) ? -1 : -2).join("/")})`;
}

/** The strip under the chart: the selected event in words, a way to its causes, and the legend. */
export class Details {
  readonly element = document.createElement("div");
  private readonly status = document.createElement("div");
  private readonly links = document.createElement("div");
  private readonly legend = document.createElement("ul");

  constructor(private readonly strings: TimelineStrings, private readonly goTo: (row: number) => void) {
    this.element.className = "details";
    this.status.className = "status";
    this.status.tabIndex = 0;
    this.status.setAttribute("role", "status");
    this.status.setAttribute("aria-live", "polite");
    this.links.className = "links";
    this.legend.className = "legend";
    this.legend.setAttribute("aria-label", strings.legend);
    // Where the panel is low the legend is behind a button (timeline.css).
    const toggle = document.createElement("button");
    toggle.className = "legend-toggle";
    toggle.textContent = strings.legend;
    toggle.setAttribute("aria-expanded", "false");
    toggle.addEventListener("click", () => toggle.setAttribute("aria-expanded", String(this.legend.classList.toggle("open"))));
    this.element.append(this.status, this.links, toggle, this.legend);
    this.say(strings.nothingSelected);
  }

  say(text: string, quiet = true): void {
    this.status.classList.toggle("quiet", quiet);
    this.status.title = text;
    if (this.status.textContent !== text) this.status.textContent = text;
  }

  show(event: EventDetail | undefined, names: TraceNames): void {
    const links: HTMLElement[] = [];
    if (!event) this.say(this.strings.nothingSelected);
    else {
      this.say(describeEvent(event, names, this.strings), false);
      const add = (text: string, link: EventLink | undefined): void => {
        if (!link) return;
        const button = document.createElement("button");
        button.textContent = fill(text, names.functions[link.fn]?.name ?? "?");
        button.addEventListener("click", () => this.goTo(link.row));
        links.push(button);
      };
      add(this.strings.goToCause, event.cause);
      if (event.enabler?.row !== event.cause?.row) add(this.strings.goToEnabler, event.enabler);
    }
    this.links.replaceChildren(...links);
  }

  showLegend(palette: Palette): void {
    this.legend.replaceChildren(...palette.legend(this.strings).map(({ css, label }) => {
      const item = document.createElement("li");
      const swatch = document.createElement("span");
      swatch.className = "swatch";
      swatch.style.background = css;
      item.append(swatch, label);
      return item;
    }));
  }
}
