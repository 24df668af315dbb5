// Writes docs/invariants.md. `npm run invariants`, after changing a rule.
import { writeFileSync } from "node:fs";
import { bySubject } from "./all";
import { invariantsPage } from "./page";

writeFileSync("docs/invariants.md", invariantsPage(bySubject));
