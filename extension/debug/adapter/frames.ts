import type { DebugProtocol } from "@vscode/debugprotocol";
import { formatTime } from "../../../engine/session/format";
import type { CauseFrame } from "../../../engine/session/views";
import type { AdapterHost } from "./adapterHost";

/** Frame ids are rows, from 1: a frame means the same in every thread and at every stop. */
export function frameId(row: number): number { return row + 1; }
export function rowOfFrame(frame: number): number { return frame - 1; }

/** The chain of causes as stack frames, each shown in the best source there is for it. */
export class Frames {
  /** @param offset What the client adds to lines and columns that count from 0. */
  constructor(private readonly host: AdapterHost, private readonly program: string, private readonly offset: { readonly line: number; readonly column: number }) {}

  async of(frames: readonly CauseFrame[]): Promise<DebugProtocol.StackFrame[]> {
    return Promise.all(frames.map((frame) => this.frame(frame)));
  }

  private async frame(frame: CauseFrame): Promise<DebugProtocol.StackFrame> {
    const { line, column } = this.offset;
    const base = { id: frameId(frame.row), name: frameName(frame), moduleId: formatTime(frame.time) };
    const found = frame.file === undefined ? undefined : await this.host.locateFunction(frame.file, frame.fn);
    if (found) return { ...base, source: { name: fileName(found.path), path: found.path }, line: found.line + line, column };
    const { position } = frame;
    if (!position) return { ...base, line: 0, column: 0, presentationHint: "subtle" };
    return {
      ...base, source: { name: fileName(this.program), path: this.program },
      line: position.line + line, column: position.column + column, endLine: position.endLine + line, endColumn: position.endColumn + column,
    };
  }
}

/** `tcp_output (sys/netinet/tcp_output.c)`; for hardware the component stands for the file. */
export function frameName(frame: CauseFrame): string {
  return `${frame.fn} (${frame.file ?? frame.component})`;
}

function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}
