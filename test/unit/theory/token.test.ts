import assert from "node:assert/strict";
import { Kernel } from "../../../engine/kernel/kernel";
import { Link } from "../../../engine/network/link";
import { PacketLog, TcpFlag } from "../../../engine/network/packets";
import { inDispatch } from "../../support/inDispatch";

/** Tokens go round: who receives one sends it back, as soon as its side of the wire is free. @returns arrivals at end 1, picoseconds */
function circulate(tokens: number, frame: number, delay: number, until: number): number[] {
  const kernel = new Kernel(1, false);
  const packets = new PacketLog(kernel.store);
  const link = new Link(kernel, packets, "wire", "h", 10e9, delay);
  const arrivals: number[] = [];
  const waiting: number[][] = [[], []];
  const busy = [false, false];
  const feed = (end: number): void => {
    if (busy[end]! || waiting[end]!.length === 0) return;
    busy[end] = true;
    link.send(end, waiting[end]!.shift()!);
  };
  for (const end of [0, 1]) {
    link.attach({
      transmitted: () => {
        busy[end] = false;
        feed(end);
      },
      received: (packet) => {
        if (end === 1) arrivals.push(kernel.now);
        waiting[end]!.push(packet);
        feed(end);
      },
    });
  }
  inDispatch(kernel, () => {
    for (let i = 0; i < tokens; i++) waiting[0]!.push(packets.createTcp(1, 2, 3, 4, i, 0, TcpFlag.ack, 0, -1, 0, frame - 54, 0));
    feed(0);
  });
  while (kernel.dispatch(until));
  return arrivals;
}

describe("tokens on a 10 Gb/s wire", () => {
  const DELAY = 2_000_000;

  for (const frame of [60, 1514, 9014]) {
    // Preamble 8, check sequence 4, gap 12 (IEEE 802.3): 800 ps a byte.
    const time = (frame + 24) * 800;

    it(`one of ${frame} bytes is back after twice its time on the wire and the way, to the picosecond`, () => {
      const arrivals = circulate(1, frame, DELAY, 1e9);
      assert.ok(arrivals.length > 50);
      arrivals.forEach((at, i) => assert.equal(at, time + DELAY + i * 2 * (time + DELAY)));
    });

    it(`so many of ${frame} bytes that the wire is never idle arrive at the line rate; fewer, in proportion to their number`, () => {
      const round = 2 * (time + DELAY);
      const enough = Math.ceil(round / time);
      for (const tokens of [2, Math.max(2, enough >> 1), enough, enough + 5]) {
        const arrivals = circulate(tokens, frame, DELAY, 1e9);
        const half = arrivals.length >> 1;
        const rounds = Math.floor((arrivals.length - half - 1) / tokens) * tokens;
        // A closed network with one station a direction: min(1/s, N/(2·(s + d))) frames a second.
        const between = (arrivals[half + rounds]! - arrivals[half]!) / rounds;
        assert.equal(between, Math.max(time, round / tokens));
      }
    });
  }
});
