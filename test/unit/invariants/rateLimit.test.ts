import assert from "node:assert/strict";
import { createEngine } from "../../../engine/create";
import { VcpuState } from "../../../engine/scheduling/vcpus";
import { schedulingInvariants } from "../../support/invariants/scheduling";
import { inDispatch } from "../../support/inDispatch";
import { designOf } from "../../support/runDesign";

describe("invariant 58, the rate limit", () => {
  it("takes no vCPU that halts for one that is preempted, if it is woken at the instant of its halt", () => {
    const engine = createEngine(designOf(`exoscope: 1
hosts:
  server:
    cpu: { cores: 1 }
    hypervisor: { model: xen, scheduler: credit, ratelimit: 1ms }
    domains:
      app: { components: [ compute: { burst: 1us, events: 1 } ] }
run: { until: 10ms }
`));
    const { trace, built: { machine: { cpus, kernel } } } = engine;
    const { vcpu } = cpus.vcpus;
    const { watch } = schedulingInvariants.find(({ number }) => number === 58)!;
    const rule = watch(engine);
    let seen = 0;
    const look = (): void => {
      for (; seen < trace.length; seen++) rule.row!(seen);
      rule.step!();
    };
    do {
      assert.ok(engine.dispatch());
      look();
    } while (vcpu.state[0] !== VcpuState.blocked);
    const halted = engine.time;
    inDispatch(kernel, () => cpus.vcpus.entry(0).vcpuHost.wake(0, -1));
    assert.equal(vcpu.state[0], VcpuState.runnable);
    look();
    while (vcpu.state[0] === VcpuState.runnable && engine.dispatch()) look();
    assert.equal(vcpu.state[0], VcpuState.running);
    assert.ok(halted < 1e9 && engine.time - halted < 1e9, "within the rate limit");
  });
});
