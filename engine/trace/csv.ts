import type { Engine } from "../engine";
import { NO_VCPU } from "./trace";

const HEADER = "row,time_ps,begin_ps,cost_ps,function,file,component,context,vcpu,packet,cause,enabler,a,b";

/** The trace as CSV (RFC 4180), a row a line, names in place of ids; the columns are those of the trace. */
export function exportTrace(engine: Engine): string {
  const { trace, names } = engine;
  const lines = [HEADER];
  for (let i = 0; i < trace.length; i++) {
    const fn = names.functions[trace.fn(i)]!;
    const vcpu = trace.vcpu(i);
    lines.push([
      i, trace.time(i), trace.begin(i), trace.cost(i), quote(fn.name), fn.file ?? "", names.components[trace.component(i)]!.path,
      names.contexts[trace.context(i)]!.path, vcpu === NO_VCPU ? "" : names.vcpus[vcpu]!.path, trace.packet(i), trace.cause(i), trace.enabler(i),
      trace.a(i), trace.b(i),
    ].join(","));
  }
  return `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
