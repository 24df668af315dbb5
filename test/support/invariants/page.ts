import type { Invariant } from "./invariant";

const HEAD = `# Invariants

What holds in every machine, whatever its design, its workloads and what befalls it. Each rule is an object that watches a running machine
(\`test/support/invariants\`), and \`npm test\` runs all of them over thousands of random machines (\`test/property/machine*.test.ts\`); \`npm run test:soak\`
over many times as many, new ones each time. Each rule is proved able to fail: \`test/support/mutations\` puts faults into the *models*, a line each, and
\`test/property/mutations*.test.ts\` fail unless the rule that a fault breaks fires.

The numbers are this project's own: one list of what a believable machine must keep, grouped by subject (1–15 addresses, ports and the network server, 16–23
rings and events, 24–31 the mode switch, 32–37 failures, 38–50 devices and DMA, 51–59 schedulers, 60–75 what other systems need, 76 on the simulation
itself, with what was added since). A number that is missing here is of something that no model does: 37 and 50 of storage, a job of which goes on while the network
is out, and whose commands complete once; 60–65 and 67–75 of exokernels' secure bindings and revocation, and of enclaves, picoprocesses and
accelerators. They do not change: commits and tests cite them.

To add one: write \`{ number, says, watch }\` in the file of its subject, list a fault that breaks it in the mutations' file of that subject, and run
\`npm run invariants\`, which writes this page.

| Number | Rule | File |
|---:|---|---|
`;

/** The text of docs/invariants.md. @param byFile the rules of each file, by the file's name */
export function invariantsPage(byFile: Readonly<Record<string, readonly Invariant[]>>): string {
  const rows = Object.entries(byFile).flatMap(([file, rules]) => rules.map(({ number, says }) => ({ number, says, file })));
  const line = ({ number, says, file }: (typeof rows)[number]): string => `| ${number} | ${says[0]!.toUpperCase()}${says.slice(1)}. | [${file}](../test/support/invariants/${file}.ts) |\n`;
  return HEAD + rows.sort((a, b) => a.number - b.number).map(line).join("");
}
