import * as vscode from "vscode";
import { spelled } from "../../engine/session/names";
import type { Registry } from "./registry";

/** Hovering over a component's or domain's name in a design that runs shows its state. */
export function hoverProvider(registry: Registry): vscode.EvaluatableExpressionProvider {
  return {
    provideEvaluatableExpression(document, position) {
      const simulation = registry.of(document.uri);
      for (const { path, position: at } of simulation?.parts ?? []) {
        const range = new vscode.Range(at.line, at.column, at.endLine, at.endColumn);
        if (range.contains(position)) return new vscode.EvaluatableExpression(range, expressionOf(path));
      }
      return undefined;
    },
  };
}

/** `server/nginx/http-server` as the debugger's expressions spell it: `server.nginx.http_server`. */
function expressionOf(path: string): string {
  return path.split("/").map((step, i) => {
    const name = spelled(step);
    if (/^\d/.test(name)) return `[${JSON.stringify(step)}]`;
    return i === 0 ? name : `.${name}`;
  }).join("");
}
