import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Frame } from "playwright-core";
import { DebugPage } from "./debugPage";
import { changedLines, drag, tile } from "./diagramPage";
import { eventually } from "./eventually";
import { openVSCode, type VSCodeWindow } from "./harness";
import { hasKeyboard } from "./keyboard";
import { chooseCommand } from "./palette";
import { showWholeRun } from "./timelinePage";

const SAMPLE = "librettos/librettos.exo.yaml";

/** One user, one window, from the first look to the capture: every test goes on where the one before it ended. */
describe("A user's journey", function () {
  this.bail(true);

  let window: VSCodeWindow;
  let diagram: Frame;
  let debug: DebugPage;
  let original: string;
  /** Where the first breakpoint was hit. */
  let hit: number;

  before(async () => {
    window = await openVSCode({ file: SAMPLE, viewport: { width: 1500, height: 950 } });
    debug = new DebugPage(window);
    await debug.watchBreakpoints();
    original = await readFile(join(window.workspacePath, SAMPLE), "utf8");
    diagram = await window.webviewFrame("diagram");
    await diagram.waitForSelector(tile("server/nic0/vf1"));
  });
  after(() => window?.close());

  const documentText = (): Promise<string> =>
    window.evaluate((api, name) => api.workspace.textDocuments.find(({ uri }) => uri.path.endsWith(name))?.getText() ?? "", SAMPLE);

  const clickText = (line: string): Promise<void> =>
    window.page.locator(".monaco-editor .view-line", { hasText: line }).first().click({ position: { x: 5, y: 5 } });

  /** The line, counted from 1, of the nth of the components of a kind. */
  const lineOf = (entry: string, nth: number): number => {
    const found = original.split("\n").flatMap((line, i) => (line.trim() === entry ? [i + 1] : []));
    assert.ok(found[nth]);
    return found[nth];
  };

  const clickGutter = async (line: number): Promise<void> => {
    const number = await window.page.locator(".margin-view-overlays .line-numbers", { hasText: new RegExp(`^${line}$`) }).first().boundingBox();
    const margin = await window.page.locator(".monaco-editor .margin").first().boundingBox();
    assert.ok(number && margin);
    await window.page.mouse.click(margin.x + 8, number.y + number.height / 2);
  };

  /** Text, diagram, variables and timeline show the same event. @returns its component. */
  const agreement = async (row: number): Promise<string> => {
    const field = (rows: readonly string[], name: string): string | undefined => rows.find((text) => text.startsWith(`${name} =`))?.slice(name.length + 2);
    const component = await eventually(async () => {
      const rows = await window.page.locator(".debug-variables .monaco-list-row").allTextContents();
      return field(rows, "row") === String(row) && field(rows, "component");
    }, `the variables are those of row ${row}`);
    await diagram.waitForSelector("g.box.current");
    const shown = await eventually(async () => {
      const path = await diagram.locator("g.box.current").first().getAttribute("data-path");
      return path !== null && (component === path || component.startsWith(`${path}/`) || path.startsWith(component)) && path;
    }, `the diagram shows ${component}`);
    const timeline = await window.webviewFrame("timeline");
    await eventually(async () => (await timeline.locator(".cursor-line").getAttribute("data-row")) === String(row), `the timeline's cursor is at row ${row}`);
    // The line of the part, or of the one around it that the file spells: a VF stands in its device's line.
    await eventually(async () => {
      const key = /^(?:- )?([\w-]+)/.exec((await debug.highlightedLine()) ?? "")?.[1];
      return key !== undefined && shown.split("/").includes(key);
    }, `the line of ${shown} is highlighted`);
    return component;
  };

  it("shows the design as text and, beside it, as a diagram", async () => {
    assert.equal(await window.editorText(), original);
    const paths = await diagram.locator("g.box").evaluateAll((all) => all.map((each) => each.getAttribute("data-path")));
    for (const path of [
      "server", "server/hypervisor", "server/nic0", "server/nic0/pf", "server/nic0/vf0", "server/nic0/vf1", "client",
      "server/netsrv/netserver", "server/netsrv/ixgbe", "server/nginx/http-server", "server/nginx/libc", "server/nginx/tcpip",
      "server/nginx/ixgbe", "server/redis/key-value-store", "server/redis/libc", "server/redis/tcpip", "server/redis/vif",
    ]) assert.ok(paths.includes(path), path);
    const wires = await diagram.locator("g.wire").evaluateAll((all) => all.map((each) => (each instanceof SVGElement ? each.dataset["id"] : undefined)));
    for (const id of [
      "binding:server/netsrv/ixgbe:server/nic0/pf", "binding:server/nginx/ixgbe:server/nic0/vf0", "channel:server/redis/vif:server/netsrv/netserver",
      "call:server/redis/tcpip:server/redis/vif", "link:client/link",
    ]) assert.ok(wires.includes(id), id);
    const [text, picture] = [await window.page.locator(".monaco-editor .view-lines").first().boundingBox(), await diagram.locator("svg.diagram").boundingBox()];
    assert.ok(text && picture && picture.x > text.x && picture.width > 300, "they stand side by side");
    await window.screenshot("journey-1-opened");
  });

  it("moves an uplink from the network server to a free VF, and undoes it", async () => {
    await drag(window, diagram, "server/redis/vif", "server/nic0/vf1");
    await window.page.mouse.up();
    await diagram.waitForSelector(tile("server/redis/ixgbe"));
    assert.deepEqual(changedLines(original, await documentText()), ["          - ixgbe: { bind: nic0.vf1 }"]);
    await window.screenshot("journey-2-moved");
    await clickText("name: LibrettOS web server");
    await window.page.keyboard.press("Control+z");
    await eventually(async () => (await documentText()) === original, "undo restores the exact text");
    await diagram.waitForSelector(tile("server/redis/ixgbe"), { state: "detached" });
    assert.equal(await readFile(join(window.workspacePath, SAMPLE), "utf8"), original);
  });

  it("is told why a function that is taken cannot be had", async () => {
    await drag(window, diagram, "server/redis/vif", "server/nic0/vf0");
    await window.page.mouse.up();
    await diagram.locator(".notice.warning", { hasText: "vf0 is bound to server/nginx/ixgbe already" }).waitFor();
    await window.screenshot("journey-3-refused");
    assert.equal(await documentText(), original);
  });

  it("sets a breakpoint in the gutter", async () => {
    await clickGutter(lineOf("- tcpip", 1));
    await window.page.locator(".monaco-editor .codicon-debug-breakpoint, .monaco-editor .codicon-debug-breakpoint-unverified").first().waitFor();
    const lines = await eventually(async () => {
      const found = await window.evaluate((api) => api.debug.breakpoints.map((each) => (each instanceof api.SourceBreakpoint ? each.location.range.start.line + 1 : 0)));
      return found.length > 0 && found;
    }, "the breakpoint is there");
    assert.deepEqual(lines, [lineOf("- tcpip", 1)]);
  });

  it("runs the design from the diagram, and stops at the first event", async () => {
    await diagram.locator(tile("server/nginx/libc")).click();
    await eventually(() => window.evaluate((api) => api.window.tabGroups.activeTabGroup.activeTab?.input instanceof api.TabInputCustom), "the diagram is the active editor");
    assert.equal(await debug.moved(() => window.page.keyboard.press("F5")), 0);
    await agreement(0);
    assert.equal(await eventually(() => diagram.evaluate(() => document.hasFocus()), "the diagram keeps the keyboard"), true);
    await window.screenshot("journey-4-first-event");
    await debug.button("Stop").click();
    await window.page.locator(".debug-toolbar").waitFor({ state: "hidden" });
    await diagram.waitForSelector("g.box.current", { state: "detached" });
  });

  it("runs it from the text, and finds call stack and variables open", async () => {
    await clickText("profile: xeon-4114-82599");
    assert.equal(await debug.moved(() => window.page.keyboard.press("F5")), 0);
    await window.page.locator(".debug-call-stack .monaco-list-row .stack-frame").first().waitFor();
    await agreement(0);
    assert.equal(await window.page.evaluate(() => document.activeElement?.closest(".monaco-editor") !== null), true, "the text keeps the keyboard");
  });

  it("steps over, into and out by keyboard", async () => {
    let row = 0;
    for (const key of ["F10", "F11", "F11", "F10", "Shift+F11"]) {
      const next = await debug.moved(() => window.page.keyboard.press(key));
      assert.ok(next > row, `${key} goes from ${row} to ${next}`);
      await agreement((row = next));
    }
  });

  it("continues to the breakpoint, where everything shows the component", async () => {
    hit = await debug.moved(() => debug.button("Continue").click());
    assert.equal(await agreement(hit), "server/redis/tcpip");
    assert.equal(await debug.highlightedLine(), "- tcpip");
    assert.equal(await diagram.locator("g.box.current").getAttribute("data-path"), "server/redis/tcpip");
    await diagram.waitForSelector("g.wire.trail", { state: "attached" });
    await window.screenshot("journey-5-breakpoint");
  });

  it("steps back and reverses by the toolbar", async () => {
    const back = await debug.moved(() => debug.button("Step Back").click());
    assert.ok(back < hit, `Step Back goes from ${hit} to ${back}`);
    await agreement(back);
    assert.equal(await debug.moved(() => debug.button("Continue").click()), hit);
    const next = await debug.moved(() => debug.button("Continue").click());
    assert.ok(next > hit, `Continue goes from ${hit} to ${next}`);
    assert.equal(await debug.moved(() => debug.button("Reverse").click()), hit);
    assert.equal(await agreement(hit), "server/redis/tcpip");
  });

  it("reads from the call stack how the client's request came here", async () => {
    const top = (): Promise<string> => window.page.locator(".debug-variables .monaco-list-row", { hasText: /^fn =/ }).innerText();
    for (let k = 0; k < 20 && !(await top()).includes("tcp_input"); k++) await agreement(await debug.moved(() => window.page.keyboard.press("F5")));
    for (const pane of ["Watch", "Breakpoints"]) await debug.togglePane(pane);
    await debug.rowsWith("debug-call-stack", /^tcp_input \(sys\/netinet\/tcp_input\.c\)/, /^frontend_receiver \(platform\/hw\/xen\/frontend\.c\)/);
    // The view shows twenty frames and loads the others on demand.
    const frames = await window.evaluate(async (api) => {
      const item = api.debug.activeStackItem;
      if (!item) return [];
      const { stackFrames } = await item.session.customRequest("stackTrace", { threadId: item.threadId });
      return (stackFrames as { readonly name: string }[]).map(({ name }) => name);
    });
    const chain = [
      "tcp_input (sys/netinet/tcp_input.c)", "frontend_receiver (platform/hw/xen/frontend.c)", "backend_receive (platform/hw/xen/backend.c)",
      "ixgbe_rxeof (sys/dev/pci/ixgbe/ix_txrx.c)", "tcp_write_xmit (net/ipv4/tcp_output.c)", "__sys_connect (net/socket.c)",
    ];
    const places = chain.map((name) => frames.indexOf(name));
    assert.deepEqual(places, [...places].sort((a, b) => a - b), frames.join("\n"));
    assert.equal(places[0], 0);
    await window.screenshot("journey-6-call-stack");
  });

  it("reads TCP's control block, the rings and the portmap in the variables", async () => {
    await debug.expand(/^Component server\/redis\/tcpip/);
    // The first segment meets the listening socket only; the control block is there from then on.
    let rows = await debug.rowsWith("debug-variables", /^TCP =/);
    for (let k = 0; k < 8 && !rows.some((text) => /^TCP =.*(SYN|ESTAB)/.test(text)); k++) {
      const row = await debug.moved(() => window.page.keyboard.press("F5"));
      rows = await debug.rowsWith("debug-variables", new RegExp(`^row =${row}$`), /^TCP =/);
    }
    await debug.expand(/^TCP =/);
    await debug.expand(/:6379.*=.*(SYN|ESTAB)/);
    await debug.rowsWith("debug-variables", /^snd_nxt/);
    await window.screenshot("journey-7-variables");
    await debug.clickRow("debug-call-stack", /^(frontend_receiver|rump_virtif_pktdeliver)/);
    await debug.expand(/^Component server\/redis\/vif/);
    await debug.rowsWith("debug-variables", /^tx ring =.* of 512 slots filled/, /^rx ring =.* of 512 slots filled/);
    await debug.breakOnlyAt("schedule");
    await debug.moved(() => debug.button("Continue").click());
    await debug.rowsWith("debug-variables", /^component =server\/hypervisor/);
    await debug.expand(/^Component server\/hypervisor/);
    await debug.expand(/^Portmaps/);
    await debug.rowsWith("debug-variables", /netserver.*1 TCP, 0 UDP ports bound/);
  });

  it("moves the debugger by a click in the timeline", async () => {
    const timeline = await window.webviewFrame("timeline");
    await showWholeRun(window, timeline);
    const track = timeline.locator('.track[aria-label="server/netsrv/vcpu0"]');
    await track.scrollIntoViewIfNeeded();
    const [label, chart] = [await track.boundingBox(), await timeline.locator(".chart canvas").boundingBox()];
    const cursor = await timeline.locator(".cursor-line").boundingBox();
    assert.ok(label && chart && cursor);
    const before = await debug.row();
    // Right of the cursor the run goes on: where exactly its next work is, the picture shows to people only.
    let right = 4;
    await eventually(async () => {
      right = Math.min(right * 1.5, (chart.x + chart.width - cursor.x) / 2);
      await window.page.mouse.click(cursor.x + right, label.y + label.height / 2);
      await window.page.waitForTimeout(700);
      return (await debug.row()) !== before;
    }, "a click moves the debugger");
    // More than one click may have been needed because the machine is slow.
    await eventually(async () => (await timeline.locator(".cursor-line").getAttribute("data-row")) === String(await debug.row()), "the timeline's cursor is there");
    await diagram.waitForSelector("g.box.current");
    await window.screenshot("journey-8-timeline");
  });

  it("exports a packet capture that tshark finds nothing wrong with", async function () {
    const file = join(window.workspacePath, "journey.pcapng");
    await eventually(() => window.evaluate((api) => api.debug.activeDebugSession !== undefined), "the simulation is still there");
    // The command is over when VS Code has told the debugger.
    await window.evaluate((api) => api.commands.executeCommand("workbench.debug.viewlet.action.removeAllBreakpoints").then(() => undefined));
    await debug.moved(() => debug.button("Continue").click());
    const timeline = await window.webviewFrame("timeline");
    await eventually(() => hasKeyboard(timeline), "the timeline, which was clicked, has the keyboard again");
    await chooseCommand(window.page, "Exoscope: Export Packet Capture");
    const input = window.page.locator(".quick-input-widget input:visible").first();
    await eventually(async () => (await input.inputValue()).endsWith(".pcapng"), "the dialog for saving is open");
    await input.fill(file);
    await window.screenshot("journey-9-export");
    await eventually(async () => {
      // The dialog does not take what it has not read yet.
      await input.press("Enter", { timeout: 1000 }).catch(() => undefined);
      return eventually(() => stat(file).then(({ size }) => size > 0, () => false), "the capture is written", 3000).catch(() => false as const);
    }, "the capture is written");
    await debug.button("Stop").click();
    await window.page.locator(".debug-toolbar").waitFor({ state: "hidden" });
    if (spawnSync("tshark", ["--version"]).error !== undefined) {
      console.log("      tshark is not installed: the capture is not compared with it");
      this.skip();
    }
    const count = (filter: string): number =>
      execFileSync("tshark", ["-r", file, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-Y", filter], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
        .split("\n").filter((line) => line !== "").length;
    assert.equal(count("tcp.flags.syn == 1 && tcp.flags.ack == 1"), 8 + 4);
    assert.equal(count('http.request.method == "GET"'), 400);
    assert.equal(count("http.response.code == 200"), 400);
    assert.equal(count("tcp.flags.fin == 1"), 2 * (8 + 4));
    assert.equal(count("_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0"), 0);
    assert.equal(count("_ws.expert.severity >= 6291456"), 0);
  });
});
