import type { MachineEngine } from "../create";
import type { Design, Link } from "../design/model";
import { bytesOf } from "../workloads/protocol";
import type { PayloadSource } from "../network/frameBytes";
import { capturePieces, writeCapture, type CaptureEntry } from "./pcapng";

/**
 * The frames on all links as a pcapng capture: one interface a link and direction. Payload bytes are what the applications said.
 * @param host whose adapters are listened at, as with tcpdump: what they sent when it left, what came when it arrived, as it arrived. Without
 *   it, each frame as it leaves its sender, before the link may do anything to it.
 */
export function exportCapture(engine: MachineEngine, host?: string): Uint8Array {
  const { interfaces, entries, payload } = framesOf(engine, host);
  return writeCapture(engine.built.machine.packets, interfaces, entries, payload);
}

/** {@link exportCapture} in pieces, for captures that are larger than memory. */
export function exportCapturePieces(engine: MachineEngine, host?: string): Generator<Uint8Array> {
  const { interfaces, entries, payload } = framesOf(engine, host);
  return capturePieces(engine.built.machine.packets, interfaces, entries, payload);
}

/** The hosts at which links end, where a capture can be taken. */
export function capturePoints({ links }: Design): string[] {
  return [...new Set(links.flatMap(endsOf))].sort();
}

/** The host that a link goes from, and that of the device that it goes to. */
function endsOf({ from, to }: Link): [string, string] {
  return [from, to.slice(0, to.indexOf("/"))];
}

function framesOf(engine: MachineEngine, host: string | undefined): { readonly interfaces: string[]; readonly entries: Iterable<CaptureEntry>; readonly payload: PayloadSource } {
  const { links, transcript } = engine.built.machine;
  const directions = links.flatMap((link) => link.directions);
  const interfaces = directions.map((context) => engine.names.contexts[context]!.path);
  const interfaceOf = new Map(directions.map((context, i) => [context, i]));
  // By direction: the function whose rows are taken, or none.
  const taken = engine.design.links.flatMap((link, i) => {
    const { serialise, arrive } = links[i]!;
    const ends = endsOf(link);
    return [0, 1].map((sender) => (host === undefined || ends[sender] === host ? serialise : ends[1 - sender] === host ? arrive : undefined));
  });
  const { trace } = engine;
  function* entries(): Generator<CaptureEntry> {
    for (let row = 0; row < trace.length; row++) {
      const on = interfaceOf.get(trace.context(row));
      if (on !== undefined && trace.fn(row) === taken[on]) yield { packet: trace.packet(row), time: trace.time(row), interface: on };
    }
  }
  const texts = new Map<number, StreamText>();
  const payload = (stream: number, offset: number, length: number): Uint8Array => {
    let text = texts.get(stream);
    if (text === undefined) texts.set(stream, (text = new StreamText([...transcript.messages(stream)])));
    return text.slice(offset, length);
  };
  return { interfaces, entries: entries(), payload };
}

/** The bytes of one stream, made message by message as they are asked for. */
class StreamText {
  constructor(private readonly messages: readonly { readonly offset: number; readonly length: number; readonly kind: number; readonly value: number }[]) {}

  slice(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let low = 0;
    let high = this.messages.length;
    while (low < high) {
      const mid = (low + high) >>> 1;
      const m = this.messages[mid]!;
      if (m.offset + m.length <= offset) low = mid + 1;
      else high = mid;
    }
    for (let i = low; i < this.messages.length && this.messages[i]!.offset < offset + length; i++) {
      const m = this.messages[i]!;
      const from = Math.max(offset, m.offset);
      const to = Math.min(offset + length, m.offset + m.length);
      bytes.set(bytesOf(m.kind, m.value).subarray(from - m.offset, to - m.offset), from - offset);
    }
    return bytes;
  }
}
