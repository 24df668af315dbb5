import type { Problem, Range, TextEdit } from "./model";

/** Every code that {@link Problem.code} may have. Stable: people search for them and suppress by them. */
export const PROBLEM_CODES = [
  // The text as YAML.
  "syntax", "not-text", "too-large", "too-deep", "alias-limit", "unknown-alias",
  // The text as a design.
  "not-a-design", "unsupported-version", "unknown-key", "duplicate-key", "missing-key", "missing-value", "wrong-type",
  "bad-unit", "bad-name", "bad-address", "bad-file", "out-of-range", "unknown-value", "duplicate-name",
  // What it says.
  "unknown-component", "unknown-workload", "unknown-fault", "unknown-reference", "ambiguous-reference", "wrong-reference",
  "other-host", "vf-missing", "too-many-vfs", "not-switchable", "function-unassigned", "function-taken", "wrong-driver", "vf-refuses", "direct-without-iommu", "vm-without-hypervisor",
  "not-a-server", "server-full", "server-without-driver", "channel-loop", "port-taken", "address-taken", "pool-exhausted",
  "not-a-driver-domain", "netback-without-switch", "not-a-guest", "driver-shared", "bridge-on-vf", "grant-table-full", "not-forwarded",
  "process-without-kernel", "cannot-call", "no-effect",
  "missing-component", "no-uplink", "uplink-unclear", "overcommitted", "too-few-cores", "bad-affinity", "scheduler-limits", "unused-vcpus", "numa-nodes", "bad-node",
  "no-link", "link-taken", "link-rate", "workload-without-server", "server-unclear", "unreachable", "beyond-mtu", "before-workloads", "not-simulated", "too-many-problems",
  // Why an edit is refused.
  "no-free-vf", "not-editable",
] as const;

export type ProblemCode = (typeof PROBLEM_CODES)[number];

/** Enough to work through, and a bound on what a hostile file can make an editor draw. */
const MOST = 200;

/** Collects the findings of one parse, in the order of discovery. */
export class Problems {
  private readonly found: Problem[] = [];
  private readonly seen = new Set<string>();

  error(code: ProblemCode, range: Range, message: string, fix?: Problem["fix"]): void {
    this.add("error", code, range, message, fix);
  }

  warning(code: ProblemCode, range: Range, message: string, fix?: Problem["fix"]): void {
    this.add("warning", code, range, message, fix);
  }

  /** @returns the findings by position. */
  list(): Problem[] {
    return [...this.found].sort((a, b) => a.range.start - b.range.start || a.range.end - b.range.end);
  }

  /** Each finding counts once: an alias can lead to one spot many times. */
  private add(severity: Problem["severity"], code: ProblemCode, range: Range, message: string, fix: Problem["fix"]): void {
    const key = `${range.start} ${range.end} ${code} ${message}`;
    if (this.seen.has(key) || this.found.length > MOST) return;
    this.seen.add(key);
    if (this.found.length === MOST) {
      const code: ProblemCode = "too-many-problems";
      this.found.push({ severity: "error", code, range, message: `More than ${MOST} problems; the rest is not listed. Fix these first.` });
      return;
    }
    // What a message quotes from the file may be of any length.
    const short = message.replace(/“([^”]{60})[^”]+”/g, "“$1…”");
    this.found.push(fix ? { severity, code, message: short, range, fix } : { severity, code, message: short, range });
  }
}

/** A fix that replaces one range. */
export function replacement(title: string, range: Range, text: string): { title: string; edits: TextEdit[] } {
  return { title, edits: [{ range, text }] };
}
