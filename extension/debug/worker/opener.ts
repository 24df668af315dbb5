import { createEngine } from "../../../engine/create";
import { attachFiles } from "../../../engine/design/files";
import { parseDesign } from "../../../engine/design/parse";
import { Session } from "../../../engine/session/session";
import { exportCapture } from "../../../engine/trace/capture";
import { MemoryChunks, type ChunkStore } from "../../../engine/trace/chunkStore";
import { TimelineIndex } from "../../../engine/trace/timelineIndex";
import type { OpenDesign } from "./sessionServer";

/**
 * Reads designs with the real engine behind them.
 * @param chunks where traces are kept
 */
export const designOpener = (chunks: () => ChunkStore): OpenDesign => ({ text, files, seed, until }) => {
  const parsed = parseDesign(text);
  const { design, problems } = parsed.design === undefined ? { design: undefined, problems: [] } : attachFiles(parsed.design, (name) => files?.[name]);
  const errors = [...parsed.problems, ...problems].filter((problem) => problem.severity === "error");
  if (!design || errors.length > 0) {
    return { errors: errors.map(({ range, message }) => ({ line: text.slice(0, range.start).split("\n").length - 1, message })) };
  }
  const run = { until: until ?? design.run.until, seed: seed ?? design.run.seed };
  const engine = createEngine({ ...design, run });
  engine.trace.keepIn(chunks());
  return {
    session: new Session(engine, design, text), until: run.until,
    timeline: new TimelineIndex(engine.trace, (packet) => engine.summarizePacket(packet)), capture: () => exportCapture(engine),
  };
};

/** The same, traces in memory. */
export const openDesign: OpenDesign = designOpener(() => new MemoryChunks());
