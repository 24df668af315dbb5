// Bundles the tests in the folders below test/ that the arguments name.
import { bundlesOf, bundleTests } from "./testBundles.mjs";

await bundleTests(bundlesOf(process.argv.slice(2)));
