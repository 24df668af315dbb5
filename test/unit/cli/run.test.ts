import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunReport } from "../../../engine/analysis/report";
import { run, type RunOptions } from "../../../engine/cli/run";

const sample = "samples/librettos/librettos.exo.yaml";

async function exoscope(file: string, options: RunOptions = {}): Promise<{ code: number; out: string; error: string; progress: number[] }> {
  const out: string[] = [];
  const error: string[] = [];
  const progress: number[] = [];
  const code = await run(file, options, { out: (line) => out.push(line), error: (line) => error.push(line) }, (share) => progress.push(share));
  return { code, out: out.join("\n"), error: error.join("\n"), progress };
}

describe("exoscope run", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "exoscope-cli-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("prints throughput, latency, CPU by domain, drops by cause and the fingerprint", async () => {
    const { code, out, error } = await exoscope(sample);
    assert.equal(code, 0);
    assert.equal(error, "");
    for (const word of ["requests/s", "p50", "p99", "workloads/http-client-nginx", "400 of 400", "server/netsrv", "CPU time", "No frame was dropped."]) {
      assert.ok(out.includes(word), `no ${word} in\n${out}`);
    }
    const golden = JSON.parse(readFileSync("test/golden/fingerprints.json", "utf8")) as Record<string, string>;
    assert.match(out, new RegExp(`fingerprint ${golden["librettos/librettos.exo.yaml"]}$`));
  });

  it("prints the same as JSON, times in picoseconds", async () => {
    const { out } = await exoscope(sample, { json: true });
    const result = JSON.parse(out) as RunReport & { fingerprint: string };
    assert.equal(result.workloads[0]!.completed, 400);
    assert.match(result.fingerprint, /^[0-9a-f]{16}$/);
    const { p50, p99 } = result.workloads[1]!.latency;
    assert.ok(p50 > 1e6 && p50 <= p99 && p99 < 1e9);
  });

  it("ends at --until and draws from --seed", async () => {
    const short = JSON.parse((await exoscope(sample, { json: true, until: "1.2ms" })).out) as RunReport;
    assert.ok(short.time <= 1.2e9 && short.time > 1e9);
    assert.ok(short.workloads[0]!.completed < 400);
    assert.equal((JSON.parse((await exoscope(sample, { json: true, until: "1.2ms", seed: "77" })).out) as RunReport).seed, 77);
  });

  it("writes the trace and the capture", async () => {
    const trace = join(folder, "trace.csv");
    const pcapng = join(folder, "capture.pcapng");
    const { out } = await exoscope(sample, { json: true, trace, pcapng });
    const lines = readFileSync(trace, "utf8").trimEnd().split("\n");
    assert.equal(lines.length, (JSON.parse(out) as RunReport).rows + 1);
    assert.match(lines[0]!, /^row,time_ps,begin_ps,cost_ps,function,/);
    assert.ok(lines.some((line) => line.includes(",tcp_output,sys/netinet/tcp_output.c,server/nginx/tcpip,")));
    assert.equal(readFileSync(pcapng).readUInt32LE(0), 0x0a0d0d0a);
  });

  it("refuses what it cannot use, with the reason, and writes nothing", async () => {
    const pcapng = join(folder, "never.pcapng");
    const broken = join(folder, "broken.exo.yaml");
    writeFileSync(broken, readFileSync(sample, "utf8").replace("nic0.vf0", "nic0.vf9"));
    for (const [file, options, message] of [
      [sample, { seed: "-1" }, /--seed -1: a whole number/],
      [sample, { until: "soon" }, /--until soon:/],
      [sample, { until: "5" }, /unit/],
      [broken, { pcapng }, /broken\.exo\.yaml:\d+:\d+: error vf-missing /],
      [join(folder, "absent.exo.yaml"), {}, /absent\.exo\.yaml: ENOENT/],
    ] as const) {
      const { code, out, error } = await exoscope(file, options);
      assert.equal(code, 1);
      assert.equal(out, "");
      assert.match(error, message);
    }
    assert.throws(() => readFileSync(pcapng));
  });
});
