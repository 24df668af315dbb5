import assert from "node:assert/strict";
import fc from "fast-check";
import { Store } from "../../../engine/kernel/state";
import { Transcript } from "../../../engine/network/transcript";
import { UdpSockets } from "../../../engine/network/udp";
import { datum, echoOf, numberOf } from "../../../engine/workloads/data";

describe("UDP sockets", () => {
  it("hand datagrams out in order, drop what does not fit, and always take one", () => {
    fc.assert(fc.property(fc.array(fc.oneof(fc.integer({ min: 1, max: 1500 }), fc.constant(0)), { maxLength: 300 }), (steps) => {
      const sockets = new UdpSockets(new Store(), "s", 4000);
      const socket = sockets.open(7, 3);
      assert.equal(sockets.find(7), socket);
      assert.equal(sockets.find(8), -1);
      assert.equal(sockets.userOf(socket), 3);
      const model: { packet: number; bytes: number }[] = [];
      const sizes: number[] = [];
      steps.forEach((bytes, packet) => {
        sizes.push(bytes);
        if (bytes > 0) {
          const waiting = model.reduce((sum, d) => sum + d.bytes, 0);
          const fits = model.length === 0 || waiting + bytes <= 4000;
          assert.equal(sockets.deliver(socket, packet, bytes), fits);
          if (fits) model.push({ packet, bytes });
        } else {
          assert.equal(sockets.peek(socket), model[0]?.packet ?? -1);
          assert.equal(sockets.take(socket, (p) => sizes[p]!), model.shift()?.packet ?? -1);
        }
      });
    }));
  });

  it("keep apart what came to different ports", () => {
    const sockets = new UdpSockets(new Store(), "s", 4000);
    const [a, b] = [sockets.open(1, 0), sockets.open(2, 0)];
    for (let packet = 0; packet < 10; packet++) sockets.deliver(packet % 2 === 0 ? a : b, packet, 1);
    const drain = (socket: number): number[] => Array.from({ length: 5 }, () => sockets.take(socket, () => 1));
    assert.deepEqual(drain(b), [1, 3, 5, 7, 9]);
    assert.deepEqual(drain(a), [0, 2, 4, 6, 8]);
  });
});

describe("messages of datagrams", () => {
  it("are found by where they begin, in any order, whatever was lost", () => {
    const transcript = new Transcript(new Store());
    const offsets = [100, 200, 50, 1].map((length, number) => {
      const offset = transcript.endOf(4);
      transcript.write(4, 6, length, number);
      return offset;
    });
    for (const number of [1, 3, 0, 2, 3]) assert.equal(transcript.valueOf(transcript.at(4, offsets[number]!)), number);
    assert.equal(transcript.at(4, 7), -1);
    assert.equal(transcript.at(4, 351), -1);
  });

  it("carry number and size", () => {
    fc.assert(fc.property(fc.nat({ max: 2 ** 22 }), fc.integer({ min: 1, max: 2 ** 30 - 1 }), (number, size) => {
      const message = datum(number, size);
      assert.equal(message.length, size);
      assert.equal(numberOf(message.value), number);
      assert.deepEqual(echoOf(message.value), message);
    }));
  });
});
