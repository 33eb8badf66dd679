// What a fault scenario is and what it tells.

export interface Scale {
  readonly seed: number;
  readonly mails: number;
  readonly kills: number;
  /** Seconds a server stays paused or gone. */
  readonly pauseSeconds: number;
}

export const FULL: Scale = { seed: 20261125, mails: 2000, kills: 200, pauseSeconds: 60 };
/** For the suite: the same code, minutes instead of hours. */
export const SAMPLE: Scale = { seed: 20261125, mails: 40, kills: 6, pauseSeconds: 5 };

export interface Outcome {
  readonly fault: string;
  /** What was done and what was seen, a sentence or two. */
  readonly happened: string;
  readonly accepted: number;
  readonly lost: number;
  /** Deliveries beyond the first of one Message-ID. */
  readonly doubled: number;
  /** Doubles of a message whose end was recorded already: always a defect. */
  readonly doubledOutside: number;
  /** Seconds from the end of the fault to the last delivery. */
  readonly recovered: number;
  /** Of the fair share: how much slower the slowest hundredth was; at most 2 is the promise. */
  readonly ratio?: number;
}

export interface Scenario {
  readonly name: string;
  readonly run: (scale: Scale) => Promise<Outcome>;
  /** Not in the suite, with the reason: it lasts for minutes however small it is. */
  readonly long?: string;
}
