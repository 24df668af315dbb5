import type { DebugProtocol } from "@vscode/debugprotocol";
import type { Variable } from "../../../engine/inspect";
import type { InspectedScope, WatchTarget } from "../../../engine/session/inspection";
import type { Evaluation } from "../../../engine/session/session";
import type { Localizer } from "./adapterHost";

interface Level {
  readonly variables: readonly Variable[];
  /** Where these variables hang in the lasting state; undefined for an event or a packet, which never change. */
  readonly target: WatchTarget | undefined;
}

/** The handles under which the editor asks for the children of scopes and variables, until the next stop. */
export class VariableHandles {
  private levels: Level[] = [];

  constructor(private readonly l10n: Localizer) {}

  /** All handles lose their meaning. */
  clear(): void { this.levels = []; }

  scope(scope: InspectedScope): DebugProtocol.Scope {
    const { l10n } = this;
    const titles: Readonly<Record<InspectedScope["kind"], string>> = {
      event: l10n.t("Event"), component: l10n.t("Component {0}", scope.name), domain: l10n.t("Domain {0}", scope.name), packet: l10n.t("Packet {0}", scope.name),
    };
    const target = scope.root === undefined ? undefined : { root: scope.root, names: [] };
    return {
      name: titles[scope.kind], variablesReference: this.handle({ variables: scope.variables, target }),
      expensive: false, namedVariables: scope.variables.length, ...(scope.kind === "event" ? { presentationHint: "locals" as const } : {}),
    };
  }

  /** The variables under a handle, a page of them if asked for. */
  children(reference: number, start = 0, count = 0): DebugProtocol.Variable[] {
    const level = this.levels[reference - 1];
    if (!level) return [];
    const shown = count > 0 ? level.variables.slice(start, start + count) : level.variables;
    return shown.map((variable) => ({
      name: variable.name, value: variable.value,
      variablesReference: this.under(variable.children, level.target && { root: level.target.root, names: [...level.target.names, variable.name] }),
      presentationHint: { attributes: ["readOnly"] },
    }));
  }

  evaluation(evaluation: Evaluation): DebugProtocol.EvaluateResponse["body"] {
    return { result: evaluation.text, variablesReference: this.under(evaluation.variables, undefined) };
  }

  /** What a data breakpoint on a variable would watch; undefined for one that cannot change. */
  watchTarget(reference: number, name: string): WatchTarget | undefined {
    const target = this.levels[reference - 1]?.target;
    return target && { root: target.root, names: [...target.names, name] };
  }

  private under(children: readonly Variable[] | undefined, target: WatchTarget | undefined): number {
    return children && children.length > 0 ? this.handle({ variables: children, target }) : 0;
  }

  private handle(level: Level): number {
    this.levels.push(level);
    return this.levels.length;
  }
}

/** A data breakpoint's target as the editor keeps it, over sessions too. */
export function writeDataId(target: WatchTarget): string {
  return JSON.stringify([target.root, ...target.names]);
}

/** @returns undefined where the text is not one that {@link writeDataId} wrote. */
export function readDataId(text: string): WatchTarget | undefined {
  let parts: unknown;
  try {
    parts = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(parts) || parts.length < 2 || !parts.every((part) => typeof part === "string")) return undefined;
  const [root = "", ...names] = parts;
  return { root, names };
}
