// Links in a text, inert as the policy wants them: as they are, with a scheme that no program opens, or gone.
import type { Language } from '../message/account.ts';

export type LinkPolicy = 'plain' | 'hxxp' | 'removed';

// `www.` counts: mail readers make it a link.
const URL =
  /\b(?:https?|ftp):\/\/[^\s<>"'（）「」『』【】、。]+|\bwww\.(?=[\p{L}\p{N}-]{1,63}\.)[^\s<>"'（）「」『』【】、。]+/giu;
const REMOVED = { ja: '［リンク削除］', en: '[link removed]' } as const;

/** The text with its links as `policy` says. Linear. */
export function withLinks(text: string, policy: LinkPolicy, language: Language): string {
  switch (policy) {
    case 'plain':
      return text;
    case 'hxxp':
      return text.replace(URL, (url) =>
        url
          .replace(/^http/i, 'hxxp')
          .replace(/^ftp/i, 'fxp')
          .replace(/^www\./i, 'www[.]'),
      );
    case 'removed':
      return text.replace(URL, REMOVED[language]).replaceAll(`<${REMOVED[language]}>`, REMOVED[language]);
    default:
      return policy satisfies never;
  }
}

// What a code may begin with that a telephone acts on, and what mail readers make links of wherever it stands.
const SCHEME = /^([a-z][a-z0-9+.-]{0,30}):/i;
const SLASHES = /(?<!\b(?:hxxps?|fxp)):(?=\/\/)/gi;

/**
 * What a QR code says, where no text said it before: nothing in it is a link, also where the policy leaves those of the sender's
 * text as they are.
 */
export function inertCode(text: string, policy: LinkPolicy, language: Language): string {
  const inert = withLinks(text, policy === 'plain' ? 'hxxp' : policy, language).replace(SLASHES, '[:]');
  return /^(?:hxxps?|fxp):/i.test(inert) ? inert : inert.replace(SCHEME, '$1[:]');
}
