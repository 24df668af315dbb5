import type { SizeReport } from "../../machine/machine";
import { numberOption, type Client, type ClientKind, type Runner } from "../client";
import { datum } from "../data";
import { ClosedLoop } from "./closedLoop";

/**
 * NetPIPE (LibrettOS 5.1): messages of growing size go back and forth between two processes, each size a number of times. The time one
 * way is half of the round trip, the throughput the size over that time.
 */
export const netpipe: ClientKind = {
  transport: () => "tcp",
  noDelay: true,
  create(runner): Client {
    const sizes = powersOfTwo(numberOption(runner, "smallest"), numberOption(runner, "largest"));
    const repeats = numberOption(runner, "repeats");
    return new PingPong(runner, sizes, repeats);
  },
};

/** Each twice the one before; the largest in any case. */
export function powersOfTwo(smallest: number, largest: number): number[] {
  const sizes: number[] = [];
  for (let size = smallest; size < largest; size *= 2) sizes.push(size);
  return [...sizes, largest];
}

class PingPong extends ClosedLoop {
  /** A result, which is not in the client's memory. */
  private readonly bySize;

  constructor(runner: Runner, private readonly lengths: readonly number[], repeats: number) {
    const { store, spec } = runner;
    const bySize = store.within(undefined, () => store.table(`sizes of ${spec.path}`, { round: "f64", messages: "f64" }, lengths.length));
    for (let i = 0; i < lengths.length; i++) bySize.alloc();
    const of = (number: number): number => Math.floor(number / repeats);
    super(runner, {
      requests: lengths.length * repeats,
      keepAlive: true,
      request: (number) => datum(number, lengths[of(number)]!),
      answered: (number, latency) => {
        bySize.round[of(number)]! += latency;
        bySize.messages[of(number)]!++;
      },
    });
    this.bySize = bySize;
  }

  sizes(): readonly SizeReport[] {
    return this.lengths.map((size, i) => {
      const messages = this.bySize.messages[i]!;
      const oneWay = messages === 0 ? 0 : this.bySize.round[i]! / messages / 2;
      return { size, messages, oneWay, throughput: oneWay === 0 ? 0 : (8e12 * size) / oneWay };
    });
  }
}
