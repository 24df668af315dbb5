import { createEngine, type Keyframe, type MachineEngine } from "../../engine/create";
import { RunWriter } from "../../engine/recordedRun";
import { Recording } from "../../engine/session/recording";
import type { ByteFile } from "../../engine/trace/byteFile";
import { designOf } from "./runDesign";

/** A run kept in a file, with a keyframe now and then; `end` false: the process is killed. */
export function keepRun(file: ByteFile, text: string, end = true): { engine: MachineEngine; recording: Recording } {
  const engine = createEngine(designOf(text));
  const writer = new RunWriter(file, engine, text, new Map());
  const recording = new Recording(engine, { interval: 3000, maxCount: 64, maxBytes: 1 << 26 });
  while (recording.record(1000));
  if (end) writer.end(recording.end() as readonly Keyframe[]);
  return { engine, recording };
}
