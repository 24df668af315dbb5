import jsep from "jsep";
import type { Variable } from "../inspect";

/** Something with members: a component's state, a connection, a packet. Stands for its number or text in arithmetic. */
export interface Entity {
  /** As the Variables view shows it. */
  readonly display: string;
  readonly number: number | undefined;
  readonly variables: readonly Variable[];
  /** By name, or by position. */
  member(name: string | number): Value;
}

/** What an expression yields; undefined is "no such thing here", false in a condition. */
export type Value = number | string | boolean | undefined | Entity;

/** Names that an expression may use. */
export type Lookup = (name: string) => Value;

/** A condition, a watch expression or the braces of a log point, parsed and checked. Never runs code. */
export interface Expression {
  readonly text: string;
  /** Names at the roots of its paths: decide whether a row is enough or the state has to be replayed. */
  readonly roots: ReadonlySet<string>;
  /** Deterministic and free of side effects; unknown names are undefined, comparisons with them false. */
  evaluate(lookup: Lookup): Value;
}

/** The text is not an expression of the debugger's language; the message is for people. */
export class ExpressionError extends Error {}

const functions: Readonly<Record<string, (values: readonly number[]) => number>> = {
  abs: ([value]) => Math.abs(value ?? NaN),
  min: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
};

const binary: Readonly<Record<string, (left: number, right: number) => number | boolean>> = {
  "+": (l, r) => l + r, "-": (l, r) => l - r, "*": (l, r) => l * r, "/": (l, r) => l / r, "%": (l, r) => l % r,
  "<": (l, r) => l < r, ">": (l, r) => l > r, "<=": (l, r) => l <= r, ">=": (l, r) => l >= r,
  "&": (l, r) => l & r, "|": (l, r) => l | r, "^": (l, r) => l ^ r, "<<": (l, r) => l << r, ">>": (l, r) => l >> r, ">>>": (l, r) => l >>> r,
};

const unary: Readonly<Record<string, (value: Value) => Value>> = {
  "-": (value) => -toNumber(value), "+": (value) => toNumber(value), "!": (value) => !isTrue(value), "~": (value) => ~toNumber(value),
};

type Evaluate = (lookup: Lookup) => Value;

/** @throws ExpressionError where the text does not parse or uses what the language does not have. */
export function parseExpression(text: string): Expression {
  let tree: jsep.Expression;
  try {
    tree = jsep(text);
  } catch (error) {
    throw new ExpressionError(error instanceof Error ? error.message : String(error));
  }
  const roots = new Set<string>();
  return { text, roots, evaluate: compile(tree, roots) };
}

/** Whether a condition with this value holds. */
export function isTrue(value: Value): boolean {
  const plain = isEntity(value) ? (value.number ?? true) : value;
  return plain !== undefined && plain !== false && plain !== 0 && plain !== "" && plain === plain;
}

/** The value as text, for log points and the debug console. */
export function display(value: Value): string {
  if (isEntity(value)) return value.display;
  return value === undefined ? "not available" : String(value);
}

export function isEntity(value: Value): value is Entity {
  return typeof value === "object";
}

function compile(node: jsep.Expression, roots: Set<string>): Evaluate {
  const child = (key: string): Evaluate => {
    const value = node[key];
    if (!isNode(value)) throw new ExpressionError("The expression is not complete.");
    return compile(value, roots);
  };
  switch (node.type) {
    case "Literal": {
      const { value } = node;
      if (typeof value !== "number" && typeof value !== "string" && typeof value !== "boolean") break;
      return () => value;
    }
    case "Identifier": {
      const name = String(node["name"]);
      roots.add(name);
      return (lookup) => lookup(name);
    }
    case "MemberExpression": {
      const object = child("object");
      const property = node["property"];
      if (!isNode(property)) break;
      const name = node["computed"] ? compile(property, roots) : () => String(property["name"]);
      return (lookup) => {
        const base = object(lookup);
        const key = plain(name(lookup));
        return isEntity(base) && (typeof key === "string" || typeof key === "number") ? base.member(key) : undefined;
      };
    }
    case "UnaryExpression": {
      const operation = own(unary, String(node["operator"]));
      const argument = child("argument");
      if (operation) return (lookup) => operation(argument(lookup));
      break;
    }
    case "ConditionalExpression": {
      const [test, consequent, alternate] = [child("test"), child("consequent"), child("alternate")];
      return (lookup) => (isTrue(test(lookup)) ? consequent : alternate)(lookup);
    }
    case "BinaryExpression":
      return compileBinary(String(node["operator"]), child("left"), child("right"));
    case "CallExpression": {
      const callee = node["callee"];
      const name = isNode(callee) ? String(callee["name"]) : "";
      const fn = own(functions, name);
      if (!fn) throw new ExpressionError(`There is no function “${name}”; there are ${Object.keys(functions).join(", ")}.`);
      const list = node["arguments"];
      const values = Array.isArray(list) ? list.filter(isNode).map((argument) => compile(argument, roots)) : [];
      return (lookup) => fn(values.map((value) => toNumber(value(lookup))));
    }
    case "Compound":
      throw new ExpressionError("Something is missing between two values, such as an operator.");
    default:
  }
  throw new ExpressionError("This form of expression is not supported; use names, members, numbers, comparisons and arithmetic.");
}

function compileBinary(operator: string, left: Evaluate, right: Evaluate): Evaluate {
  if (operator === "&&") return (lookup) => isTrue(left(lookup)) && isTrue(right(lookup));
  if (operator === "||") return (lookup) => isTrue(left(lookup)) || isTrue(right(lookup));
  if (operator === "??") return (lookup) => left(lookup) ?? right(lookup);
  if (operator === "==" || operator === "===") return (lookup) => equal(left(lookup), right(lookup));
  if (operator === "!=" || operator === "!==") return (lookup) => !equal(left(lookup), right(lookup));
  const operation = own(binary, operator);
  if (!operation) throw new ExpressionError(`The operator “${operator}” is not supported.`);
  return (lookup) => operation(toNumber(left(lookup)), toNumber(right(lookup)));
}

/** A named part of the state is compared with a text as it is displayed, with a number as its number. */
function equal(left: Value, right: Value): boolean {
  if (isEntity(left) && typeof right === "string") return left.display === right;
  if (isEntity(right) && typeof left === "string") return right.display === left;
  return plain(left) === plain(right);
}

function plain(value: Value): number | string | boolean | undefined {
  return isEntity(value) ? (value.number ?? value.display) : value;
}

function toNumber(value: Value): number {
  const number = isEntity(value) ? value.number : value;
  return typeof number === "number" ? number : typeof number === "boolean" ? Number(number) : NaN;
}

function own<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function isNode(value: unknown): value is jsep.Expression {
  return typeof value === "object" && value !== null && "type" in value;
}
