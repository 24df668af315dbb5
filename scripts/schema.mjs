// Writes engine/design/schema.json from the vocabulary and the catalogue. `npm run schema`, after changing either.
import { writeFileSync } from "node:fs";
import { jsonSchema } from "../engine/design/jsonSchema";

writeFileSync(new URL("../engine/design/schema.json", import.meta.url), `${JSON.stringify(jsonSchema(), null, 1)}\n`);
