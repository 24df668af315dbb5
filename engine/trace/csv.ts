import { NO_VCPU, type Trace } from "./trace";

const HEADER = "row,time_ps,begin_ps,cost_ps,function,file,component,context,vcpu,packet,cause,enabler,a,b";
const ROWS_A_PIECE = 4096;

/**
 * The trace as CSV (RFC 4180), a row a line, names in place of ids; the columns are those of the trace. In pieces, since the text of a long
 * run is longer than a string can be.
 * @param from first row
 * @param to row after the last
 */
export function* exportTrace(trace: Trace, from = 0, to = trace.length): Generator<string> {
  const { names } = trace;
  let lines = [HEADER];
  for (let i = from; i < Math.min(to, trace.length); i++) {
    const fn = names.functions[trace.fn(i)]!;
    const vcpu = trace.vcpu(i);
    lines.push([
      i, trace.time(i), trace.begin(i), trace.cost(i), quote(fn.name), fn.file ?? "", names.components[trace.component(i)]!.path,
      names.contexts[trace.context(i)]!.path, vcpu === NO_VCPU ? "" : names.vcpus[vcpu]!.path, trace.packet(i), trace.cause(i), trace.enabler(i),
      trace.a(i), trace.b(i),
    ].join(","));
    if (lines.length < ROWS_A_PIECE) continue;
    yield `${lines.join("\n")}\n`;
    lines = [];
  }
  if (lines.length > 0) yield `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
