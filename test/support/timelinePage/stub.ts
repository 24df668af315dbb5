/** Stands in for VS Code around the timeline's script: its API handle, with the worker as the host. */
interface PageWindow {
  acquireVsCodeApi?: () => { postMessage(message: unknown): void; getState(): unknown; setState(state: unknown): void };
  timelineHost?: Worker;
  sent?: unknown[];
}

const page: PageWindow = window as PageWindow;
const search = new URLSearchParams(location.search);
const worker = search.has("empty") ? undefined : new Worker(`worker.js#rows=${search.get("rows") ?? "1000000"}`);
let state: unknown;
page.timelineHost = worker;
page.sent = [];
page.acquireVsCodeApi = () => ({
  postMessage: (message) => {
    page.sent?.push(message);
    worker?.postMessage(message);
  },
  getState: () => state,
  setState: (next) => { state = next; },
});
worker?.addEventListener("message", ({ data }) => window.postMessage(data, "*"));
