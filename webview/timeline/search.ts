import type { TraceNames } from "../../engine/trace/trace";
import { textField } from "../ui/controls";

/** The search box: Enter goes to the next event that matches, Shift+Enter to the one before. */
export class Search {
  readonly element: HTMLElement;
  text = "";
  /** Names to look in; {@link refresh} after a change. */
  names: TraceNames | undefined;
  /** Functions that match, for the chart to show; undefined where nothing is searched or no function is named so. */
  highlight: ReadonlySet<number> | undefined;

  constructor(label: string, private readonly actions: { changed(): void; find(direction: 1 | -1): void; leave(): void }) {
    this.element = textField({ label, placeholder: label, onInput: (text) => this.onInput(text) });
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Enter") actions.find(event.shiftKey ? -1 : 1);
      else if (event.key === "Escape") actions.leave();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  private onInput(text: string): void {
    this.text = text.trim();
    this.refresh();
    this.actions.changed();
  }

  /** Looks again, in other names. */
  refresh(): void {
    const wanted = this.text.toLowerCase();
    const found = wanted === "" ? [] : (this.names?.functions ?? []).filter((f) => f.name.toLowerCase().includes(wanted));
    this.highlight = found.length > 0 ? new Set(found.map((f) => f.id)) : undefined;
  }
}
