import { Breakpoint, HitConditionError, type BreakpointReason, type RowFilter } from "../../../engine/session/breakpoints";
import { isExceptionFilter, isExceptionOf } from "../../../engine/session/exceptions";
import { ExpressionError } from "../../../engine/session/expression";
import type { Session } from "../../../engine/session/session";
import type { BreakpointAnswer, BreakpointGroup, BreakpointRequest } from "../../../protocol/session";

/** The breakpoints of a session, in the groups in which the editor sets them. */
export class BreakpointGroups {
  /** Changes whenever the breakpoints do. */
  version = 0;
  private readonly groups = new Map<BreakpointGroup, readonly Breakpoint[]>();
  private lastId = 0;

  all(): Breakpoint[] {
    return [...this.groups.values()].flat();
  }

  /** Replaces a group; a request that means nothing in this design is answered as not verified, with the reason. */
  set(group: BreakpointGroup, requests: readonly BreakpointRequest[], session: Session): BreakpointAnswer[] {
    const made: Breakpoint[] = [];
    const answers = requests.map((request): BreakpointAnswer => {
      const id = ++this.lastId;
      const place = resolve(request, session);
      if (!place.filter) return { id, verified: false, problem: place.problem };
      try {
        const watch = request.kind === "data" ? request.target : undefined;
        made.push(new Breakpoint(id, reasons[request.kind], session.names, place.filter, request.options, watch));
      } catch (error) {
        if (!(error instanceof ExpressionError || error instanceof HitConditionError)) throw error;
        return { id, verified: false, problem: { kind: "badText", detail: error.message } };
      }
      return { id, verified: true, ...(place.line === undefined ? {} : { line: place.line }), ...(place.problem ? { problem: place.problem } : {}) };
    });
    this.groups.set(group, made);
    this.version++;
    return answers;
  }
}

const reasons: Readonly<Record<BreakpointRequest["kind"], BreakpointReason>> = {
  line: "breakpoint", function: "function breakpoint", exception: "exception", data: "data breakpoint",
};

type Problem = NonNullable<BreakpointAnswer["problem"]>;
type Place = { filter: RowFilter; line?: number; problem?: Problem } | { filter?: never; line?: never; problem: Problem };

function resolve(request: BreakpointRequest, session: Session): Place {
  const { functions } = session.names;
  switch (request.kind) {
    case "line": {
      const line = session.lines.nextComponentLine(request.line);
      if (line === undefined) return { problem: { kind: "noComponent", detail: "" } };
      return { line, filter: { components: session.lines.componentsOn(line) } };
    }
    case "function": {
      const named = functions.filter((fn) => fn.name === request.name.trim());
      if (named.length === 0) return { problem: { kind: "unknownFunction", detail: request.name } };
      return { filter: { functions: named.map((fn) => fn.id) } };
    }
    case "exception": {
      const { filter } = request;
      if (!isExceptionFilter(filter)) return { problem: { kind: "unknownFilter", detail: filter } };
      return { filter: { functions: functions.filter((fn) => isExceptionOf(filter, fn)).map((fn) => fn.id) } };
    }
    case "data": {
      const { root } = request.target;
      const known = session.names.components.some((component) => component.path === root || component.domain === root);
      return known ? { filter: {} } : { problem: { kind: "unknownVariable", detail: root } };
    }
  }
}
