import { NodeFile } from "../../../engine/cli/nodeFile";
import { summarizeRun, type RunSummary } from "../../../engine/trace/runHead";

/** What a trace file says of its run. @throws Error for people, where it is none or cannot be read */
export function readRun(path: string): RunSummary {
  const file = NodeFile.open(path);
  try {
    return summarizeRun(file);
  } finally {
    file.close();
  }
}
