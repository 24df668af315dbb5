import assert from "node:assert/strict";
import { Store } from "../../../engine/kernel/state";
import { frameBytes } from "../../../engine/network/frameBytes";
import { PacketLog, TcpFlag } from "../../../engine/network/packets";

describe("802.1Q tags", () => {
  const log = new PacketLog(new Store());
  const packet = (): number => {
    const p = log.createTcp(0x0a000001, 0x0a000002, 1, 2, 3, 4, TcpFlag.ack, 5, 0, 0, 100, 6);
    log.setEthernet(p, 0x02_00_00_00_00_02, 0x02_00_00_00_00_01);
    return p;
  };

  it("stand between the addresses and the type, and move the rest by four bytes", () => {
    const plain = packet();
    const tagged = packet();
    log.setVlan(tagged, 0x123);
    assert.equal(log.frameLength(tagged), log.frameLength(plain) + 4);
    const [without, bytes] = [frameBytes(log, plain), frameBytes(log, tagged)];
    assert.deepEqual([...bytes.subarray(0, 12)], [...without.subarray(0, 12)]);
    assert.deepEqual([...bytes.subarray(12, 16)], [0x81, 0x00, 0x01, 0x23]);
    assert.deepEqual([...bytes.subarray(16)], [...without.subarray(12)]);
  });

  it("are part of what a copy keeps, and of what people see", () => {
    const tagged = packet();
    log.setVlan(tagged, 7);
    assert.equal(log.vlan(log.copy(tagged)), 7);
    assert.equal(log.vlan(packet()), 0);
    const ethernet = log.describe(tagged).variables[0]!;
    assert.equal(ethernet.children!.find((v) => v.name === "VLAN")!.number, 7);
  });
});
