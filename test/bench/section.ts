/** A part of the bench. A further one is a file and a line in main.ts. */
export interface Section {
  /** Chooses it on the command line. */
  readonly name: string;
  readonly title: string;
  /** Measures, and returns paragraphs and tables. */
  run(): readonly string[] | Promise<readonly string[]>;
}

/** CPU time of this process so far, all its threads, seconds: what others do on the machine is not in it, as it would be in wall-clock time. */
export function cpuTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The least of the values. Of times it is the one to compare by: what else happens on a machine only ever adds to them. */
export function least(values: readonly number[]): number {
  return Math.min(...values);
}

/**
 * Bytes that the process holds once garbage is collected; NaN where that cannot be asked for. V8 gives the memory of array buffers back beside the
 * program, when this has nothing to do: asked for at once, it counted twice as much as is held.
 */
export async function memoryInUse(): Promise<number> {
  if (globalThis.gc === undefined) return Number.NaN;
  for (let i = 0; i < 3; i++) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** The middle of the values; of an even number, the upper of the two. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that a share `q` of the values lies below. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((x, y) => x - y);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN;
}

/** A whole number for people. */
export function number(value: number): string {
  return Math.round(value).toLocaleString("en-GB");
}
