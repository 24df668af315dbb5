// Evaluates functions that a test sends, with the real `vscode` API. It is loaded into test windows only.
const { createServer } = require("node:http");
const { renameSync, writeFileSync } = require("node:fs");
const { dirname, join } = require("node:path");
const vscode = require("vscode");

// A test's functions come compiled; the compiler keeps their names with this helper.
globalThis.__name ??= (value) => value;

exports.activate = (context) => {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  if (!folder) return;
  const server = createServer(async (request, response) => {
    let answer;
    try {
      let body = "";
      for await (const chunk of request) body += chunk;
      const { source, argument } = JSON.parse(body);
      // eslint-disable-next-line no-eval -- the source is the test's own.
      const value = await (0, eval)(`(${source})`)(vscode, argument);
      answer = { value };
    } catch (error) {
      answer = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    response.end(JSON.stringify(answer));
  });
  context.subscriptions.push({ dispose: () => server.close() });
  server.listen(0, "127.0.0.1", () => {
    // Beside the workspace, where only the test that opened it looks. Renamed, so that it is never read half written.
    const file = join(dirname(folder), "companion.port");
    writeFileSync(`${file}.new`, String(server.address().port));
    renameSync(`${file}.new`, file);
  });
};
