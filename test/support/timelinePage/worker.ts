/** Stands in for the engine's worker: answers a timeline's questions about a synthetic trace. */
import { TimelineIndex } from "../../../engine/trace/timelineIndex";
import type { FromTimeline, ToTimeline } from "../../../protocol/timeline";
import { SYNTHETIC_NAMES, syntheticTrace } from "../syntheticTrace";

const post = (message: ToTimeline): void => { postMessage(message); };
const rows = Number(new URLSearchParams(location.hash.slice(1)).get("rows") ?? 1_000_000);
const trace = syntheticTrace(rows);
const index = new TimelineIndex(trace, (packet) => `TCP 10.0.0.9:${49152 + (packet % 12)} → 10.0.0.2:80 [PSH, ACK] seq ${packet * 180 + 1} len 180`);
index.update();
let generation = 0;

function cursor(row: number): Extract<ToTimeline, { type: "cursor" }>["cursor"] {
  const { functions, components, contexts } = SYNTHETIC_NAMES;
  const fn = functions[trace.fn(row)]!;
  return {
    row, time: trace.time(row), component: components[trace.component(row)]!.path, context: contexts[trace.context(row)]!.path,
    fn: fn.name, file: fn.file, packet: trace.packet(row), packetSummary: "", trail: [], uplinks: {},
  };
}

addEventListener("message", ({ data }: MessageEvent<FromTimeline | { type: "step"; row: number }>) => {
  switch (data.type) {
    case "ready":
      generation++;
      post({
        type: "simulation", generation,
        simulation: { key: "synthetic", title: "synthetic.exo.yaml", names: SYNTHETIC_NAMES, rows: trace.length, time: index.time, complete: true, cursor: cursor(Math.floor(trace.length / 3)) },
      });
      break;
    case "ask":
      post({ type: "answer", generation: data.generation, id: data.id, result: index.query(data.query) });
      break;
    case "moveCursor":
      post({ type: "cursor", generation, cursor: cursor(data.row), reveal: false });
      break;
    case "step":
      post({ type: "cursor", generation, cursor: cursor(data.row), reveal: true });
      break;
    case "run":
      break;
  }
});
