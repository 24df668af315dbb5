import { cpus, totalmem } from "node:os";
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { eventQueue } from "./eventQueue/section";
import { keyframes } from "./keyframes";
import { ns3 } from "./ns3/section";
import type { Section } from "./section";
import { simulation } from "./simulation";

const sections: readonly Section[] = [eventQueue, simulation, ns3, keyframes];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "string" } } });
const unknown = positionals.find((name) => !sections.some((section) => section.name === name));
if (unknown !== undefined) throw new Error(`There is no part "${unknown}" of the bench. There are: ${sections.map(({ name }) => name).join(", ")}.`);
const chosen = sections.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

const processors = cpus();
const facts = `Node ${process.versions.node}, V8 ${process.versions.v8}; ${process.platform} ${process.arch}; ${processors.length} × ${processors[0]?.model ?? "unknown processor"}; ${Math.round(totalmem() / 2 ** 30)} GiB of memory.`;
console.log(facts);
/** The page for the documentation: tables as they were printed. */
const page = [
  "# Performance",
  "Written by `npm run bench -- --write docs/performance.md`. Absolute numbers are those of the machine and of what else it did meanwhile; ratios were measured in one run, turn by turn. Times are CPU time, but for going to an event, which is the time that one waits.",
  facts,
];
for (const { title, run } of chosen) {
  console.log(`\n=== ${title}`);
  page.push(`## ${title}`);
  for (const paragraph of run()) {
    console.log(`\n${paragraph}`);
    page.push(paragraph.includes("\n") ? `\`\`\`text\n${paragraph}\n\`\`\`` : paragraph);
  }
}
if (values.write !== undefined) writeFileSync(values.write, `${page.join("\n\n")}\n`);
