// An asked-for original as both sides see it: its requester and those who decide.
import { sizeWords } from '../message/account.ts';
import { html, type Html, type Value } from '../message/html.ts';
import type { ReleaseEnd } from '../message/stages.ts';
import type { Desk } from './desk.ts';
import type { OriginalAsked, OriginalState } from './originals.ts';
import type { Visit } from './pages.ts';
import { wordsOf, type Word } from './words.ts';
import { timeWords } from './words-of-time.ts';

const STATE_WORDS: { readonly [state in OriginalState]: readonly [Word, string] } = {
  asked: ['originalWaiting', 'wait'],
  approved: ['originalApproved', 'good'],
  rejected: ['originalRejected', 'bad'],
  expired: ['originalExpired', 'bad'],
  released: ['originalReleased', 'good'],
};

const END_WORDS: { readonly [end in ReleaseEnd]: readonly [Word, string] } = {
  used: ['releaseUsed', 'good'],
  unused: ['releaseUnused', 'wait'],
  malware: ['releaseMalware', 'bad'],
  changed: ['releaseChanged', 'bad'],
  'no-scanner': ['releaseNoScanner', 'bad'],
  'not-scanned': ['releaseNotScanned', 'bad'],
  expired: ['releaseTooLate', 'bad'],
  gone: ['releaseGone', 'bad'],
  'no-part': ['releaseNoPart', 'bad'],
};

/** A request as both sides see it. `more`: rows that only one of them sees. */
export function facts(visit: Visit, one: OriginalAsked, more: Value): Html {
  const say = wordsOf(visit.language);
  const [word, look] = one.end === undefined ? STATE_WORDS[one.state] : END_WORDS[one.end];
  return html`<p>
      <b>${one.name === '' ? say('noSubject') : one.name}</b
      >${one.part === '' ? '' : html` <span class="small">[${one.part}]</span>`}
      <span class="state ${look}">${say(word)}</span>
    </p>
    <dl class="heads">
      ${more} ${row(say('originalReason'), one.reason)}
      ${row(say('originalAt'), html`${timeWords(one.at, visit.language)} <span class="small">${sizeWords(one.size)}</span>`)}
      ${one.decisions.map(({ by, at, yes }) => row(say(yes ? 'approvedBy' : 'rejectedBy'), html`${by} <span class="small">${timeWords(at, visit.language)}</span>`))}
      ${one.found === '' ? '' : row(say('releaseFound'), one.found)}
      ${one.state === 'asked' || one.state === 'approved' || (one.release !== undefined && one.end === undefined) ? row(say('originalUntil'), timeWords(one.expires, visit.language)) : ''}
    </dl>`;
}

export function row(word: string, value: Value): Html {
  return html`<div>
    <dt>${word}</dt>
    <dd>${value}</dd>
  </div>`;
}

/** The digest that the signed manifest gives at this moment for what was asked for. */
export async function digestNow(desk: Desk, { message, part }: OriginalAsked): Promise<string | undefined> {
  const { source, parts } = (await desk.packages.statement(message)).predicate;
  return part === '' ? source.sha256 : parts.find(({ path }) => path === part)?.sha256;
}
