import type { Domain } from "../../engine/design/model";

/** The interface that carries each domain's frames where the debugger stands, path by path; empty where none stands anywhere. */
export type ActiveUplinks = Readonly<Record<string, string>>;

/** Path of the interface in use: where a run is looked at, then; else the one that the design begins with. */
export function activeUplink(domain: Domain, uplinks: ActiveUplinks): string | undefined {
  const then = uplinks[domain.path];
  // The text may have changed since the run began.
  return then !== undefined && domain.uplinks.includes(then) ? then : (domain.activeUplink ?? domain.uplinks[0]);
}
