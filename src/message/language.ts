// Which of our two languages a browser asks for.
import type { Language } from './account.ts';

/** The language that an `Accept-Language` header asks for; Japanese unless English comes before it. */
export function languageOf(asked: string | undefined): Language {
  const [en, ja] = placesOf(asked);
  return en >= 0 && (ja < 0 || en < ja) ? 'en' : 'ja';
}

/** The same for programs, which seldom name a language: English unless Japanese is asked for. */
export function languageOfProgram(asked: string | undefined): Language {
  return placesOf(asked)[1] < 0 ? 'en' : languageOf(asked);
}

function placesOf(asked = ''): readonly [en: number, ja: number] {
  return [asked.search(/\ben\b/i), asked.search(/\bja\b/i)];
}
