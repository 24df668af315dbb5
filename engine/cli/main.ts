import { Command } from "commander";
import { check, type Output } from "./check";
import { run, type RunOptions } from "./run";
import { trace, type TraceOptions } from "./trace";
import { inlineMore } from "./v8Flags";

inlineMore();

const io: Output = {
  out: (line) => process.stdout.write(`${line}\n`),
  error: (line) => process.stderr.write(`${line}\n`),
};

/** Progress goes to a terminal only, on one line that the result overwrites. */
function progress(share: number): void {
  if (process.stderr.isTTY) process.stderr.write(`\r${(share * 100).toFixed(0)} % of the simulated time`);
}

const program = new Command("exoscope").description("Simulate operating-system designs: exokernels, library OSes, multiserver systems.");

program
  .command("run")
  .description("simulate a design and print what came of it")
  .argument("<file>", "a design, *.exo.yaml")
  .option("--seed <number>", "seed of all random streams, in place of the design's")
  .option("--until <time>", "end of simulated time, such as 200ms, in place of the design's")
  .option("--json", "print the result as JSON")
  .option("--details", "print CPU time by thread and function, use of the adapters' functions, and queue lengths")
  .option("--queues <file>", "write the lengths of all queues over time as CSV")
  .option("--trace <file>", "keep the trace in a file, as the run goes: for `exoscope trace`, or as CSV where the name ends in .csv")
  .option("--memory <size>", "memory for the trace, such as 256MiB, before it goes to a temporary file (1 GiB if not given)")
  .option("--pcapng <file>", "write the frames on the links as a packet capture")
  .option("--capture-at <host>", "listen at this host's adapters for that, as tcpdump does there; without it, every frame is taken as it leaves its sender")
  .action(async (file: string, options: RunOptions) => {
    process.exitCode = await run(file, options, io, progress);
  });

program
  .command("trace")
  .description("show the trace of a run, written by `run --trace`")
  .argument("<file>", "a trace")
  .option("--json", "print the result of the run as JSON")
  .option("--csv <file>", "write every row as CSV")
  .option("--pcapng <file>", "write the frames on the links as a packet capture")
  .option("--capture-at <host>", "listen at this host's adapters for that, as tcpdump does there; without it, every frame is taken as it leaves its sender")
  .option("--row <number>", "print one row, and the state of its component before it")
  .action((file: string, options: TraceOptions) => {
    process.exitCode = trace(file, options, io);
  });

program
  .command("check")
  .description("print the problems of designs as file:line:column: severity code message")
  .argument("<files...>", "designs, *.exo.yaml")
  .action(async (files: string[]) => {
    process.exitCode = await check(files, io);
  });

program.parseAsync().catch((error: unknown) => {
  io.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
