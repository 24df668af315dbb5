import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MachineEngine } from "../../engine/create";
import { exportCapture } from "../../engine/trace/capture";
import { runDesign } from "../support/runDesign";

const sample = readFileSync("samples/librettos/librettos.exo.yaml", "utf8");

/** Checksums are verified, and sequences analysed, by tshark itself. */
const checks = ["-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE"];

describe("the sample's capture, read by tshark", function () {
  let folder: string | undefined;

  before(function () {
    if (spawnSync("tshark", ["--version"]).error !== undefined) {
      console.log("      tshark is not installed: the sample's capture is not compared with it");
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "exoscope-sample-"));
  });

  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const lines = (engine: MachineEngine, filter: string): string[] => {
    const file = join(folder!, "sample.pcapng");
    writeFileSync(file, exportCapture(engine));
    const output = execFileSync("tshark", ["-r", file, ...checks, "-Y", filter], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
    return output.split("\n").filter((line) => line !== "");
  };

  it("holds ARP, handshakes, every request and response, and FINs, with nothing to warn of", () => {
    const { engine } = runDesign(sample);
    const connections = 8 + 4;
    assert.equal(lines(engine, "tcp.flags.syn == 1 && tcp.flags.ack == 0").length, connections);
    assert.equal(lines(engine, "tcp.flags.syn == 1 && tcp.flags.ack == 1").length, connections);
    assert.equal(lines(engine, "tcp.flags.fin == 1").length, 2 * connections);
    assert.equal(lines(engine, 'http.request.method == "GET"').length, 400);
    assert.equal(lines(engine, "http.response.code == 200").length, 400);
    assert.equal(lines(engine, "http.content_length == 8192").length, 400);
    assert.equal(lines(engine, "resp && tcp.dstport == 6379").length, 400);
    assert.ok(lines(engine, "arp.opcode == 1").length >= 2 && lines(engine, "arp.opcode == 2").length >= 2);
    assert.deepEqual(lines(engine, "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0"), []);
    assert.deepEqual(lines(engine, "_ws.expert.severity >= 6291456"), [], "no warning and no error");
    assert.deepEqual(lines(engine, "tcp.analysis.flags && !tcp.analysis.window_update"), []);
  });

  it("shows as many retransmissions as the engine counts, at 1 % loss", () => {
    const { engine, report } = runDesign(sample.replace("delay: 2us", "delay: 2us, loss: 1%").replace("until: 200ms", "until: 60s"));
    assert.ok(report.drops["lost on the link"]! > 10);
    // What comes less than a round trip after a later segment tshark calls out of order; on a capture of all that was sent it is a retransmission.
    const again = "tcp.analysis.retransmission || tcp.analysis.fast_retransmission || tcp.analysis.spurious_retransmission || tcp.analysis.out_of_order";
    assert.equal(lines(engine, again).length, report.retransmissions);
    assert.deepEqual(lines(engine, "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0"), []);
  });
});
