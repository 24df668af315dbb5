/** ELK in a worker of its own, started when the first diagram needs it. */
import ELK, { type ELK as Elk } from "elkjs/lib/elk-api";
import type { DiagramModel } from "../../protocol/diagram";
import { layoutModel } from "./layoutModel";
import type { Scene } from "./scene";
import type { Measure } from "./sizes";

export class Layouter {
  private elk: Promise<Elk> | undefined;

  /** @param workerUrl address of ELK's worker script, which the page may fetch. */
  constructor(private readonly workerUrl: string, private readonly measure: Measure) {}

  /**
   * @param piles paths of the domains that stand for a pile.
   * @throws Error where the worker cannot be started or ELK refuses the graph.
   */
  async layout(model: DiagramModel, piles: ReadonlySet<string>): Promise<Scene> {
    this.elk ??= start(this.workerUrl);
    return layoutModel(await this.elk, model, piles, this.measure);
  }
}

/** A webview may not start a worker from another origin: the script is fetched, and the worker started from a blob. */
async function start(url: string): Promise<Elk> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const blob = URL.createObjectURL(await response.blob());
  return new ELK({ workerFactory: () => new Worker(blob) });
}
