import * as vscode from "vscode";
import type { ParseResult, Range } from "../../engine/design/model";
import { parseDesign } from "../../engine/design/parse";

/** Selects design files by name: their language stays YAML, so that every YAML habit keeps working. */
export const DESIGN_FILES: vscode.DocumentSelector = { pattern: "**/*.exo.{yaml,yml}" };

export function isDesign(uri: vscode.Uri): boolean {
  return /\.exo\.ya?ml$/.test(uri.path);
}

export interface ParsedDocument extends ParseResult {
  readonly version: number;
}

const parsed = new WeakMap<vscode.TextDocument, ParsedDocument>();

/** @returns what a document says at its present version; parsed once a version, whoever asks. */
export function designOf(document: vscode.TextDocument): ParsedDocument {
  const known = parsed.get(document);
  if (known && known.version === document.version) return known;
  const result = { ...parseDesign(document.getText()), version: document.version };
  parsed.set(document, result);
  return result;
}

export function toRange(document: vscode.TextDocument, { start, end }: Range): vscode.Range {
  return new vscode.Range(document.positionAt(start), document.positionAt(end));
}
