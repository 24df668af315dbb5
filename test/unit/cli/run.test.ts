import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RunReport } from "../../../engine/analysis/report";
import { run, type RunOptions } from "../../../engine/cli/run";
import { summary } from "../../../engine/cli/summary";
import { trace, type TraceOptions } from "../../../engine/cli/trace";

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

  it("prints rates below a hundred requests a second with three digits", async () => {
    const { out } = await exoscope(sample, { json: true });
    const report = JSON.parse(out) as RunReport;
    const printed = [0, 0.5512, 12.345, 99.99, 1234.5].map((throughput) => summary({ ...report, workloads: [{ ...report.workloads[0]!, throughput }] }).split("\n")[3]!.trim().split(/ {2,}/)[2]);
    assert.deepEqual(printed, ["0", "0.551", "12.3", "100", "1,235"]);
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

  /** Packets in a capture: its Enhanced Packet Blocks. */
  function packets(file: string): number {
    const bytes = readFileSync(file);
    let count = 0;
    for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) if (bytes.readUInt32LE(at) === 6) count++;
    return count;
  }

  it("takes the capture at a host: what it sent, and what reached it; of the run and of its trace the same", async () => {
    const lossy = join(folder, "lossy.exo.yaml");
    writeFileSync(lossy, readFileSync(sample, "utf8").replace("delay: 2us", "delay: 2us, loss: 2%").replace("until: 200ms", "until: 1s"));
    const file = (name: string): string => join(folder, `at-${name}.pcapng`);
    const kept = join(folder, "lossy.exotrace");
    const { out } = await exoscope(lossy, { json: true, trace: kept, pcapng: file("senders") });
    for (const captureAt of ["client", "server"]) assert.equal((await exoscope(lossy, { pcapng: file(captureAt), captureAt })).code, 0);
    const lost = (JSON.parse(out) as RunReport).drops["lost on the link"]!;
    assert.ok(lost > 10);
    // A frame is in its sender's capture, and in that of the host that it reaches.
    assert.equal(packets(file("client")) + packets(file("server")), 2 * packets(file("senders")) - lost);
    assert.ok(packets(file("client")) < packets(file("senders")) && packets(file("server")) < packets(file("senders")));
    const errors: string[] = [];
    const io = { out: () => {}, error: (line: string) => errors.push(line) };
    assert.equal(trace(kept, { pcapng: file("shown"), captureAt: "client" }, io), 0);
    assert.ok(readFileSync(file("shown")).equals(readFileSync(file("client"))));
    assert.equal(trace(kept, { pcapng: file("never"), captureAt: "nowhere" }, io), 1);
    assert.deepEqual(errors, ["--capture-at nowhere: no link ends at a host of this name, only at client, server."]);
    assert.throws(() => readFileSync(file("never")));
  });

  it("keeps the trace in a file that `exoscope trace` shows as the run did", async () => {
    const kept = join(folder, "run.exotrace");
    const pcapng = join(folder, "run.pcapng");
    const csv = join(folder, "run.csv");
    const { out } = await exoscope(sample, { trace: kept, pcapng });
    await exoscope(sample, { trace: csv });
    const show = (file: string, options: TraceOptions): { code: number; out: string; error: string } => {
      const lines: string[] = [];
      const errors: string[] = [];
      const code = trace(file, options, { out: (line) => lines.push(line), error: (line) => errors.push(line) });
      return { code, out: lines.join("\n"), error: errors.join("\n") };
    };
    const shown = show(kept, { pcapng: join(folder, "shown.pcapng"), csv: join(folder, "shown.csv") });
    assert.deepEqual([shown.code, shown.error], [0, ""]);
    const withoutTime = (text: string): string => text.replace(/ simulated( in [\d.]+ s)?,/, " simulated,").replace(/\n\nfingerprint .*$/, "");
    assert.equal(withoutTime(shown.out), withoutTime(out));
    assert.ok(readFileSync(join(folder, "shown.pcapng")).equals(readFileSync(pcapng)));
    assert.ok(readFileSync(join(folder, "shown.csv")).equals(readFileSync(csv)));
    const row = show(kept, { row: "30000" });
    assert.match(row.out, /^row 30000 at .*\n {2}in .*\n {2}caused by row \d+/);
    assert.ok(row.out.split("\n").length > 5, "state of the component");
    // The first row has nothing before it.
    assert.doesNotMatch(show(kept, { row: "0" }).out, /caused by|enabled by/);
    assert.doesNotMatch(row.out, /row -1/);
    assert.match(show(kept, { row: "1e9" }).error, /--row 1e9: the trace has rows 0 to \d+\./);

    const whole = readFileSync(kept);
    const cut = join(folder, "cut.exotrace");
    writeFileSync(cut, whole.subarray(0, Math.floor(whole.length / 3)));
    const killed = show(cut, { csv: join(folder, "cut.csv") });
    assert.equal(killed.code, 0);
    assert.match(killed.error, /cut\.exotrace: the run was ended at .* of 200\.0 ms\. The file has [\d,]+ rows, which --csv and --row can show/);
    const rows = readFileSync(join(folder, "cut.csv"), "utf8").split("\n");
    assert.ok(rows.length > 2048);
    assert.deepEqual(rows.slice(0, -1), readFileSync(csv, "utf8").split("\n").slice(0, rows.length - 1));
    assert.match(show(cut, { pcapng: join(folder, "cut.pcapng") }).error, /did not come to its end/);
    assert.match(show(sample, {}).error, /librettos\.exo\.yaml: this is no trace/);
    assert.match(show(join(folder, "absent"), {}).error, /absent: there is no such file\. Name a trace/);
    assert.match(show(kept, { csv: join(folder, "no", "where") }).error, /^--csv .*where: there is no folder .*no\. Make it, or name a file in one that exists\.$/);
  });

  it("lets a trace that outgrows its memory go to a temporary file, and leaves none behind", async () => {
    const { out } = await exoscope(sample, { json: true });
    const before = process.env["TMPDIR"];
    const elsewhere = mkdtempSync(join(folder, "tmp-"));
    process.env["TMPDIR"] = elsewhere;
    try {
      assert.equal((await exoscope(sample, { json: true, memory: "10KiB" })).out, out);
      const csv = join(folder, "spilled.csv");
      await exoscope(sample, { trace: csv, memory: "10KiB" });
      assert.ok(readFileSync(csv).equals(readFileSync(join(folder, "run.csv"))));
    } finally {
      if (before === undefined) delete process.env["TMPDIR"];
      else process.env["TMPDIR"] = before;
    }
    assert.deepEqual(readdirSync(elsewhere), []);
    assert.match((await exoscope(sample, { memory: "much" })).error, /--memory much:/);
  });

  it("refuses what it cannot use, with the reason, and writes nothing", async () => {
    const pcapng = join(folder, "never.pcapng");
    const broken = join(folder, "broken.exo.yaml");
    writeFileSync(broken, readFileSync(sample, "utf8").replace("nic0.vf0", "nic0.vf9"));
    for (const [file, options, message] of [
      [sample, { seed: "-1" }, /--seed -1: a whole number/],
      [sample, { until: "soon" }, /--until soon:/],
      [sample, { until: "5" }, /unit/],
      [sample, { until: "-5ms" }, /^--until -5ms: A time cannot be negative\. Did you mean “5ms”\?$/],
      [sample, { until: "0" }, /^--until 0: a time from 1ps to 3600s is needed\.$/],
      [sample, { captureAt: "client" }, /--capture-at client: .*--pcapng/],
      [sample, { captureAt: "server/nic0", pcapng }, /--capture-at server\/nic0: no link ends .* only at client, server\./],
      [broken, { pcapng }, /broken\.exo\.yaml:\d+:\d+: error vf-missing /],
      [join(folder, "absent.exo.yaml"), {}, /absent\.exo\.yaml: there is no such file\. Name a design/],
    ] as const) {
      const { code, out, error } = await exoscope(file, options);
      assert.equal(code, 1);
      assert.equal(out, "");
      assert.match(error, message);
    }
    assert.throws(() => readFileSync(pcapng));
  });

  it("opens every output before the run: what cannot be written is said at once, with option and remedy, and nothing else is touched", async () => {
    const old = join(folder, "old.csv");
    const fresh = join(folder, "fresh.pcapng");
    const nowhere = join(folder, "no", "x.csv");
    writeFileSync(old, "of an earlier run");
    for (const [options, message] of [
      [{ pcapng: fresh, queues: nowhere }, `--queues ${nowhere}: there is no folder ${join(folder, "no")}. Make it, or name a file in one that exists.`],
      [{ trace: old, pcapng: nowhere }, `--pcapng ${nowhere}: there is no folder ${join(folder, "no")}. Make it, or name a file in one that exists.`],
      [{ pcapng: fresh, trace: nowhere }, `--trace ${nowhere}: there is no folder ${join(folder, "no")}. Make it, or name a file in one that exists.`],
      [{ pcapng: fresh, trace: nowhere.replace(".csv", "") }, `--trace ${nowhere.replace(".csv", "")}: there is no folder ${join(folder, "no")}. Make it, or name a file in one that exists.`],
      [{ pcapng: fresh, queues: folder }, `--queues ${folder}: this is a folder. Name a file.`],
      [{ pcapng: fresh, queues: fresh }, `--queues ${fresh}: --pcapng writes to this file; name another.`],
    ] as const) {
      const { code, out, error, progress } = await exoscope(sample, options);
      assert.deepEqual([code, out, error, progress], [1, "", message, []]);
      assert.throws(() => readFileSync(fresh), "what was made for the run is gone again");
      assert.equal(readFileSync(old, "utf8"), "of an earlier run");
    }
  });

  it("does not write over the design that it runs, nor over the trace that it shows, whatever the path's name", async () => {
    const design = join(folder, "kept.exo.yaml");
    const link = join(folder, "link.csv");
    const text = readFileSync(sample, "utf8");
    writeFileSync(design, text);
    symlinkSync(design, link);
    for (const options of [{ trace: design }, { pcapng: design }, { queues: link }]) {
      const [[option, path]] = Object.entries(options) as [[string, string]];
      const { code, out, error } = await exoscope(design, options);
      assert.deepEqual([code, out, error], [1, "", `--${option} ${path}: this file is read, and would be written over. Name another.`]);
      assert.equal(readFileSync(design, "utf8"), text);
    }
    const kept = join(folder, "kept.exotrace");
    assert.equal((await exoscope(design, { trace: kept, until: "1ms" })).code, 0);
    const before = readFileSync(kept);
    const errors: string[] = [];
    assert.equal(trace(kept, { csv: kept }, { out: () => {}, error: (line) => errors.push(line) }), 1);
    assert.deepEqual(errors, [`--csv ${kept}: this file is read, and would be written over. Name another.`]);
    assert.ok(readFileSync(kept).equals(before));
  });

  it("prints the result before it writes: a disk that is full costs the file, not the run", async function () {
    if (!existsSync("/dev/full")) return this.skip();
    for (const option of ["queues", "pcapng"] as const) {
      const { code, out, error } = await exoscope(sample, { [option]: "/dev/full" });
      assert.deepEqual([code, error], [1, `--${option} /dev/full: there is no room left for it. Make some, or name a file on another disk.`]);
      assert.match(out, /fingerprint [0-9a-f]{16}$/);
    }
  });
});
