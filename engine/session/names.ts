import type { Engine } from "../engine";
import type { Scope, Variable } from "../inspect";
import { NONE, NO_VCPU, type Trace } from "../trace/trace";
import type { Entity, Lookup, Value } from "./expression";

const units: Readonly<Record<string, number>> = { ps: 1, ns: 1e3, us: 1e6, ms: 1e9, s: 1e12 };

const fields: Readonly<Record<string, (trace: Trace, row: number) => Value>> = {
  row: (_, row) => row,
  time: (trace, row) => trace.time(row),
  begin: (trace, row) => trace.begin(row),
  cost: (trace, row) => trace.cost(row),
  fn: (trace, row) => trace.names.functions[trace.fn(row)]?.name,
  kind: (trace, row) => trace.names.functions[trace.fn(row)]?.kind,
  component: (trace, row) => trace.names.components[trace.component(row)]?.path,
  context: (trace, row) => trace.names.contexts[trace.context(row)]?.path,
  vcpu: (trace, row) => (trace.vcpu(row) === NO_VCPU ? undefined : trace.names.vcpus[trace.vcpu(row)]?.path),
  cause: (trace, row) => orUndefined(trace.cause(row)),
  enabler: (trace, row) => orUndefined(trace.enabler(row)),
  a: (trace, row) => trace.a(row),
  b: (trace, row) => trace.b(row),
};

/** Whether a name means the same whatever the machine's state: a field of the row, a unit of time, the packet. */
export function isRowName(name: string): boolean {
  return Object.hasOwn(fields, name) || Object.hasOwn(units, name) || name === "packet";
}

/**
 * The names that an expression sees at a row: the row's fields (`time`, `fn`, `component`, `a` …), the units of time,
 * `packet` with its headers, what the function calls its values, the state of the row's component (`cwnd`), the
 * components beside it (`tcpip.connections[0].snd_nxt`), and everything by path (`server.nginx.tcpip`).
 * Characters that a name cannot hold are written `_`: `http_server`, `tx_ring`.
 *
 * @param engine Stands at the state of `row`; the recording engine will do where {@link isRowName} holds for every root.
 */
export function namesAt(trace: Trace, row: number, engine: Engine): Lookup {
  const { names } = trace;
  const component = names.components[trace.component(row)];
  const places = new Places(engine);
  return (name) => {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field) return field(trace, row);
    if (Object.hasOwn(units, name)) return units[name];
    if (name === "packet") return packetEntity(engine, trace.packet(row));
    const fn = names.functions[trace.fn(row)];
    if (fn?.a !== undefined && spelled(fn.a) === name) return trace.a(row);
    if (fn?.b !== undefined && spelled(fn.b) === name) return trace.b(row);
    if (!component) return undefined;
    const own = memberOf(engine.describeComponent(component.id), name);
    if (own !== undefined) return own;
    for (const base of [component.domain, component.host, ""]) {
      const found = base === undefined ? undefined : places.child(base, name);
      if (found !== undefined) return found;
    }
    return places.anywhere(name);
  };
}

/** A name as an expression spells it. */
export function spelled(name: string): string {
  return name.replace(/[^A-Za-z0-9_$]/g, "_");
}

/** Finds hosts, domains and components by the steps of their paths. */
class Places {
  constructor(private readonly engine: Engine) {}

  child(base: string, name: string): Value {
    const depth = base === "" ? 0 : base.split("/").length;
    for (const { path } of this.engine.names.components) {
      if (base !== "" && !path.startsWith(`${base}/`)) continue;
      const steps = path.split("/");
      const step = steps[depth];
      if (step !== undefined && spelled(step) === spelled(name)) return this.entity(steps.slice(0, depth + 1).join("/"));
    }
    return undefined;
  }

  /** A component or domain by its last step alone, the first in the design that has it. */
  anywhere(name: string): Value {
    for (const { path, domain } of this.engine.names.components) {
      if (spelled(lastStep(path)) === name) return this.entity(path);
      if (domain !== undefined && spelled(lastStep(domain)) === name) return this.entity(domain);
    }
    return undefined;
  }

  private entity(path: string): Entity {
    const { engine } = this;
    let scopes: Scope[] | undefined;
    const state = (): Scope[] => (scopes ??= describePath(engine, path));
    const child = (name: string): Value => this.child(path, name);
    return {
      get display() { return summary(state().flatMap((scope) => scope.variables)) || path; },
      number: undefined,
      get variables() { return groupScopes(state()); },
      member: (name) => memberOf(state(), name) ?? (typeof name === "string" ? child(name) : undefined),
    };
  }
}

/** State of whatever the path names: a component, a domain; nothing for a host. */
export function describePath(engine: Engine, path: string): Scope[] {
  const component = engine.names.components.find((info) => info.path === path);
  if (component) return engine.describeComponent(component.id);
  return engine.names.components.some((info) => info.domain === path) ? engine.describeDomain(path) : [];
}

/** Several scopes as one level of variables; a single scope needs no level of its own. */
export function groupScopes(scopes: readonly Scope[]): readonly Variable[] {
  const [only] = scopes;
  if (only && scopes.length === 1) return only.variables;
  return scopes.map((scope) => ({ name: scope.name, value: summary(scope.variables), children: scope.variables }));
}

/** The first few values on one line. */
export function summary(variables: readonly Variable[]): string {
  const shown = variables.slice(0, 4).map((variable) => `${variable.name} ${variable.value}`.trimEnd());
  return shown.join(", ") + (variables.length > shown.length ? ", …" : "");
}

function memberOf(scopes: readonly Scope[], name: string | number): Value {
  for (const scope of scopes) {
    const found = memberIn(scope.variables, name);
    if (found !== undefined) return found;
  }
  for (const scope of scopes) {
    if (typeof name === "string" && spelled(scope.name) === spelled(name)) return variableEntity({ name: scope.name, value: summary(scope.variables), children: scope.variables });
  }
  return undefined;
}

function memberIn(variables: readonly Variable[], name: string | number): Value {
  const key = String(name);
  const found = variables.find((variable) => variable.name === key)
    ?? (typeof name === "number" ? variables[name] : variables.find((variable) => spelled(variable.name) === spelled(key)));
  return found && variableEntity(found);
}

function variableEntity(variable: Variable): Entity {
  const children = variable.children ?? [];
  return { display: variable.value, number: variable.number, variables: children, member: (name) => memberIn(children, name) };
}

function packetEntity(engine: Engine, packet: number): Value {
  if (packet === NONE) return undefined;
  return {
    get display() { return engine.summarizePacket(packet); },
    number: packet,
    get variables() { return engine.describePacket(packet).variables; },
    member: (name) => memberIn(engine.describePacket(packet).variables, name),
  };
}

function lastStep(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function orUndefined(row: number): Value {
  return row === NONE ? undefined : row;
}
