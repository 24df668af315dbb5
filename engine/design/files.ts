/** Files that a design names: recorded arrivals. The design says where they are; whoever has a file system reads them. */
import type { Design, OptionValue, Problem, Workload } from "./model";
import { readQuantity } from "./units";

/** Requests that one file may hold. */
const MOST = 4_000_000;
const LONGEST = 3600e12;

/** Names of the files that a design needs beside it, as it spells them, each once. */
export function filesOf(design: Design): string[] {
  return [...new Set(design.files.map(({ name }) => name))];
}

/**
 * Puts what the files say into the design.
 * @param contents text by name; undefined for a file that could not be read
 * @returns the design with arrivals in place, and a problem, at the design's own range, for each file that is missing or wrong
 */
export function attachFiles(design: Design, contents: (name: string) => string | undefined): { readonly design: Design; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const lists = new Map<string, OptionValue>();
  for (const { workload, name, range } of design.files) {
    const text = contents(name);
    const read = text === undefined ? "cannot be read. It must stand beside the design, or at a path from there." : readArrivals(text);
    if (typeof read === "string") problems.push({ severity: "error", code: "bad-file", message: `${name} ${read}`, range });
    else lists.set(workload, read);
  }
  const workloads = design.workloads.map((workload): Workload => {
    const list = lists.get(workload.path);
    return list === undefined ? workload : { ...workload, options: { ...workload.options, list } };
  });
  return { design: { ...design, workloads }, problems };
}

/**
 * Reads arrivals: a line for each, a time and a size with a comma or blanks between them, in order of time. A plain number is in seconds, or
 * bytes, as packet captures print them; units may stand with it. The first time is the beginning: all others count from it. Empty lines, lines
 * that begin with “#”, and a first line of names are passed over.
 * @returns pairs of picoseconds and bytes, or what is wrong, with the line
 */
export function readArrivals(text: string): [time: number, size: number][] | string {
  const arrivals: [number, number][] = [];
  let first = 0n;
  let number = 0;
  for (const line of text.split(/\r\n|\r|\n/)) {
    number++;
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#")) continue;
    const [time = "", size = "", rest] = trimmed.split(/\s*[,;\t]\s*|\s+/);
    const at = readTime(time);
    const bytes = readQuantity("size", size);
    if (at === undefined || !("value" in bytes) || rest !== undefined) {
      if (arrivals.length === 0 && number === 1 && /^[A-Za-z]/.test(trimmed)) continue;
      return `has no time and size in line ${number}: write a line such as “0.000125, 512”, or “125us, 512B”.`;
    }
    if (arrivals.length === 0) first = at;
    const since = Number(at - first);
    if (since < (arrivals.at(-1)?.[0] ?? 0)) return `goes back in time in line ${number}: sort its lines by time.`;
    if (since > LONGEST) return `goes beyond an hour in line ${number}; shorten it.`;
    if (bytes.value < 1) return `asks for nothing in line ${number}: a size is at least 1 B.`;
    arrivals.push([since, bytes.value]);
    if (arrivals.length > MOST) return `has more than ${MOST} lines; shorten it.`;
  }
  return arrivals.length > 0 ? arrivals : "has no line with a time and a size.";
}

/** Picoseconds: of a plain number of seconds, or a time with its unit. Whole: seconds since 1970 leave a `number` no room for nanoseconds. */
function readTime(text: string): bigint | undefined {
  const [, seconds, fraction = ""] = /^([0-9]{1,12})(?:\.([0-9]{1,12}))?$/.exec(text) ?? [];
  if (seconds !== undefined) return BigInt(seconds + fraction.padEnd(12, "0"));
  const reading = readQuantity("time", text);
  return "value" in reading ? BigInt(reading.value) : undefined;
}
