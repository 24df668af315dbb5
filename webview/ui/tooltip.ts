/** One tooltip for a whole webview, shown for what lies under the pointer or has the keyboard focus. */

export interface TooltipContent {
  readonly title: string;
  /** A line under the title, quieter. */
  readonly subtitle?: string;
  readonly rows?: readonly { readonly label: string; readonly value: string }[];
  /** Sentences that ask for attention, loudest first. */
  readonly problems?: readonly { readonly severity: "error" | "warning" | "info"; readonly message: string }[];
}

/** In CSS pixels of the webview. */
export interface TooltipAnchor {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The delay of VS Code's own hovers (`workbench.hover.delay`), milliseconds. */
const DELAY = 500;
const GAP = 8;

export class Tooltip {
  private readonly element = document.createElement("div");
  private timer: number | undefined;

  constructor(parent: HTMLElement) {
    this.element.className = "tooltip";
    this.element.hidden = true;
    // Everything it says is in the label or description of what it points at: reading it out would say it twice.
    this.element.setAttribute("aria-hidden", "true");
    parent.append(this.element);
  }

  /** Shows after the hover delay, or at once: where another one is visible already, or during a gesture. */
  show(anchor: TooltipAnchor, content: TooltipContent, atOnce = false): void {
    window.clearTimeout(this.timer);
    if (this.element.hidden && !atOnce) this.timer = window.setTimeout(() => this.place(anchor, content), DELAY);
    else this.place(anchor, content);
  }

  hide(): void {
    window.clearTimeout(this.timer);
    this.element.hidden = true;
  }

  private place(anchor: TooltipAnchor, content: TooltipContent): void {
    this.element.replaceChildren(...render(content));
    this.element.hidden = false;
    const { width, height } = this.element.getBoundingClientRect();
    const below = anchor.bottom + GAP + height <= window.innerHeight;
    const top = below ? anchor.bottom + GAP : Math.max(GAP, anchor.top - GAP - height);
    const left = Math.max(GAP, Math.min(anchor.left, window.innerWidth - width - GAP));
    this.element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}

function render(content: TooltipContent): HTMLElement[] {
  const parts = [line("tooltip-title", content.title)];
  if (content.subtitle) parts.push(line("tooltip-subtitle", content.subtitle));
  for (const problem of content.problems ?? []) parts.push(line(`tooltip-problem ${problem.severity}`, problem.message));
  if (content.rows?.length) {
    const list = document.createElement("dl");
    for (const { label, value } of content.rows) {
      const term = document.createElement("dt");
      const text = document.createElement("dd");
      term.textContent = label;
      text.textContent = value;
      list.append(term, text);
    }
    parts.push(list);
  }
  return parts;
}

function line(className: string, text: string): HTMLElement {
  const element = document.createElement("div");
  element.className = className;
  element.textContent = text;
  return element;
}
