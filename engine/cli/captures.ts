import type { MachineEngine } from "../create";
import type { Design } from "../design/model";
import { capturePoints, exportCapturePieces } from "../trace/capture";
import type { Outputs } from "./output";

export interface CaptureOptions {
  readonly pcapng?: string;
  readonly captureAt?: string;
}

/** What is wrong with where a capture is to be taken; undefined: nothing. */
export function captureProblem(design: Design, { pcapng, captureAt }: CaptureOptions): string | undefined {
  if (captureAt === undefined) return undefined;
  if (pcapng === undefined) return `--capture-at ${captureAt}: this says where --pcapng listens; name a file with that.`;
  const points = capturePoints(design);
  return points.includes(captureAt) ? undefined : `--capture-at ${captureAt}: no link ends at a host of this name, only at ${points.join(", ")}.`;
}

/** Writes the capture, where one is asked for. */
export function writeCapture(engine: MachineEngine, { pcapng }: Outputs<"pcapng">, captureAt: string | undefined): void {
  pcapng?.write(exportCapturePieces(engine, captureAt));
}
