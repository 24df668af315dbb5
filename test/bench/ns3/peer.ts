import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const source = "test/bench/ns3/transfer.cpp";
/** By name, not by pkg-config, whose list for ns-3 has libraries that Debian's package does not bring. */
const libraries = ["internet", "network", "core", "point-to-point", "traffic-control"].map((module) => `-lns3-${module}`);

/** What a run of ns-3 came to. */
export interface Ns3Run {
  /** CPU time from the first event to the last. */
  readonly seconds: number;
  /** By ns-3's own count. */
  readonly events: number;
  /** On the wire, both directions. */
  readonly frames: number;
}

/** ns-3 with a case of the bench built in. */
export interface Ns3 {
  readonly version: string;
  /** @param args see transfer.cpp */
  run(args: readonly string[]): Ns3Run;
  close(): void;
}

/** Builds the program with the ns-3 that is installed. @returns it, or why there is none, in a sentence */
export function buildNs3(): Ns3 | string {
  const folder = mkdtempSync(join(tmpdir(), "exoscope-ns3-"));
  const close = (): void => rmSync(folder, { recursive: true, force: true });
  const program = join(folder, "transfer");
  try {
    execFileSync("g++", ["-O3", "-std=c++17", "-o", program, source, ...libraries], { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  } catch (error) {
    close();
    const { code, stderr } = error as { readonly code?: string; readonly stderr?: string };
    if (code === "ENOENT") return "Not measured: there is no g++ (Debian: g++).";
    if (/ns3\/\S+: No such file|cannot find -lns3/.test(stderr ?? "")) return "Not measured: ns-3 is not installed (Debian: libns3-dev).";
    return `Not measured: ${source} does not build with the ns-3 that is installed: ${stderr?.split("\n").find((line) => line.includes("error")) ?? String(error)}`;
  }
  return {
    version: versionOf(),
    run: (args) => {
      const [seconds, events, frames] = execFileSync(program, args, { encoding: "utf8" }).trim().split(" ").map(Number) as [number, number, number];
      return { seconds, events, frames };
    },
    close,
  };
}

function versionOf(): string {
  try {
    return execFileSync("pkg-config", ["--modversion", "ns3-core"], { stdio: ["ignore", "pipe", "ignore"], encoding: "utf8" }).trim();
  } catch {
    return "of unknown version";
  }
}
