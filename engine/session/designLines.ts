import type { Design, Part, Range } from "../design/model";
import type { ComponentInfo } from "../trace/trace";

/** A place in the design's text; lines and columns count from 0, columns in UTF-16 code units. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** A part of the design that the debugger can point at. */
export interface PlacedPart {
  readonly path: string;
  /** Where its name stands. */
  readonly position: Position;
}

interface Span {
  readonly first: number;
  readonly last: number;
  readonly components: readonly number[];
}

/** Maps lines of the design file to components of the trace, and back. */
export class DesignLines {
  private readonly starts: number[] = [0];
  private readonly parts = new Map<string, Part>();
  private readonly spans: Span[] = [];

  constructor(design: Design, text: string, private readonly components: readonly ComponentInfo[]) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.starts.push(at + 1);
    const named = new Map<string, number[]>();
    const leaves = new Set<string>();
    const add = (part: Part, leaf: boolean): void => {
      if (part.range.end <= part.range.start) return;
      this.parts.set(part.path, part);
      if (leaf) leaves.add(part.path);
    };
    for (const host of design.hosts) {
      add(host, host.kind === "load-generator");
      for (const device of host.devices) {
        add(device, true);
        for (const fn of device.functions) add(fn, true);
      }
      if (host.hypervisor) add(host.hypervisor, true);
      for (const domain of host.domains) {
        add(domain, false);
        for (const component of domain.components) add(component, true);
      }
    }
    for (const link of design.links) add(link, true);
    for (const fault of design.faults) add(fault, true);
    for (const part of [...design.switches, ...design.policies]) add(part, true);
    for (const component of components) {
      const part = this.partOf(component.path);
      if (!part) continue;
      const list = named.get(part.path);
      if (list) list.push(component.id);
      else named.set(part.path, [component.id]);
    }
    for (const part of this.parts.values()) {
      const ids = named.get(part.path);
      if (!ids) continue;
      const whole = leaves.has(part.path);
      this.spans.push({
        first: this.lineAt((whole ? part.range : part.nameRange).start),
        last: this.lineAt(whole ? Math.max(part.range.start, part.range.end - 1) : part.nameRange.end),
        components: ids,
      });
    }
  }

  /** Where the component's name stands; of the nearest enclosing part where the file does not spell the component. */
  positionOf(component: number): Position | undefined {
    const info = this.components[component];
    const part = info && this.partOf(info.path);
    return part && this.position(part.nameRange);
  }

  /** Components on a line: those of the smallest entries that cover it. */
  componentsOn(line: number): readonly number[] {
    let smallest = Infinity;
    let found: number[] = [];
    for (const span of this.spans) {
      if (line < span.first || line > span.last) continue;
      const size = span.last - span.first;
      if (size > smallest) continue;
      found = size < smallest ? [...span.components] : [...found, ...span.components];
      smallest = size;
    }
    return found;
  }

  /** The first line from `line` on that holds a component. */
  nextComponentLine(line: number): number | undefined {
    let next: number | undefined;
    for (const span of this.spans) {
      const candidate = line <= span.first ? span.first : line <= span.last ? line : undefined;
      if (candidate !== undefined && (next === undefined || candidate < next)) next = candidate;
    }
    return next;
  }

  /** Every part that the file spells. */
  placedParts(): PlacedPart[] {
    return [...this.parts.values()].map((part) => ({ path: part.path, position: this.position(part.nameRange) }));
  }

  private partOf(path: string): Part | undefined {
    for (let at = path; at; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
      const part = this.parts.get(at);
      if (part) return part;
    }
    return undefined;
  }

  private position(range: Range): Position {
    const line = this.lineAt(range.start);
    const endLine = this.lineAt(range.end);
    return { line, column: range.start - this.starts[line]!, endLine, endColumn: range.end - this.starts[endLine]! };
  }

  private lineAt(offset: number): number {
    let low = 0;
    let high = this.starts.length;
    while (high - low > 1) {
      const mid = (low + high) >>> 1;
      if (this.starts[mid]! <= offset) low = mid;
      else high = mid;
    }
    return low;
  }
}
