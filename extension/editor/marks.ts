import type { Design, Part, Problem } from "../../engine/design/model";
import type { Mark } from "../../protocol/diagram";

/** Every part that the diagram draws, outer parts before the ones in them. */
export function drawnParts(design: Design): Part[] {
  const parts: Part[] = [];
  for (const host of design.hosts) {
    parts.push(host);
    if (host.kind === "machine") for (const domain of host.domains) parts.push(domain, ...domain.components);
    if (host.hypervisor) parts.push(host.hypervisor);
    for (const device of host.devices) parts.push(device, ...device.functions);
  }
  parts.push(...design.workloads);
  return parts;
}

/**
 * The innermost part whose lines hold `offset`. Parts that the file does not spell (a default VF) have an empty range
 * and hold nothing.
 */
export function partAt(design: Design, offset: number): Part | undefined {
  let best: Part | undefined;
  for (const part of drawnParts(design)) {
    const { start, end } = part.range;
    if (start === end || offset < start || offset > end) continue;
    if (!best || end - start < best.range.end - best.range.start) best = part;
  }
  return best;
}

const ORDER = { error: 0, warning: 1, info: 2 } as const;

/** The problems of each part, by path: a problem belongs to the innermost part that its range begins in. */
export function marksByPath(design: Design, problems: readonly Problem[]): ReadonlyMap<string, Mark> {
  const found = new Map<string, Problem[]>();
  for (const problem of problems) {
    const path = partAt(design, problem.range.start)?.path;
    if (path === undefined) continue;
    const list = found.get(path);
    if (list) list.push(problem);
    else found.set(path, [problem]);
  }
  const marks = new Map<string, Mark>();
  for (const [path, list] of found) {
    list.sort((a, b) => ORDER[a.severity] - ORDER[b.severity]);
    marks.set(path, { severity: list[0]?.severity ?? "info", messages: list.map((problem) => problem.message) });
  }
  return marks;
}
