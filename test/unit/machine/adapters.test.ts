import assert from "node:assert/strict";
import type { Ixgbe } from "../../../engine/components/ixgbe";
import { parseDesign } from "../../../engine/design/parse";
import { DOMAIN_PAGES } from "../../../engine/machine/memory";
import { MailboxApi, MailboxMessage } from "../../../engine/machine/nic/mailboxMessages";
import { nicModels } from "../../../engine/machine/nic/model";
import { AdapterRig } from "../../support/adapterRig";
import { runDesign } from "../../support/runDesign";

/** A datagram stream as fast as the sender can, to a VF of an adapter, over a link of a rate. */
const stream = (model: string, driver: string, link: string, mtu: number): string => `exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: ${model}, mtu: ${mtu}, sriov: { vfs: 1 } } }
    hypervisor: { model: xen, scheduler: pinned }
    domains:
      app: { system: linux, vcpus: 2, components: [discard: { protocol: udp }, libc, tcpip, ${driver}: { bind: nic0.vf0 }] }
  client: { model: load-generator, link: { to: server.nic0${link} } }
workloads:
  - udp-stream: { from: client, to: app, size: ${mtu - 1000}, duration: 2ms }
run: { until: 60ms }
`;

const rateOf = (text: string): number | undefined => parseDesign(text).design?.links[0]?.rate;

/** One kernel drives two ports, each with as many queues as there are, for jumbo frames. */
const twoPorts = `exoscope: 1
hosts:
  server:
    cpu: { cores: 16 }
    iommu: on
    devices: { nic0: { model: intel-82599, mtu: 9000 }, nic1: { model: intel-82599, mtu: 9000 } }
    domains:
      k: { kind: kernel, system: netbsd, vcpus: 16, components: [tcpip, ixgbe: { id: i0, bind: nic0.pf, queues: 16 }, ixgbe: { id: i1, bind: nic1.pf, queues: 16 }] }
      web: { kind: process, components: [http-server, libc] }
  client: { model: load-generator, link: { to: server.nic0 } }
workloads:
  - http: { from: client, to: web, size: 1KiB, concurrency: 2, requests: 20 }
run: { until: 30ms }
`;

describe("adapters", () => {
  it("give a link the least of its own rate and theirs", () => {
    const rates = [["intel-82599", "ixgbe", ", rate: 100Gbps"], ["intel-82599", "ixgbe", ""], ["intel-82599", "ixgbe", ", rate: 1Gbps"], ["intel-82576", "igb", ", rate: 10Gbps"], ["intel-82576", "igb", ""]] as const;
    assert.deepEqual(rates.map(([model, driver, link]) => rateOf(stream(model, driver, link, 1500))), [10e9, 10e9, 1e9, 1e9, 1e9]);
  });

  it("send no faster than they can, whatever the link is said to be", () => {
    const ten = runDesign(stream("intel-82599", "ixgbe", ", rate: 100Gbps", 9000)).report.workloads[0]!.goodput;
    const one = runDesign(stream("intel-82576", "igb", ", rate: 100Gbps", 9000)).report.workloads[0]!.goodput;
    assert.ok(ten > 9e9 && ten < 10e9, `${ten}`);
    assert.ok(one > 0.9e9 && one < 1e9, `${one}`);
  });

  it("find the rings and buffers of all their queues in their driver's memory, however much that is", () => {
    const { engine, report } = runDesign(twoPorts);
    const { memory } = engine.built.iommus[0]!;
    assert.equal(report.workloads[0]!.completed, 20);
    assert.ok(memory.pagesOf(engine.built.domains.find(({ path }) => path === "server/k")!.id) > DOMAIN_PAGES);
  });

  for (const [what, model, driver, domain, bind, transmit, receive] of [
    ["Linux' ixgbe", "intel-82599", "ixgbe", "system: linux", "pf", 512, 512],
    ["Linux' ixgbevf", "intel-82599", "ixgbe", "system: linux", "vf0", 1024, 512],
    ["NetBSD's ixgbe", "intel-82599", "ixgbe", "system: netbsd", "pf", 2048, 2048],
    ["NetBSD's ixv", "intel-82599", "ixgbe", "system: netbsd", "vf0", 2048, 2048],
    ["Linux' igb", "intel-82576", "igb", "system: linux", "pf", 256, 256],
    ["an application of DPDK", "intel-82599", "ixgbe", "system: netbsd, scheduler: run-to-completion", "pf", 1024, 1024],
  ] as const) {
    it(`have rings as long as ${what} makes them: ${transmit} descriptors to send, ${receive} to receive`, () => {
      const { engine } = runDesign(stream(model, driver, "", 1500).replace("system: linux", domain).replace("nic0.vf0", `nic0.${bind}`).replace("pinned", "credit"));
      const { nic, f } = engine.built.machine.placed(`server/app/${driver}`) as Ixgbe;
      const row = nic.rowOf(f, 0);
      assert.equal(nic.transmitQueues.room(row) + nic.transmitQueues.state.used[row]!, transmit);
      assert.equal(nic.receiveQueues.descriptors(row), receive);
      assert.ok(Math.max(transmit, receive) <= nic.model.ring);
    });
  }

  it("are driven by the functions of their own drivers", () => {
    const names = (model: string, driver: string): string[] => {
      const { engine } = runDesign(stream(model, driver, "", 1500));
      const { trace } = engine;
      const seen = new Set<number>();
      for (let row = 0; row < trace.length; row++) if (engine.names.components[trace.component(row)]!.path.startsWith("server/app/")) seen.add(trace.fn(row));
      return [...seen].map((fn) => engine.names.functions[fn]!.name);
    };
    const igb = names("intel-82576", "igb");
    for (const name of ["igb_msix_ring", "igb_poll", "igb_clean_rx_irq", "e1000_write_mbx_vf"]) assert.ok(igb.includes(name), name);
    assert.deepEqual(igb.filter((name) => name.startsWith("ixgbe")), []);
    assert.ok(names("intel-82599", "ixgbe").includes("ixgbe_clean_rx_irq"));
  });

  it("the 82576 gives VF v the queues v and v + 8, and the PF's pool has two of its own", () => {
    const { nic } = new AdapterRig(7, { model: nicModels["intel-82576"]! }, 2);
    assert.deepEqual(nic.functions.map(({ queues }) => queues.map(({ number }) => number)), [[7, 15], [0, 8], [1, 9], [2, 10], [3, 11], [4, 12], [5, 13], [6, 14]]);
  });

  it("the 82576's PF knows no versions of the mailbox, and each of its pools has a largest frame of its own", () => {
    const rig = new AdapterRig(1, { model: nicModels["intel-82576"]! }).open(0);
    rig.nic.open(1, rig.domainOf(1), [100], 0);
    assert.ok(rig.ask(1, MailboxMessage.reset).ack);
    assert.ok(rig.ask(1, MailboxMessage.apiVersion, MailboxApi.v11).nack);
    assert.ok(rig.ask(1, MailboxMessage.setMaxFrame, 9018).ack, "longer than the PF's");
    assert.ok(rig.nic.isUp(1));
    assert.ok(rig.count("igb_rcv_msg_from_vf") > 0);
  });

  it("the 82576's PCI Express takes four times as long for the same bytes", () => {
    const time = (model: string): number => {
      const { nic } = new AdapterRig(0, { model: nicModels[model]! });
      return nic.pcie.unloaded(nic.fn["DMA read"], 4096) - nic.pcie.unloaded(nic.fn["DMA read"], 0);
    };
    assert.equal(time("intel-82576"), 4 * time("intel-82599"));
  });
});
