import assert from "node:assert/strict";
import { addSwitch, switchableDomains } from "../../../engine/design/addSwitch";
import { applyEdits } from "../../../engine/design/edit";
import type { TextEdit } from "../../../engine/design/model";
import { parseDesign } from "../../../engine/design/parse";
import { designText } from "../../support/designText";

const text = designText({ domains: {
  netsrv: ["netserver", "ixgbe: { bind: nic0.pf }"],
  web: ["http-server", "libc", "tcpip", "vif: { channel: netsrv.netserver }", "ixgbe: { bind: nic0.vf0 }"],
  plain: ["http-server: { port: 81 }", "libc", "tcpip", "ixgbe: { bind: nic0.vf1 }"],
} }).replace("      web:\n", "      web:\n        uplinks: { tcpip: [vif, ixgbe], active: vif }\n");
const designOf = (source: string) => parseDesign(source).design!;
const add = (source: string, to: string, at: number): string => applyEdits(source, addSwitch(source, designOf(source), "server/web", to, at) as TextEdit[]);

describe("adding a switch to a design", () => {
  it("finds the domains that can", () => {
    assert.deepEqual(switchableDomains(designOf(text)).map(({ path }) => path), ["server/web"]);
  });

  it("begins the list at the end of the file, and goes on with it in its style", () => {
    const once = add(text, "server/web/ixgbe", 100e9);
    assert.equal(once, `${text}switches:\n  - { at: 100ms, switch: web, to: direct }\n`);
    assert.equal(add(once, "server/web/vif", 250_000_000_001), `${once}  - { at: 250000000001ps, switch: web, to: server }\n`);
    const commented = text.replace("hosts:", "switches: # by hand\n    - { at: 1ms, switch: web, to: direct } # first\n\n# the machines\nhosts:");
    assert.equal(add(commented, "server/web/vif", 5e9), commented.replace("# first\n", "# first\n    - { at: 5ms, switch: web, to: server }\n"));
    const flow = `${text}switches: [{ at: 1ms, switch: web, to: direct }]`;
    assert.equal(add(flow, "server/web/vif", 5e9), `${text}switches: [{ at: 1ms, switch: web, to: direct }, { at: 5ms, switch: web, to: server }]`);
  });

  it("fills an empty list", () => {
    for (const empty of ["switches:", "switches: []"]) assert.equal(designOf(add(`${text}${empty}\n`, "server/web/ixgbe", 1e9)).switches.length, 1);
  });

  it("says why not", () => {
    const refused = addSwitch(text, designOf(text), "server/plain", "server/plain/ixgbe", 0);
    assert.equal("code" in refused && refused.code, "not-switchable");
  });
});
