import { Comparison } from "./comparison";
import { hybrid, nginx } from "./experiments";
import { ordering, percent, signed, type Result, type Row } from "./row";
import type { SystemName } from "./testbed";

/** Sizes and concurrencies of the Nginx comparison; the paper's figure has no numbers on its axes' points. */
const sizes = ["1KiB", "4KiB", "8KiB", "16KiB", "32KiB", "64KiB", "128KiB"] as const;
const concurrencies = [1, 10, 20, 50] as const;

function compare(a: SystemName, b: SystemName, among: readonly string[] = sizes): Comparison {
  return new Comparison(among.flatMap((size) => concurrencies.map((c) => [nginx(a, size, c), nginx(b, size, c)] as const)));
}

/** The gain of LibrettOS-Direct at the one point that the paper gives in percent; two differences in percent are told apart in points. */
function gain(over: SystemName, published: number): Row {
  return {
    section: "5.5", system: "LibrettOS-Direct", workload: "Nginx, 8 KB, concurrency 50", metric: `against ${over}`, paper: signed(published), kind: "predicted",
    measure: () => {
      const ours = percent(nginx("LibrettOS-Direct", "8KiB", 50), nginx(over, "8KiB", 50));
      return { ours: signed(ours), remark: `${signed(ours - published).replace(" %", "")} points from the paper` };
    },
  };
}

function switchCost(direction: string, published: number, at: 0 | 1): Row {
  return {
    section: "5.5", system: "LibrettOS-Hybrid", workload: "Nginx, concurrency 20", metric: `switch ${direction}`, paper: `${published} ms`, kind: "fitted",
    measure: () => {
      const taken = hybrid().switches[at]!;
      return { ours: `${taken.toFixed(1)} ms`, error: percent(taken, published), remark: "To a physical function, as in the prototype; its parts are in the table of costs below" };
    },
  };
}

function hybridAbove(other: "LibrettOS-Server" | "Linux" | "NetBSD"): Row {
  return ordering("5.5", "LibrettOS-Hybrid", "Nginx, concurrency 20, half of the time in each mode", `faster than ${other}`, (): Result => {
    const [ours, theirs] = [hybrid().throughput, nginx(other, "8KiB", 20, true)];
    const text = (rate: number): string => Math.round(rate).toLocaleString("en-GB");
    return {
      ours: `${text(ours)} to ${text(theirs)} requests/s`, holds: ours > theirs,
      remark: "1.2 s in each mode; after a switch, connections that lost a frame wait for a retransmission timeout, of 1 s at least in NetBSD",
    };
  });
}

export const nginxRows: readonly Row[] = [
  gain("NetBSD", 66),
  gain("Linux", 27),
  ordering("5.5", "LibrettOS-Direct", "Nginx, all points", "always faster than NetBSD", () => compare("LibrettOS-Direct", "NetBSD").always()),
  ordering("5.5", "LibrettOS-Server", "Nginx, all points", "always faster than NetBSD", () => compare("LibrettOS-Server", "NetBSD").always()),
  ordering("5.5", "NetBSD", "Nginx, all points", "slower than Linux", () => compare("NetBSD", "Linux").never()),
  ordering("5.5", "LibrettOS-Direct", "Nginx, 128 KB", "not faster than Linux", () => compare("LibrettOS-Direct", "Linux", ["128KiB"]).never()),
  ordering("5.5", "LibrettOS-Direct", "Nginx, less than 128 KB", "faster than Linux", () => compare("LibrettOS-Direct", "Linux", sizes.filter((size) => size !== "128KiB")).always()),
  ordering("5.5", "LibrettOS-Server", "Nginx, all points", "faster than Linux in many, not all cases", () =>
    compare("LibrettOS-Server", "Linux").counted((faster, points) => faster >= points / 3 && faster < points)),
  switchCost("server → direct", 56, 0),
  switchCost("direct → server", 69, 1),
  hybridAbove("LibrettOS-Server"),
  hybridAbove("Linux"),
  hybridAbove("NetBSD"),
];
