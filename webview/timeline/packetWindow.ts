import type { PacketsQuery, ResultOf } from "../../engine/trace/timelineQuery";
import type { Viewport } from "./viewport";

/** Lanes shown: the current packet and its neighbours. */
const BUDGET = 6;
const BUCKETS = 2048;
const RETRY = 2000;

type Answer = ResultOf<"packets">;

/** The packets around what is in view, from one window a little wider than the view; the newest wish wins. */
export class PacketWindow {
  answer: Answer | undefined;
  private open = false;
  private epoch = 0;
  private retryAt = 0;

  constructor(
    private readonly ask: (query: PacketsQuery) => Promise<Answer>,
    private readonly changed: () => void,
    private readonly failed: (error: unknown) => void,
  ) {}

  clear(): void {
    this.answer = undefined;
    this.open = false;
    this.epoch++;
  }

  /**
   * @param packet the one to show first, or −1
   * @param rows rows of the trace by now, and whether more will come
   */
  want(viewport: Viewport, packet: number, rows: number, complete: boolean): void {
    if (this.open || performance.now() < this.retryAt || this.isGood(viewport, packet, rows, complete)) return;
    void this.fetch(viewport, packet);
  }

  private isGood(viewport: Viewport, packet: number, rows: number, complete: boolean): boolean {
    const { answer } = this;
    if (!answer) return false;
    const { query } = answer;
    const covers = query.from <= viewport.from && query.to >= Math.min(viewport.to, answer.time) && query.to - query.from <= viewport.span * 6;
    const fresh = answer.rows >= rows || (!complete && viewport.to <= answer.time);
    return covers && fresh && query.packet === packet;
  }

  private async fetch(viewport: Viewport, packet: number): Promise<void> {
    const { epoch } = this;
    this.open = true;
    const span = 2 ** Math.ceil(Math.log2(viewport.span * 2));
    const from = Math.max(0, Math.floor(viewport.from / (span / 4)) * (span / 4) - span / 4);
    try {
      const answer = await this.ask({ kind: "packets", from, to: from + span, buckets: BUCKETS, budget: BUDGET, packet });
      if (epoch === this.epoch) this.answer = answer;
    } catch (error) {
      if (epoch !== this.epoch) return;
      this.retryAt = performance.now() + RETRY;
      this.failed(error);
    } finally {
      if (epoch === this.epoch) {
        this.open = false;
        this.changed();
      }
    }
  }
}
