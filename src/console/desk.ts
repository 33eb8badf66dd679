// What the console's pages share.
import type { DeliveryRecord } from '../message/stages.ts';
import type { MessageId } from '../message/id.ts';
import type { Asks } from '../portal/asking.ts';
import type { Desk } from '../portal/desk.ts';
import type { Glance } from '../portal/pages.ts';
import type { Html } from '../message/html.ts';
import { frame, type Framed } from '../portal/frame.ts';
import type { RequestWriter } from '../requests/requests.ts';
import type { Deletions } from './deletions.ts';
import type { Statuses } from './statuses.ts';

/** How deliveries to one inner server went since the start. */
export interface ServerTold {
  readonly server: string;
  readonly delivered: number;
  readonly deferred: number;
  readonly failed: number;
  readonly lastAt: number;
  readonly lastAnswer: string;
}

/** A message that the inner server deferred. */
export interface Deferred {
  readonly id: MessageId;
  readonly at: number;
  readonly times: number;
  readonly answer: string;
}

/** What the console may ask of the inner zone's deliveries. */
export interface Delivering {
  readonly servers: () => readonly ServerTold[];
  readonly deferred: () => readonly Deferred[];
  /** How the message ended; undefined while it has not. */
  readonly end: (id: MessageId) => Promise<DeliveryRecord | undefined>;
  /** Delivers it (again) now; false when there is nothing to deliver. */
  readonly again: (id: MessageId) => Promise<boolean>;
}

export interface ConsoleDeps {
  readonly desk: Desk;
  readonly statuses: Statuses;
  readonly delivering: Delivering;
  readonly requests: RequestWriter;
  readonly asks: Asks;
  readonly deletions: Deletions;
  /** True while the outbox holds a package of this id. */
  readonly packaged: (id: MessageId) => Promise<boolean>;
  /** False while the outbox cannot be seen at all: then a package that is not found may well be there. */
  readonly hasOutbox: () => Promise<boolean>;
}

export const OPERATOR = ['operator'] as const;

/** The words of a page in the language of whoever looks. */
export function sayOf({ language }: Pick<Glance, 'language'>): (ja: string, en: string) => string {
  return (ja, en) => (language === 'ja' ? ja : en);
}

/** A page of the console with its own navigation. */
export function consolePage(glance: Glance, framed: Omit<Framed, 'assets' | 'wide'>): Html {
  const assets = { styles: ['uplot.css', 'console.css'], scripts: ['uplot.js', 'console.js'] };
  return frame(glance, { ...framed, wide: true, assets });
}

/** Seconds in words. */
export function secondsWords(seconds: number, language: Glance['language']): string {
  const ja = language === 'ja';
  if (seconds < 10) return `${seconds.toFixed(2)} ${ja ? '秒' : 's'}`;
  if (seconds < 120) return `${Math.round(seconds)} ${ja ? '秒' : 's'}`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} ${ja ? '分' : 'min'}`;
  return `${(seconds / 3600).toFixed(1)} ${ja ? '時間' : 'h'}`;
}
