import assert from "node:assert/strict";
import { createEngine } from "../../../engine/create";
import { Recording } from "../../../engine/session/recording";
import { Session } from "../../../engine/session/session";
import { NONE } from "../../../engine/trace/trace";
import { designOf } from "../../support/runDesign";
import { readSample, samples } from "../../support/samples";

/** The deepest stack of all samples, at every row of their whole runs, has 184 frames: NetPIPE through rings and a bridge, there and back (netfront/bridge). */
const DEEPEST = 200;

/** A sample with the real engine, recorded for so many dispatches. */
function record(sample: string, dispatches: number): Session {
  const { text, files } = readSample(`${sample}.exo.yaml`);
  const design = designOf(text, files);
  const session = new Session(new Recording(createEngine(design)), design, text);
  session.recording.record(dispatches);
  return session;
}

/** Stacks of every so many rows. */
function stacks(session: Session, every: number): { readonly row: number; readonly lines: string[] }[] {
  const rows = Array.from({ length: Math.floor(session.trace.length / every) }, (_, i) => i * every);
  return rows.map((row) => ({ row, lines: session.stack(row, 0, 100_000).frames.map(({ component, fn }) => `${component} ${fn}`) }));
}

describe("session: stacks across samples", () => {

  for (const sample of samples) {
    it(`tell one request, not all before it: ${sample}`, () => {
      for (const { row, lines } of stacks(record(sample.replace(".exo.yaml", ""), 20_000), 97)) assert.ok(lines.length < DEEPEST, `row ${row}: ${lines.length} frames`);
    });
  }

  it("go back from a segment to the call that wrote its bytes, and name the ACK that let it go as its enabler", () => {
    const { trace, recording: { engine } } = record("workloads/tcp-stream", 20_000);
    const name = (row: number): string => (row === NONE ? "nothing" : trace.names.functions[trace.fn(row)]!.name);
    const enablers = new Map<string, number>();
    let sent = 0;
    for (let row = 0; row < trace.length; row++) {
      const [, sequence, length] = (name(row) === "tcp_write_xmit" && /seq (\d+) .*len (\d+)/.exec(engine.summarizePacket(trace.packet(row)))) || [];
      // What is sent again goes back to what found it lost.
      if (length === "0" || !(Number(sequence) > sent)) continue;
      sent = Number(sequence);
      assert.equal(name(trace.cause(row)), "tcp_push", `row ${row}`);
      const enabler = name(trace.enabler(row));
      enablers.set(enabler, (enablers.get(enabler) ?? 0) + 1);
    }
    assert.ok(enablers.get("tcp_v4_rcv")! > 100);
    // After an ACK, one that has waited in the socket's backlog too, after the segment before it, or as soon as the call's thread comes to it.
    assert.deepEqual([...enablers.keys()].sort(), ["TDT write", "tcp_push", "tcp_v4_do_rcv", "tcp_v4_rcv"]);
  });

  it("go back from a packet that has waited for its neighbour's address to who sent it", () => {
    const { trace } = record("librettos/librettos", 3000);
    const name = (row: number): string => trace.names.functions[trace.fn(row)]!.name;
    const waited = Array.from({ length: trace.length }, (_, row) => row).filter((row) => trace.enabler(row) !== NONE && /^(arp_rcv|in_arpinput)$/.test(name(trace.enabler(row))) && /^(ether_output|dev_queue_xmit)$/.test(name(row)));
    assert.ok(waited.length > 1);
    for (const row of waited) {
      let asked = trace.cause(row);
      while (!/^tcp_(output|write_xmit)$/.test(name(asked)) && !trace.isFirst(asked)) asked = trace.cause(asked);
      assert.match(name(asked), /^tcp_(output|write_xmit)$/, `row ${row}`);
    }
  });

  it("go back from work that was preempted to what asked for it, and from a tick to what made the vCPU busy", () => {
    const session = record("scheduling/preemptive", 120_000);
    const all = stacks(session, 3).filter(({ lines }) => lines[0]!.startsWith("server/preemptive"));
    const parts = all.filter(({ lines }) => lines[0]!.endsWith(" cpu_execute_event"));
    assert.ok(parts.length > 20);
    for (const { row, lines } of parts) assert.ok(!lines.some((line) => line.endsWith(" hardclock")), `row ${row}`);
    const ticks = all.filter(({ lines }) => lines[0]!.endsWith(" hardclock"));
    assert.ok(ticks.length > 20);
    for (const { row, lines } of ticks) assert.equal(lines.filter((line) => line === lines[0]).length, 1, `row ${row}`);
  });

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
