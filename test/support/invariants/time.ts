import assert from "node:assert/strict";
import { report } from "../../../engine/analysis/report";
import { createEngine } from "../../../engine/create";
import type { Invariant } from "./invariant";

/** Rules of the simulation itself: time, causes, wires. */
export const timeInvariants: readonly Invariant[] = [
  {
    number: 77, says: "time never goes back, and no effect comes before its cause",
    watch: ({ trace }) => ({
      row: (row) => {
        if (row > 0) assert.ok(trace.time(row) >= trace.time(row - 1), "time goes back");
        assert.ok(trace.cause(row) < row && trace.enabler(row) < row, "an effect before its cause");
      },
    }),
  },
  {
    number: 79, says: "a wire carries one frame at a time, each for as long as its bytes and the overhead take",
    watch: ({ trace, names, design, built: { machine } }) => {
      const until = new Map<number, number>();
      const serialise = names.functions.find(({ name }) => name === "serialise")!.id;
      return {
        row: (row) => {
          if (trace.fn(row) !== serialise) return;
          const context = trace.context(row);
          const { rate } = design.links[machine.links.findIndex((l) => l.directions.includes(context))]!;
          assert.ok(trace.begin(row) >= (until.get(context) ?? 0), "two frames on the wire at once");
          assert.ok(!machine.packets.isLong(trace.packet(row)), "a segment that was to be cut");
          // Bytes on the wire: preamble 8, header 14, payload of at least 46, check sequence 4, gap 12 (IEEE 802.3 clause 4).
          const bytes = Math.max(60, machine.packets.frameLength(trace.packet(row))) + 24;
          assert.equal(trace.cost(row), Math.round((bytes * 8e12) / rate), "time on the wire");
          until.set(context, trace.time(row));
        },
      };
    },
  },
  {
    number: 81, says: "every frame that was sent on a link, and every double of one, has arrived once, was lost with a cause, or is on its way",
    watch: ({ trace, names, built: { machine: { packets } } }) => {
      const id = (name: string): number => names.functions.find((f) => f.name === name)?.id ?? -1;
      const [serialise, arrive, lost, corrupted, doubled] = ["serialise", "arrive", "lost on the link", "corrupted on the link", "duplicated on the link"].map(id);
      const underWay = new Set<number>();
      return {
        row: (row) => {
          const fn = trace.fn(row);
          const packet = trace.packet(row);
          if (fn === serialise || fn === doubled || fn === corrupted) underWay.add(packet);
          // What goes on instead of the frame that was sent is a packet of its own.
          if (fn === corrupted) assert.ok(underWay.delete(packets.parentOf(packet)), "what is corrupted was sent");
          if (fn === arrive || fn === lost) assert.ok(underWay.delete(packet), "what arrives or is lost was sent, once");
        },
        sample: () => assert.ok(underWay.size < 4096, "frames are accounted for"),
      };
    },
  },
  {
    number: 27, says: "what is lost is not sent again by anybody but TCP: no frame goes onto a link twice",
    watch: ({ trace, names }) => {
      const serialise = names.functions.find(({ name }) => name === "serialise")?.id;
      const sent = new Set<string>();
      return {
        row: (row) => {
          if (trace.fn(row) !== serialise) return;
          const key = `${trace.context(row)} ${trace.packet(row)}`;
          assert.ok(!sent.has(key), `packet ${trace.packet(row)}`);
          sent.add(key);
        },
      };
    },
  },
  {
    number: 76, says: "the same design gives the same trace, whatever else is simulated meanwhile",
    watch: (engine) => {
      // A second machine costs as much as the first: beside some.
      if (engine.design.run.seed % 16 !== 0) return {};
      const twin = createEngine(engine.design);
      return {
        step: () => {
          twin.dispatch();
          if (twin.time !== engine.time || twin.rows !== engine.rows) assert.fail(`${twin.rows} rows at ${twin.time} ps, and not ${engine.rows} at ${engine.time} ps`);
        },
        end: () => assert.equal(twin.fingerprint(), engine.fingerprint()),
      };
    },
  },
  {
    number: 80, says: "what NetPIPE reports as throughput is the size of a message over half of its round trip, and no faster than the wire",
    watch: (engine) => ({
      end: () => {
        for (const { sizes = [] } of report(engine).workloads) {
          for (const { size, messages, oneWay, throughput } of sizes) {
            if (messages === 0) continue;
            assert.ok(Math.abs(throughput - (8e12 * size) / oneWay) <= 1e-9 * throughput, `${size} bytes`);
            assert.ok(throughput < Math.max(...engine.design.links.map(({ rate }) => rate)), `${size} bytes faster than the wire`);
          }
        }
      },
    }),
  },
];
