// Bundles the tests in the folders below test/ that the arguments name.
import { bundleTests } from "./testBundles.mjs";

await bundleTests(process.argv.slice(2));
