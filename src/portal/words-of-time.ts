// Counts and times as people here read them, in Japanese and English.
import type { Language } from '../message/account.ts';

/** How many pages are drawn of how many. */
export function drawnWords(done: number, pages: number, language: Language): string {
  return language === 'ja' ? `${pages}ページ中${done}ページできました` : `${done} of ${pages} pages drawn`;
}

/** How many messages are before one that waits. */
export function aheadWords(ahead: number, language: Language): string {
  return language === 'ja' ? `順番待ち（前に${ahead}件）` : `Waiting, ${ahead} before it`;
}

/** How long something may take still, as one says it. */
export function aboutWords(seconds: number, language: Language): string {
  const minutes = Math.ceil(seconds / 60);
  if (language === 'ja') return seconds < 60 ? `あと約${seconds}秒` : `あと約${minutes}分`;
  return seconds < 60 ? `about ${seconds} s left` : `about ${minutes} min left`;
}

/** Made once: a formatter is some 50 µs of work and memory that only the garbage collection of all gives back. */
const MOMENTS = {
  ja: momentsOf('ja-JP'),
  en: momentsOf('en-GB'),
};

function momentsOf(locale: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat(locale, {
    timeZone: 'Asia/Tokyo',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
}

/** A moment as people here read it; the municipality's time is Japan's. */
export function timeWords(time: number | string, language: Language): string {
  return MOMENTS[language].format(new Date(time));
}
