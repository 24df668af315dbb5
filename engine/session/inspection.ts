import type { Engine } from "../engine";
import type { Scope, Variable } from "../inspect";
import { NONE, NO_VCPU, type Trace } from "../trace/trace";
import { formatTime } from "./format";
import { describePath, groupScopes } from "./names";

/** A scope of the debugger. `root` is the path whose state it shows, for data breakpoints. */
export interface InspectedScope extends Scope {
  readonly kind: "event" | "component" | "domain" | "packet";
  readonly root: string | undefined;
}

/** A variable that lasts over time: path of a component or domain, then names down to the variable. */
export interface WatchTarget {
  readonly root: string;
  readonly names: readonly string[];
}

/**
 * Everything that the Variables view shows at a row.
 * @param engine Stands at the state of `row`.
 */
export function inspect(engine: Engine, trace: Trace, row: number): InspectedScope[] {
  const component = trace.names.components[trace.component(row)];
  const packet = trace.packet(row);
  const scopes: InspectedScope[] = [{ kind: "event", name: "Event", root: undefined, variables: describeRow(engine, trace, row) }];
  if (component) {
    scopes.push({ kind: "component", name: component.path, root: component.path, variables: groupScopes(engine.describeComponent(component.id)) });
    if (component.domain !== undefined) {
      scopes.push({ kind: "domain", name: component.domain, root: component.domain, variables: groupScopes(engine.describeDomain(component.domain)) });
    }
  }
  if (packet !== NONE) scopes.push({ kind: "packet", name: String(packet), root: undefined, variables: engine.describePacket(packet).variables });
  return scopes;
}

/** The watched variable as of now; undefined where it does not exist now. */
export function readWatched(engine: Engine, target: WatchTarget): Variable | undefined {
  let variables = groupScopes(describePath(engine, target.root));
  let found: Variable | undefined;
  for (const name of target.names) {
    found = variables.find((variable) => variable.name === name);
    variables = found?.children ?? [];
  }
  return found;
}

/** A row in a few words: `#12 tcp_output (server/nginx/tcpip)`. */
export function rowLabel(trace: Trace, row: number): string {
  return `#${row} ${trace.names.functions[trace.fn(row)]?.name ?? "?"} (${trace.names.components[trace.component(row)]?.path ?? "?"})`;
}

function describeRow(engine: Engine, trace: Trace, number: number): Variable[] {
  const row = trace.row(number);
  const { names } = trace;
  const fn = names.functions[row.fn];
  const variables: Variable[] = [
    { name: "row", value: String(number), number },
    { name: "time", value: formatTime(row.time), number: row.time },
    { name: "begin", value: formatTime(row.begin), number: row.begin },
    { name: "cost", value: formatTime(row.cost), number: row.cost },
    { name: "fn", value: fn?.name ?? "?" },
  ];
  if (fn?.file !== undefined) variables.push({ name: "file", value: fn.file });
  variables.push(
    { name: "kind", value: fn?.kind ?? "?" },
    { name: "component", value: names.components[row.component]?.path ?? "?" },
    { name: "context", value: names.contexts[row.context]?.path ?? "?" },
  );
  const vcpu = row.vcpu === NO_VCPU ? undefined : names.vcpus[row.vcpu];
  if (vcpu) variables.push({ name: "vcpu", value: vcpu.path });
  if (row.packet !== NONE) variables.push({ name: "packet", value: `${row.packet}: ${engine.summarizePacket(row.packet)}`, number: row.packet });
  if (row.cause !== NONE) variables.push({ name: "cause", value: rowLabel(trace, row.cause), number: row.cause });
  if (row.enabler !== NONE) variables.push({ name: "enabler", value: rowLabel(trace, row.enabler), number: row.enabler });
  if (fn?.a !== undefined) variables.push({ name: fn.a, value: String(row.a), number: row.a });
  if (fn?.b !== undefined) variables.push({ name: fn.b, value: String(row.b), number: row.b });
  return variables;
}
