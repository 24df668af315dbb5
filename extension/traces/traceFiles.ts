import * as vscode from "vscode";
import { readRun } from "../platform/node/readRun";
import { traceOfDesign } from "./traceUri";

/** The designs in traces as files that can be looked at and not changed. */
export class TraceFiles implements vscode.FileSystemProvider {
  private readonly changes = new vscode.EventEmitter<vscode.FileChangeEvent[]>();
  readonly onDidChangeFile = this.changes.event;

  async stat(uri: vscode.Uri): Promise<vscode.FileStat> {
    const { ctime, mtime } = await vscode.workspace.fs.stat(traceOf(uri));
    return { type: vscode.FileType.File, ctime, mtime, size: this.readFile(uri).length, permissions: vscode.FilePermission.Readonly };
  }

  readFile(uri: vscode.Uri): Uint8Array {
    try {
      return new TextEncoder().encode(readRun(traceOf(uri).fsPath).head.design);
    } catch (error) {
      throw vscode.FileSystemError.Unavailable(error instanceof Error ? error.message : String(error));
    }
  }

  watch(): vscode.Disposable { return new vscode.Disposable(() => undefined); }
  readDirectory(uri: vscode.Uri): never { throw vscode.FileSystemError.FileNotADirectory(uri); }
  createDirectory(uri: vscode.Uri): never { throw vscode.FileSystemError.NoPermissions(uri); }
  writeFile(uri: vscode.Uri): never { throw vscode.FileSystemError.NoPermissions(uri); }
  delete(uri: vscode.Uri): never { throw vscode.FileSystemError.NoPermissions(uri); }
  rename(uri: vscode.Uri): never { throw vscode.FileSystemError.NoPermissions(uri); }
}

function traceOf(uri: vscode.Uri): vscode.Uri {
  const trace = traceOfDesign(uri);
  if (!trace) throw vscode.FileSystemError.FileNotFound(uri);
  return trace;
}
