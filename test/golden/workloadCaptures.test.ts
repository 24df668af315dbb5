import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MachineEngine } from "../../engine/create";
import { exportCapture } from "../../engine/trace/capture";
import { runDesign } from "../support/runDesign";

const sample = (name: string): string => readFileSync(`samples/${name.includes("/") ? name : `workloads/${name}`}.exo.yaml`, "utf8");

/**
 * Checksums are verified by tshark; payload that it cannot know is not to be taken for some protocol. It does not put messages together: of a segment that
 * is sent again after its message was whole it would say that the message is malformed.
 */
const preferences = ["tcp.check_checksum:TRUE", "ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "tcp.desegment_tcp_streams:FALSE"].flatMap((option) => ["-o", option]);
const plain = ["echo", "discard"].flatMap((protocol) => ["--disable-protocol", protocol]);
/** What is sent again, on a capture of all that was sent; what comes less than a round trip after a later segment tshark calls out of order. */
const again = "tcp.analysis.retransmission || tcp.analysis.fast_retransmission || tcp.analysis.spurious_retransmission || tcp.analysis.out_of_order";

describe("captures of the workloads, read by tshark", function () {
  let folder: string | undefined;

  before(function () {
    if (spawnSync("tshark", ["--version"]).error !== undefined) {
      console.log("      tshark is not installed: captures of the workloads are not compared with it");
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "exoscope-workloads-"));
  });

  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const read = (engine: MachineEngine, options: readonly string[], filter: string, fields: readonly string[]): string[] => {
    const file = join(folder!, "workload.pcapng");
    writeFileSync(file, exportCapture(engine));
    const print = fields.length > 0 ? ["-T", "fields", ...fields.flatMap((field) => ["-e", field])] : [];
    const output = execFileSync("tshark", ["-r", file, ...options, ...plain, "-Y", filter, ...print], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], maxBuffer: 1 << 28 });
    return output.split("\n").filter((line) => line !== "");
  };
  const lines = (engine: MachineEngine, filter: string, ...fields: readonly string[]): string[] => read(engine, preferences, filter, fields);
  /** Every value of a field, of messages that are put together of their segments: for captures without losses. */
  const valuesOf = (engine: MachineEngine, filter: string, field: string): string[] => read(engine, [], filter, [field]).flatMap((line) => line.split(","));

  for (const name of ["netpipe", "redis", "memcached", "tcp-stream", "udp-stream", "http-close", "open-loop", "listed", "ping", "netfront/bridge", "netfront/nat"]) {
    for (const loss of ["0%", "1%"]) {
      it(`${name}, ${loss} loss: nothing malformed, no bad checksum, and as many retransmissions as the engine counts`, () => {
        const text = sample(name).replace(/, loss: [0-9.]+%/, "").replace(/delay: ([0-9]+us)/, `delay: $1, loss: ${loss}`).replace(/until: \S+,/, "until: 3s,");
        const { engine, report } = runDesign(text);
        // One reading for both: bad frames have their reason in a field, those that were sent again have none.
        const checksums = ["tcp", "udp", "ip", "icmp"].map((protocol) => `${protocol}.checksum.status`);
        const bad = ["_ws.malformed", ...checksums.map((field) => `${field} == 0`)].join(" || ");
        const found = lines(engine, `${bad} || ${again}`, "frame.number", "_ws.malformed", ...checksums);
        assert.deepEqual(found.filter((line) => /\t([^\t]*[^\t12,][^\t]*)(\t|$)/.test(line)), []);
        // Of what was given up while it waited for an address nothing was on the wire the first time.
        assert.equal(found.length, report.retransmissions - (report.drops["no address yet"] ?? 0));
        if (loss !== "0%") assert.ok((report.drops["lost on the link"] ?? 0) > 0);
      });
    }
  }

  it("of one virtual function's frames to another's sees none but broadcasts, and the client's whole", () => {
    const { engine } = runDesign(sample("clients/vf-to-vf"));
    assert.equal(lines(engine, "http.response.code == 200").length, 200);
    const ends = new Set(lines(engine, "tcp", "ip.src", "ip.dst").flatMap((line) => line.split("\t")));
    assert.equal(ends.size, 2, "the client and the web server");
    assert.ok(lines(engine, "arp.opcode == 1 && eth.dst == ff:ff:ff:ff:ff:ff && vlan.id == 7").length > 0, "the tag of a VF's port VLAN");
    assert.deepEqual(lines(engine, "resp"), []);
    assert.deepEqual(lines(engine, "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.expert.severity >= 6291456"), []);
  });

  it("of applications that share a network server's address sees what the client asked one of them, and nothing amiss", () => {
    const { engine } = runDesign(sample("clients/dynamic-ports"));
    assert.equal(lines(engine, "http.response.code == 200").length, 100);
    assert.deepEqual([...new Set(lines(engine, "tcp && ip.src == 10.0.0.100", "tcp.srcport"))], ["80"]);
    assert.deepEqual(lines(engine, "_ws.malformed || tcp.checksum.status == 0 || ip.checksum.status == 0 || _ws.expert.severity >= 6291456"), []);
  });

  it("pairs every echo request with its reply", () => {
    const { engine } = runDesign(sample("ping"));
    assert.equal(lines(engine, "icmp.type == 8").length, 40);
    assert.equal(lines(engine, "icmp.type == 0 && icmp.resp_to && icmp.resptime > 0").length, 40);
  });

  it("sees a guest of a bridge under its own Ethernet address, and pairs its echo replies", () => {
    const { engine } = runDesign(sample("netfront/bridge"));
    assert.ok(lines(engine, "eth.src == 00:16:3e:00:00:01 && tcp").length > 100);
    assert.equal(lines(engine, "icmp.type == 0 && icmp.resp_to && eth.src == 00:16:3e:00:00:01").length, 5);
  });

  it("sees of a NAT's guests one address, with a hop less to live", () => {
    const { engine } = runDesign(sample("netfront/nat"));
    const seen = new Set(lines(engine, "ip", "ip.src", "ip.dst").flatMap((line) => line.split("\t")));
    assert.equal(seen.size, 2);
    const nat = lines(engine, "icmp.type == 0", "ip.src")[0];
    assert.deepEqual([...new Set(lines(engine, `tcp && ip.src == ${nat}`, "ip.ttl"))], ["63"]);
    assert.deepEqual([...new Set(lines(engine, `tcp && ip.src == ${nat}`, "tcp.srcport"))].sort(), ["80", "81"]);
  });

  it("reads Redis' pipelines: as many commands as were asked for, a value for each GET and an OK for each SET", () => {
    const { engine } = runDesign(sample("redis"));
    const asked = (command: string): number => valuesOf(engine, "tcp.dstport == 6379 && resp", "resp.bulk_string.value").filter((value) => value === Buffer.from(command).toString("hex")).length;
    const value = Buffer.from("abcdefghijklmnopqrstuvwxyz".repeat(5).slice(0, 128)).toString("hex");
    const whole = (filter: string): number => valuesOf(engine, filter, "resp.bulk_string.value").filter((each) => each === value).length;
    const [set, got] = [whole("tcp.dstport == 6379 && resp"), whole("tcp.srcport == 6379 && resp")];
    assert.equal(set + got, 4000);
    assert.equal(valuesOf(engine, "tcp.srcport == 6379 && resp.string", "resp.string").filter((each) => each === "OK").length, set);
    // A command that is cut by the end of a segment tshark reads once in each of the two.
    assert.ok(asked("SET") >= set && asked("GET") >= got && asked("SET") + asked("GET") < 4100);
    assert.deepEqual(read(engine, [], "_ws.malformed || _ws.expert.severity >= 6291456", []), []);
  });

  it("reads memcached's binary protocol: a response to each request, with the value and the status", () => {
    const { engine } = runDesign(sample("memcached").replaceAll("value: 32B", "value: 10KB"));
    const each = (filter: string, field: string): string[] => valuesOf(engine, filter, field);
    const count = (values: readonly string[]): Record<string, number> => Object.fromEntries([...new Set(values)].sort().map((value) => [value, values.filter((other) => other === value).length]));
    const asked = count(each("memcache.magic == 0x80", "memcache.opcode"));
    assert.deepEqual(Object.keys(asked), ["0", "1"]);
    assert.equal(asked["0"]! + asked["1"]!, 2000);
    assert.deepEqual(count(each("memcache.magic == 0x81", "memcache.opcode")), asked);
    assert.deepEqual(count(each("memcache.magic == 0x81", "memcache.status")), { 0: 2000 });
    assert.deepEqual(count(each("memcache.magic == 0x80", "memcache.key")), { "memtier-1234567": 2000 });
    assert.deepEqual(count(each("memcache.magic == 0x80 && memcache.opcode == 1", "memcache.value.length")), { 10000: asked["1"]! });
    assert.deepEqual(count(each("memcache.magic == 0x81 && memcache.opcode == 0", "memcache.value.length")), { 10000: asked["0"]! });
    assert.deepEqual(read(engine, [], "_ws.malformed || _ws.expert.severity >= 6291456", []), []);
  });

  it("sees the datagrams with the lengths that were asked for", () => {
    const { engine, report } = runDesign(sample("udp-stream"));
    const lengths = lines(engine, "udp.dstport == 9", "udp.length");
    assert.equal(lengths.length, report.workloads[0]!.requests);
    assert.deepEqual([...new Set(lengths)], ["1032"]);
  });
});
