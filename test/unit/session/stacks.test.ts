import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createEngine } from "../../../engine/create";
import { parseDesign } from "../../../engine/design/parse";
import { Session } from "../../../engine/session/session";

/** A sample with the real engine, recorded for so many dispatches. */
function record(sample: string, dispatches: number): Session {
  const text = readFileSync(`samples/${sample}.exo.yaml`, "utf8");
  const { design } = parseDesign(text);
  assert.ok(design);
  const session = new Session(createEngine(design), design, text);
  session.recording.record(dispatches);
  return session;
}

/** Stacks of every so many rows. */
function stacks(session: Session, every: number): { readonly row: number; readonly lines: string[] }[] {
  const rows = Array.from({ length: Math.floor(session.trace.length / every) }, (_, i) => i * every);
  return rows.map((row) => ({ row, lines: session.stack(row, 0, 100_000).frames.map(({ component, fn }) => `${component} ${fn}`) }));
}

describe("session: stacks across samples", function () {
  this.timeout(60_000);

  for (const sample of ["faults/server-crash", "workloads/http-close", "workloads/udp-stream", "placement/multiserver"]) {
    it(`tell one request, not all before it: ${sample}`, () => {
      for (const { row, lines } of stacks(record(sample, 20_000), 97)) assert.ok(lines.length < 200, `row ${row}: ${lines.length} frames`);
    });
  }

  it("follow the frame where its handler comes to it from another application's", () => {
    const found = stacks(record("faults/server-crash", 20_000), 3).filter(({ lines }) => lines[0]?.startsWith("server/web/http-server"));
    assert.ok(found.length > 5);
    for (const { row, lines } of found) assert.ok(!lines.some((line) => line.startsWith("server/fast/")), `row ${row} is explained by the neighbour's frames`);
  });

  it("begin a burst with what began it", () => {
    const session = record("workloads/tcp-stream", 20_000);
    for (const { row, lines } of stacks(session, 97)) {
      const sends = lines.map((line) => line.endsWith(" tcp_write_xmit"));
      // Between two turns of a burst lie the few rows of handing a frame to the adapter, and none of receiving.
      sends.forEach((send, i) => {
        const next = sends.indexOf(true, i + 1);
        if (send && next > 0) assert.ok(lines.slice(i, next).some((line) => /tcp_v4_rcv|read|send/.test(line)), `row ${row}, frame ${i}`);
      });
    }
  });

  it("show one turn of a loop that carries no frame", () => {
    const computes = stacks(record("scheduling/lock-holder", 3000), 7).filter(({ lines }) => lines[0]?.endsWith("cpu_execute_event"));
    assert.ok(computes.length > 10);
    for (const { lines } of computes) assert.equal(lines.filter((line) => line === lines[0]).length, 1);
  });
});
