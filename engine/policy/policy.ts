/**
 * A policy decides which applications have a function of their own. It sees what was counted since it was asked last, and says what
 * is to change; it keeps nothing, and changes nothing itself: equal counts give equal decisions.
 */

/**
 * Where an application's frames go. `switching`: what was counted says nothing, because part of the time belongs to a switch, to the
 * silence after it, in which the peers wait for their retransmission timeouts, or to a boot. `down`: it does not run, and has nothing.
 */
export type Mode = "server" | "direct" | "switching" | "down";

/** What was counted of one application over the time since the policy was asked last. */
export interface Sample {
  readonly mode: Mode;
  /** Both directions, a second. */
  readonly bits: number;
  readonly frames: number;
  /** Since its last switch ended, picoseconds; Infinity where there was none. */
  readonly dwelt: number;
  /** The function that it drives. */
  readonly has: string | undefined;
  /** Functions that it can drive: its drivers are for adapters, and not every adapter's. */
  readonly suitable: readonly string[];
  /** Of these, those that it could have now. */
  readonly free: readonly string[];
}

/** An application is to switch. @property application its place among the samples */
export interface Decision {
  readonly application: number;
  readonly to: "server" | "direct";
}

export type SwitchPolicy = (samples: readonly Sample[]) => Decision[];
