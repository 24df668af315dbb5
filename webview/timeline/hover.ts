import type { EventDetail } from "../../engine/trace/timelineQuery";
import { Tooltip, type TooltipContent } from "../ui/tooltip";

/** The event under the pointer, and its tooltip. */
export class Hover {
  event: EventDetail | undefined;
  private asked = 0;
  private readonly tooltip = new Tooltip(document.body);

  /** @param changed a frame is needed. */
  constructor(private readonly describe: (event: EventDetail) => TooltipContent, private readonly changed: () => void) {}

  /** The pointer is at a point of the window, CSS pixels; `found` will say over what. */
  async over(x: number, y: number, found: Promise<EventDetail | undefined>): Promise<void> {
    const asked = ++this.asked;
    const event = await found;
    if (asked !== this.asked) return;
    if (event?.row !== this.event?.row) this.changed();
    this.event = event;
    if (event) this.tooltip.show({ left: x + 12, right: x + 12, top: y - 8, bottom: y + 12 }, this.describe(event));
    else this.tooltip.hide();
  }

  leave(): void {
    this.asked++;
    this.tooltip.hide();
    if (this.event) this.changed();
    this.event = undefined;
  }
}
