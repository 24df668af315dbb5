import { cpus, totalmem } from "node:os";
import { inlineMore } from "../../engine/cli/v8Flags";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { applications } from "./applications";
import { eventQueue } from "./eventQueue/section";
import { keyframes } from "./keyframes";
import { runOwn } from "./ns3/own";
import { ns3 } from "./ns3/section";
import { scaling } from "./scaling";
import type { Section } from "./section";
import { simulation } from "./simulation";
import { traces } from "./traces";
import { countWork } from "./work";

// As the command line does.
inlineMore();

const sections: readonly Section[] = [eventQueue, simulation, ns3, applications, scaling, keyframes, traces];

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "string" } } });
  const unknown = positionals.find((name) => !sections.some((section) => section.name === name));
  if (unknown !== undefined) throw new Error(`There is no part "${unknown}" of the bench. There are: ${sections.map(({ name }) => name).join(", ")}.`);
  const chosen = sections.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

  const processors = cpus();
  const facts = `Node ${process.versions.node}, V8 ${process.versions.v8}; ${process.platform} ${process.arch}; ${processors.length} × ${processors[0]?.model ?? "unknown processor"}; ${Math.round(totalmem() / 2 ** 30)} GiB of memory.`;
  console.log(facts);
  /** The parts of the page that is there: those not chosen stay as they are. */
  const kept = new Map(
    (values.write !== undefined && existsSync(values.write) ? readFileSync(values.write, "utf8") : "").split(/^## /m).slice(1)
      .map((part): [string, string] => [part.slice(0, part.indexOf("\n")), `## ${part.trimEnd()}`]),
  );
  /** The page for the documentation: tables as they were printed. */
  const page = [
    "# Performance",
    "Written by `npm run bench -- --write docs/performance.md`. Absolute numbers are those of the machine and of what else it did meanwhile; ratios were measured in one run, turn by turn, and compare the least time of each side: what else a machine does only ever adds to a time. Times are CPU time, that of V8's own threads included, but for going to an event, which is the time that one waits. V8 is set as the command line sets it (engine/cli/v8Flags.ts).",
    facts,
  ];
  for (const section of sections) {
    const { title, run } = section;
    if (!chosen.includes(section)) {
      const before = kept.get(title);
      if (before !== undefined) page.push(before);
      continue;
    }
    console.log(`\n=== ${title}`);
    page.push(`## ${title}`);
    for (const paragraph of await run()) {
      console.log(`\n${paragraph}`);
      page.push(paragraph.includes("\n") ? `\`\`\`text\n${paragraph}\n\`\`\`` : paragraph);
    }
  }
  if (values.write !== undefined) writeFileSync(values.write, `${page.join("\n\n")}\n`);
}

const args = process.argv.slice(2);
if (!runOwn(args) && !countWork(args)) void main();
