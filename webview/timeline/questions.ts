import type { ResultOf, TimelineQuery } from "../../engine/trace/timelineQuery";
import type { FromTimeline, ToTimeline } from "../../protocol/timeline";

type Answer = Extract<ToTimeline, { type: "answer" | "refused" }>;
type Kind = TimelineQuery["kind"];

/** Why an answer never came. A `stale` one belongs to a simulation that is gone: nobody needs to hear of it. */
export class Unanswered extends Error {
  constructor(readonly stale: boolean, reason: string) {
    super(reason);
  }
}

/** Questions to the engine's worker, numbered, each with its answer or a rejection. */
export class Questions {
  private generation = 0;
  private count = 0;
  private readonly open = new Map<number, { kind: string; resolve: (answer: Answer) => void; reject: (why: Unanswered) => void }>();

  constructor(private readonly post: (message: FromTimeline) => void) {}

  /** Another simulation: what is open is rejected as stale, late answers are dropped. */
  restart(generation: number): void {
    this.generation = generation;
    const open = [...this.open.values()];
    this.open.clear();
    for (const { reject } of open) reject(new Unanswered(true, "another simulation"));
  }

  async ask<K extends Kind>(query: Extract<TimelineQuery, { kind: K }>): Promise<ResultOf<K>> {
    const id = ++this.count;
    const { generation } = this;
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.open.set(id, { kind: query.kind, resolve, reject });
      this.post({ type: "ask", generation, id, query });
    });
    if (answer.type === "refused") throw new Unanswered(false, answer.reason);
    return resultOf(query.kind, answer);
  }

  receive(answer: Answer): void {
    if (answer.generation !== this.generation) return;
    const question = this.open.get(answer.id);
    this.open.delete(answer.id);
    question?.resolve(answer);
  }
}

const EXPECTED: Readonly<Record<Kind, string>> = { tracks: "tracks", window: "window", packets: "packets", pick: "event", neighbour: "event", event: "event", find: "event" };

function resultOf<K extends Kind>(kind: K, answer: Extract<Answer, { type: "answer" }>): ResultOf<K> {
  const { result } = answer;
  if (!isAnswerTo(kind, result)) throw new Unanswered(false, `${result.kind} in answer to ${kind}`);
  return result;
}

function isAnswerTo<K extends Kind>(kind: K, result: { readonly kind: string }): result is ResultOf<K> {
  return result.kind === EXPECTED[kind];
}
