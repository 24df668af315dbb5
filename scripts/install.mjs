// Installs what the tests in a real VS Code need, apart from them: it takes minutes the first time.
import { runScript } from "./runScript.mjs";
import { installVSCode } from "./vscode/install.mjs";
import { chromiumPackage, ensureSystemPackages } from "./vscode/systemPackages.mjs";

runScript(async () => {
  ensureSystemPackages([chromiumPackage], "The browser tests");
  await installVSCode();
});
