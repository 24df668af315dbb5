import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks again and again until there is an answer.
 *
 * @param ask returns undefined or false as long as there is none.
 * @param what completes the sentence "… within N s" of the error.
 * @param timeout milliseconds.
 */
export async function eventually<Answer>(
  ask: () => Promise<Answer | undefined | false> | Answer | undefined | false,
  what: string,
  timeout = 60_000,
): Promise<Answer> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new Error(`Expected that ${what} within ${timeout / 1000} s.`);
    await delay(50);
  }
}
