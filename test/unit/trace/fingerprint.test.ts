import assert from "node:assert/strict";
import { fingerprint } from "../../../engine/trace/fingerprint";
import { runDesign } from "../../support/runDesign";

describe("a run's fingerprint", () => {
  const text = (name: string, seed: number): string => `
exoscope: 1
name: one server
hosts:
  server:
    cpu: { cores: 2 }
    iommu: on
    devices:
      nic0: { model: intel-82599, sriov: { vfs: 1 } }
    hypervisor: { model: xen }
    domains:
      ${name}: { kind: vm, components: [ http-server, libc, tcpip, ixgbe: { bind: nic0.vf0 } ] }
  client: { model: load-generator, cpu: { cores: 2 }, link: { to: server.nic0, rate: 10Gbps, delay: 2us } }
workloads:
  - http: { from: client, to: ${name}, requests: 20, concurrency: 1 }
run: { until: 50ms, seed: ${seed} }
`;
  const { engine } = runDesign(text("web", 1));

  it("is another where only numbers in packets are: another seed chooses other initial sequence numbers", () => {
    const other = runDesign(text("web", 9)).engine;
    assert.equal(fingerprint(engine.trace), fingerprint(other.trace), "the same rows");
    assert.notEqual(engine.fingerprint(), other.fingerprint());
  });

  it("is another where only a name is", () => {
    assert.notEqual(engine.fingerprint(), runDesign(text("wed", 1)).engine.fingerprint());
  });
});
