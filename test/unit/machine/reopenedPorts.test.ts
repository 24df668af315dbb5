import assert from "node:assert/strict";
import { runDesign } from "../../support/runDesign";

/** How often a port was opened, by `bind` for datagrams and `listen` for connections, and how often in vain; and requests that were answered. */
function openings(domains: string, fault: string): { opened: number; inVain: number; completed: number } {
  const { engine, report } = runDesign(`
exoscope: 1
hosts:
  server:
    cpu: { cores: 4 }
    iommu: on
    devices: { nic0: { model: intel-82599, sriov: { vfs: 1 } } }
    ${domains}
  client: { model: load-generator, link: { to: server.nic0 } }
workloads: [open-loop: { from: client, to: app, requests: 40, arrivals: periodic, interval: 10ms }]
faults: [{ at: 100ms, ${fault}, restart: 20ms }]
run: { until: 600ms }
`);
  let [opened, inVain] = [0, 0];
  for (let row = 0; row < engine.trace.length; row++) {
    const { domain } = engine.names.components[engine.trace.component(row)]!;
    const { name } = engine.names.functions[engine.trace.fn(row)]!;
    if (domain !== "server/app") continue;
    if (/^(rump___sysimpl_)?(bind|listen)$/.test(name)) opened++;
    if (name.startsWith("bind failed")) inVain++;
  }
  return { opened, inVain, completed: report.workloads[0]!.completed };
}

const guest = (server: string): string => `hypervisor: { model: xen }
    domains: { app: { components: [${server}, libc, tcpip, ixgbe: { bind: nic0.vf0 }] } }`;
/** What comes first in the design starts first. */
const processes = (server: string, stackFirst: boolean): string => {
  const stack = "net: { kind: process, components: [tcpip: { driver: drv.ixgbe }] }";
  const application = `app: { kind: process, components: [${server}, libc: { stack: net.tcpip }] }`;
  return `domains:
      os: { kind: kernel, system: minix, vcpus: 4 }
      drv: { kind: process, components: [ixgbe: { bind: nic0.pf }] }
      ${stackFirst ? stack : application}
      ${stackFirst ? application : stack}`;
};

describe("a server's port after a restart", () => {
  for (const server of ["echo: { protocol: udp }", "echo: { protocol: tcp }"]) {
    it(`is opened once in a domain that has died with its stack (${server})`, () => {
      const { opened, inVain, completed } = openings(guest(server), "crash: app");
      assert.deepEqual([opened, inVain], [2, 0]);
      assert.ok(completed > 20, `${completed}`);
    });

    it(`is opened once more where the stack, the server or the kernel of both has died (${server})`, () => {
      for (const stackFirst of [true, false]) {
        for (const dead of ["net", "app", "server.os"]) {
          const { opened, inVain, completed } = openings(processes(server, stackFirst), `crash: ${dead}`);
          const which = `${dead}, ${stackFirst ? "stack" : "server"} first`;
          assert.deepEqual([opened, inVain], [2, 0], which);
          assert.ok(completed > 20, `${which}: ${completed}`);
        }
      }
    });
  }
});
