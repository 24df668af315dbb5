import { Comparison } from "./comparison";
import { memcached, redis } from "./experiments";
import { ordering, type Result, type Row } from "./row";
import type { SystemName } from "./testbed";

/** The systems of Figures 11 and 12. */
export const storeSystems = ["LibrettOS-Direct", "LibrettOS-Server", "Linux", "NetBSD"] as const satisfies readonly SystemName[];

/** The paper has a small and a large size, and does not say which in its text: memtier's default, and one that fits one frame of its MTU. */
export const cacheSizes = ["32B", "4KiB"] as const;
/**
 * Of the paper's 1 to 20 threads of ten connections.
 */
export const cacheThreads = [1, 4, 8, 12] as const;
export const redisConnections = [1, 5, 10, 20] as const;
export const commands = ["GET", "SET"] as const;

/** What NetBSD is compared with. */
const others = ["LibrettOS-Direct", "LibrettOS-Server", "Linux"] as const;

type Command = (typeof commands)[number];

/** A size as people write it: 32 B, 4 KiB. */
export function readable(size: string): string {
  return size.replace(/(?<=\d)(?=[A-Z])/, " ");
}

function caches(a: SystemName, b: SystemName, size: string): Comparison {
  return new Comparison(cacheThreads.map((threads) => [memcached(a, size, threads), memcached(b, size, threads)]));
}

function stores(a: SystemName, b: SystemName, command: Command): Comparison {
  return new Comparison(redisConnections.map((connections) => [redis(a, command, connections), redis(b, command, connections)]));
}

function cacheRows(size: string): Row[] {
  const row = (system: string, paper: string, measure: () => Result): Row => ordering("5.6", system, `memcached, values of ${readable(size)}`, paper, measure);
  return [
    row("LibrettOS-Direct", "similar to Linux", () => caches("LibrettOS-Direct", "Linux", size).alike()),
    row("LibrettOS-Server", "slower than LibrettOS-Direct", () => caches("LibrettOS-Server", "LibrettOS-Direct", size).never()),
    ...others.map((other) => row("NetBSD", `slower than ${other}`, () => caches("NetBSD", other, size).never())),
  ];
}

function redisRow(system: string, command: Command, paper: string, measure: () => Result): Row {
  return ordering("5.7", system, `Redis, pipelines of 1000, ${command}`, paper, measure);
}

/** “We suspect that the current Redis implementation is suboptimal for certain BSD systems”. */
const SUSPECTED = "The paper suspects Redis' own code for BSD systems; here it does the same on every system";

export const storeRows: readonly Row[] = [
  ...cacheSizes.flatMap(cacheRows),
  ...(["LibrettOS-Direct", "LibrettOS-Server"] as const).flatMap((system) => [
    redisRow(system, "GET", "close to Linux", () => stores(system, "Linux", "GET").alike()),
    redisRow(system, "SET", "slower than Linux", () => stores(system, "Linux", "SET").never()),
  ]),
  ...commands.flatMap((command) => others.map((other) =>
    redisRow("NetBSD", command, `much slower than ${other}`, () => ({ ...stores("NetBSD", other, command).muchSlower(), remark: SUSPECTED })))),
];
