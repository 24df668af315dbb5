import type { Trace, TraceNames } from "../trace/trace";
import { display, isTrue, parseExpression, type Expression, type Lookup } from "./expression";
import type { WatchTarget } from "./inspection";

/** What makes a breakpoint more than a place. */
export interface BreakpointOptions {
  readonly condition?: string | undefined;
  /** `3`, `>= 3`, `% 10`: counted from the start of the run, so that going back counts the same. */
  readonly hitCondition?: string | undefined;
  /** Written instead of stopping; expressions in braces. */
  readonly logMessage?: string | undefined;
}

/** Which rows a breakpoint sits on; undefined: any. */
export interface RowFilter {
  readonly components?: readonly number[];
  readonly functions?: readonly number[];
}

export type BreakpointReason = "breakpoint" | "function breakpoint" | "exception" | "data breakpoint";

type HitTest = (count: number) => boolean;

/** A breakpoint made ready: its texts parsed, its place turned into masks over the trace's ids. */
export class Breakpoint {
  readonly condition: Expression | undefined;
  readonly hit: HitTest | undefined;
  readonly log: LogMessage | undefined;
  private readonly components: Uint8Array | undefined;
  private readonly functions: Uint8Array | undefined;

  /**
   * @param id Unique in the session.
   * @param watch For a data breakpoint: what it watches; such a one sits on no row of its own.
   * @throws ExpressionError where one of the texts does not parse; the message is for people.
   */
  constructor(
    readonly id: number, readonly reason: BreakpointReason, names: TraceNames, filter: RowFilter,
    options: BreakpointOptions, readonly watch?: WatchTarget,
  ) {
    this.components = filter.components && mask(names.components.length, filter.components);
    this.functions = filter.functions && mask(names.functions.length, filter.functions);
    this.condition = options.condition?.trim() ? parseExpression(options.condition) : undefined;
    this.hit = options.hitCondition?.trim() ? parseHitCondition(options.hitCondition) : undefined;
    this.log = options.logMessage ? new LogMessage(options.logMessage) : undefined;
  }

  /** Whether the breakpoint sits on this row, conditions apart. */
  sitsOn(trace: Trace, row: number): boolean {
    return !this.watch
      && (!this.components || this.components[trace.component(row)] === 1)
      && (!this.functions || this.functions[trace.fn(row)] === 1);
  }

  holds(lookup: Lookup): boolean {
    return !this.condition || isTrue(this.condition.evaluate(lookup));
  }
}

/** Text with expressions in braces: `cwnd is {tcpip.connections[0].cwnd}`. */
export class LogMessage {
  readonly expressions: readonly Expression[];
  private readonly texts: readonly string[];

  /** @throws ExpressionError where an expression does not parse. */
  constructor(message: string) {
    const parts = message.split(/\{([^{}]*)\}/);
    this.texts = parts.filter((_, i) => i % 2 === 0);
    this.expressions = parts.filter((_, i) => i % 2 === 1).map(parseExpression);
  }

  format(lookup: Lookup): string {
    return this.texts.map((text, i) => {
      const expression = this.expressions[i];
      return expression ? text + display(expression.evaluate(lookup)) : text;
    }).join("");
  }
}

/** The condition on the number of hits is not understood. */
export class HitConditionError extends Error {}

/** @throws HitConditionError */
function parseHitCondition(text: string): HitTest {
  const match = /^\s*(>=|>|<=|<|==?|%)?\s*(\d+)\s*$/.exec(text);
  const operator = match?.[1] ?? "==";
  const limit = Number(match?.[2]);
  if (!match || (operator === "%" && limit === 0)) throw new HitConditionError(`“${text}” is not a hit count; write a number, or one after >=, >, <=, < or %.`);
  switch (operator) {
    case ">=": return (count) => count >= limit;
    case ">": return (count) => count > limit;
    case "<=": return (count) => count <= limit;
    case "<": return (count) => count < limit;
    case "%": return (count) => count % limit === 0;
    default: return (count) => count === limit;
  }
}

function mask(length: number, ids: readonly number[]): Uint8Array {
  const bits = new Uint8Array(length);
  for (const id of ids) bits[id] = 1;
  return bits;
}
