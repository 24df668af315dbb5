import * as vscode from "vscode";
import { outline } from "../../engine/design/language/outline";
import type { OutlineNode } from "../../engine/design/language/outline";
import { designOf, toRange } from "./designs";

const KINDS: Readonly<Record<OutlineNode["kind"], vscode.SymbolKind>> = {
  host: vscode.SymbolKind.Namespace, device: vscode.SymbolKind.Interface, hypervisor: vscode.SymbolKind.Operator, domain: vscode.SymbolKind.Package,
  component: vscode.SymbolKind.Module, workload: vscode.SymbolKind.Event, fault: vscode.SymbolKind.Event, switch: vscode.SymbolKind.Event, link: vscode.SymbolKind.Interface,
};

/** The outline: hosts, domains, components, as the debugger and the diagram name them. */
export const symbols: vscode.DocumentSymbolProvider = {
  provideDocumentSymbols(document) {
    const { design } = designOf(document);
    const symbol = ({ name, detail, kind, range, nameRange, children }: OutlineNode): vscode.DocumentSymbol => {
      const found = new vscode.DocumentSymbol(name, detail, KINDS[kind], toRange(document, range), toRange(document, nameRange));
      found.children = children.map(symbol);
      return found;
    };
    return design ? outline(design).map(symbol) : [];
  },
};
