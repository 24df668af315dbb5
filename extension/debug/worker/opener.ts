import { createEngine } from "../../../engine/create";
import { attachFiles } from "../../../engine/design/files";
import { parseDesign } from "../../../engine/design/parse";
import { Recording } from "../../../engine/session/recording";
import { Session } from "../../../engine/session/session";
import { exportCapture } from "../../../engine/trace/capture";
import type { ChunkStore } from "../../../engine/trace/chunkStore";
import { TimelineIndex } from "../../../engine/trace/timelineIndex";
import { RecordedRun } from "../../../engine/recordedRun";
import type { ByteFile } from "../../../engine/trace/byteFile";
import { TraceFileError } from "../../../engine/trace/traceFile";
import type { OpenDesignParams } from "../../../protocol/session";
import type { Open, OpenedDesign } from "./sessionServer";

/**
 * Reads designs, and runs in files, with the real engine behind them.
 * @param chunks where traces are kept
 * @param file a file by its path
 */
export const opener = (chunks: () => ChunkStore, file: (path: string) => ByteFile): Open => (params) =>
  "trace" in params ? openRun(new RecordedRun(file(params.trace))) : openDesign(params, chunks);

function openDesign({ text, files, seed, until }: OpenDesignParams, chunks: () => ChunkStore): ReturnType<Open> {
  const parsed = parseDesign(text);
  const { design, problems } = parsed.design === undefined ? { design: undefined, problems: [] } : attachFiles(parsed.design, (name) => files?.[name]);
  const errors = [...parsed.problems, ...problems].filter((problem) => problem.severity === "error");
  if (!design || errors.length > 0) {
    return { errors: errors.map(({ range, message }) => ({ line: text.slice(0, range.start).split("\n").length - 1, message })) };
  }
  const run = { until: until ?? design.run.until, seed: seed ?? design.run.seed };
  const engine = createEngine({ ...design, run });
  engine.trace.keepIn(chunks());
  return opened(new Session(new Recording(engine), design, text), run.until, () => exportCapture(engine));
}

/** @throws TraceFileError where there is nothing to look at, not even rows */
function openRun(run: RecordedRun): OpenedDesign {
  const recorded = run.recorded();
  const { design } = parseDesign(run.design);
  if (design === undefined) throw new TraceFileError(recorded.rowsOnly ?? `The design in the trace cannot be read by this Exoscope. Open it with Exoscope ${run.version}.`);
  return opened(new Session(recorded, design, run.design), run.until, () => {
    if (recorded.rowsOnly !== undefined) throw new TraceFileError(recorded.rowsOnly);
    return exportCapture(run.atEnd());
  });
}

function opened(session: Session, until: number, capture: () => Uint8Array): OpenedDesign {
  const { engine, trace } = session.recording;
  return { session, until, timeline: new TimelineIndex(trace, (packet) => engine.summarizePacket(packet)), capture };
}
