import type { FunctionKind, TraceNames } from "../../engine/trace/trace";
import type { TimelineStrings } from "../../protocol/timelineStrings";

/** sRGB, 0 … 255. */
export type Rgb = readonly [number, number, number];

/** A colour in the forms that drawing needs. */
export interface Ink {
  readonly rgb: Rgb;
  readonly css: string;
  /** Black or white, whichever reads better on it; at least 4.5 : 1. */
  readonly text: string;
}

type Category = "application" | "stack" | "driver" | "server" | "scheduling" | "hardware" | "workload" | "problem";

/** Category of a function's kind, and how far its colour leans towards the background, so that neighbours differ. */
const KINDS: Readonly<Record<FunctionKind, readonly [Category, number]>> = {
  application: ["application", 0], libc: ["application", 0.3],
  tcp: ["stack", 0], udp: ["stack", 0.1], socket: ["stack", 0.35], ip: ["stack", 0.2], ethernet: ["stack", 0.45],
  driver: ["driver", 0], vif: ["driver", 0.25], server: ["server", 0],
  interrupt: ["scheduling", 0], thread: ["scheduling", 0.25], kernel: ["scheduling", 0.15], hypervisor: ["scheduling", 0.4],
  device: ["hardware", 0], dma: ["hardware", 0.2], wire: ["hardware", 0.35], workload: ["workload", 0],
  drop: ["problem", 0], violation: ["problem", 0], timeout: ["problem", 0], fault: ["problem", 0],
};

const LEGEND: readonly (readonly [Category, keyof TimelineStrings])[] = [
  ["application", "legendApplication"], ["stack", "legendStack"], ["driver", "legendDriver"], ["server", "legendServer"],
  ["scheduling", "legendScheduling"], ["hardware", "legendHardware"], ["workload", "legendWorkload"], ["problem", "legendProblem"],
];

/** The theme's colours, resolved; made anew when the theme changes. */
export class Palette {
  readonly background: Rgb;
  readonly foreground: Rgb;
  readonly quiet: string;
  readonly hairline: string;
  readonly line: string;
  readonly packet: Ink;
  readonly selected: string;
  readonly problem: Ink;
  /** Behind the hatching of a domain that does not run. */
  readonly down: Ink;
  readonly font: string;
  readonly smallFont: string;
  /** High contrast: shapes get borders. */
  readonly border: string | undefined;
  private readonly categories: Readonly<Record<Category, Rgb>>;
  private readonly functions: readonly Ink[];
  private readonly domains: ReadonlyMap<string, Ink>;
  private readonly names: TraceNames;
  private readonly washed = new Map<string, Ink>();

  constructor(names: TraceNames) {
    this.names = names;
    const probe = document.createElement("span");
    document.body.append(probe);
    const style = getComputedStyle(probe);
    const read = (value: string): Rgb => {
      probe.style.color = value;
      return parse(style.color);
    };
    this.background = read("var(--vscode-panel-background, var(--vscode-editor-background))");
    this.foreground = read("var(--vscode-foreground)");
    const blue = read("var(--vscode-charts-blue)");
    const green = read("var(--vscode-charts-green)");
    const orange = read("var(--vscode-charts-orange)");
    const yellow = read("var(--vscode-charts-yellow)");
    const purple = read("var(--vscode-charts-purple)");
    const red = read("var(--vscode-charts-red)");
    this.categories = {
      application: green, stack: blue, driver: purple, server: orange, scheduling: yellow,
      hardware: mix(this.foreground, this.background, 0.45), workload: mix(blue, green, 0.5), problem: red,
    };
    this.quiet = css(read("var(--exo-quiet)"));
    this.hairline = css(read("var(--exo-hairline)"));
    this.line = css(read("var(--exo-line)"));
    this.packet = ink(read("var(--exo-packet)"));
    this.selected = css(read("var(--exo-selected)"));
    this.problem = ink(red);
    this.down = ink(mix(this.background, red, 0.12));
    const highContrast = /vscode-high-contrast/.test(document.body.className);
    this.border = highContrast ? css(read("var(--vscode-contrastBorder)")) : undefined;
    const body = getComputedStyle(document.body);
    this.font = `11px ${body.fontFamily}`;
    this.smallFont = `10px ${body.fontFamily}`;
    probe.remove();
    this.functions = names.functions.map((f) => {
      const [category, lean] = KINDS[f.kind];
      return ink(mix(this.categories[category], this.background, lean));
    });
    const hues = [blue, green, purple, orange, yellow, mix(blue, green, 0.5)];
    const paths = [...new Set(names.vcpus.map((v) => v.domain))];
    this.domains = new Map(paths.map((path, k) => [path, ink(hues[k % hues.length]!)]));
  }

  /** Colour of a function's slices. */
  ofFunction(fn: number): Ink { return this.functions[fn] ?? this.ofCategory("hardware"); }
  /** Colour of a domain, as on pCPU tracks. */
  ofDomain(path: string): Ink { return this.domains.get(path) ?? this.ofCategory("hardware"); }
  ofVcpu(vcpu: number): Ink { return this.ofDomain(this.names.vcpus[vcpu]?.domain ?? ""); }
  /** The hypervisor's own work on a pCPU. */
  get scheduling(): Ink { return this.ofCategory("scheduling"); }
  isProblem(fn: number): boolean {
    const kind = this.names.functions[fn]?.kind;
    return kind !== undefined && KINDS[kind][0] === "problem";
  }

  /** The colour with only part of it left over the background. */
  wash(of: Ink, strength: number): Ink {
    const step = Math.round(strength * 16);
    if (step >= 16) return of;
    const key = `${of.css}/${step}`;
    let found = this.washed.get(key);
    if (!found) this.washed.set(key, (found = ink(mix(this.background, of.rgb, step / 16))));
    return found;
  }

  legend(strings: TimelineStrings): readonly { readonly css: string; readonly label: string }[] {
    return [
      ...LEGEND.map(([category, label]) => ({ css: css(this.categories[category]), label: strings[label] })),
      { css: this.packet.css, label: strings.legendPacket },
      { css: this.down.css, label: strings.legendDown },
    ];
  }

  private ofCategory(category: Category): Ink { return ink(this.categories[category]); }
}

/** Calls `changed` whenever VS Code puts another theme's colours on the page. */
export function watchTheme(changed: () => void): void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ["class"] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ["style"] });
}

function mix(a: Rgb, b: Rgb, part: number): Rgb {
  return [a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part, a[2] + (b[2] - a[2]) * part];
}

function css([r, g, b]: Rgb): string { return `rgb(${Math.round(r)}, ${Math.round(g)}, ${Math.round(b)})`; }

function ink(rgb: Rgb): Ink {
  const light = luminance(rgb);
  return { rgb, css: css(rgb), text: (light + 0.05) / 0.05 > 1.05 / (light + 0.05) ? "#000" : "#fff" };
}

/** Relative luminance, WCAG 2.2. */
function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

/** A computed colour: `rgb(…)`, `rgba(…)` or, where it was mixed, `color(srgb …)` with parts of one. */
function parse(color: string): Rgb {
  const unit = color.startsWith("color(") ? 255 : 1;
  const numbers = (color.replace("srgb", "").match(/[\d.]+(e-\d+)?/g) ?? []).map(Number);
  return [(numbers[0] ?? 128) * unit, (numbers[1] ?? 128) * unit, (numbers[2] ?? 128) * unit];
}
