import assert from "node:assert/strict";
import { InterruptModeration } from "../../../engine/components/interruptModeration";
import { Store } from "../../../engine/kernel/state";
import { runDesign } from "../../support/runDesign";

/** One interrupt's worth of frames, and the register after it. */
function after(moderation: InterruptModeration, frames: number, bytes: number): number {
  for (let i = 0; i < frames; i++) moderation.countReceived(0, bytes);
  return moderation.next(0);
}

describe("interrupt moderation", () => {
  it("Linux goes from class to class by the rate, smoothed: a bulk transfer ends at 12,000 interrupts a second, a ping-pong at 100,000", () => {
    const moderation = new InterruptModeration(new Store(), "m", 1, "linux", "linux");
    assert.equal(moderation.initial, 200);
    let eitr = 200;
    // 1250 bytes a microsecond: lowest → low at once, which is where it is; then bulk, by the tenth part each time.
    assert.equal(after(moderation, 7, 9000), -1);
    assert.equal(eitr = after(moderation, 7, 9000), Math.floor((10 * 336 * 200) / (9 * 336 + 200)));
    for (let i = 0; i < 200; i++) eitr = Math.max(eitr, after(moderation, 10, 9000));
    assert.ok(eitr >= 320 && eitr <= 336, `${eitr}`);
    // One small frame an interrupt: down to the lowest latency.
    for (let i = 0; i < 200; i++) {
      const next = after(moderation, 1, 64);
      if (next >= 0) eitr = next;
    }
    assert.ok(eitr >= 40 && eitr <= 44, `${eitr}`);
    // Without frames nothing changes.
    assert.equal(moderation.next(0), -1);
  });

  it("NetBSD goes by the frames' mean size, one interrupt late", () => {
    const moderation = new InterruptModeration(new Store(), "m", 1, "netbsd", "netbsd");
    assert.equal(moderation.initial, 128);
    assert.equal(after(moderation, 3, 9018), -1);
    assert.equal(after(moderation, 1, 600), 1500, "jumbo frames: the upper bound of 3000, halved");
    assert.equal(after(moderation, 1, 66), 208, "(600 + 24) / 3");
    assert.equal(moderation.next(0), 45, "(66 + 24) / 2");
  });

  it("costs a ping-pong of large messages time: an interrupt may come 384 µs after the one before", () => {
    const design = (moderation: string): string => `exoscope: 1
hosts:
  server:
    cpu: { cores: 2 }
    iommu: on
    devices: { nic0: { model: intel-82599, mtu: 9000, sriov: { vfs: 1 } } }
    hypervisor: { scheduler: pinned }
    domains:
      app: { kind: vm, components: [netpipe-server, libc, tcpip, ixgbe: { bind: nic0.vf0${moderation} }] }
  client: { model: load-generator, link: { to: server.nic0 } }
workloads:
  - netpipe: { from: client, to: app, smallest: 262144, largest: 262144, repeats: 20 }
run: { until: 1s }
`;
    const oneWay = (text: string): number => runDesign(text).report.workloads[0]!.sizes![0]!.oneWay;
    assert.ok(oneWay(design(", moderation: adaptive")) > 1.2 * oneWay(design("")));
    assert.equal(oneWay(design(", moderation: static")), oneWay(design("")));
  });
});
