// What the portal says, in Japanese and English. Plain words: they are read all day by people who are not from IT.
import type { Language } from '../message/account.ts';
import { ASKING } from './words-asking.ts';
import { PEOPLE } from './words-people.ts';
import { READING } from './words-reading.ts';
import { SIGNING_IN } from './words-signing-in.ts';

/** Words of the frame, and those that many pages use. */
const EVERYWHERE = {
  product: ['Mugai 無害化ポータル', 'Mugai portal'],
  skip: ['本文へ移動', 'Skip to content'],
  messages: ['届いたもの', 'Messages'],
  account: ['自分の設定', 'My account'],
  people: ['利用者', 'People'],
  signOut: ['サインアウト', 'Sign out'],
  notFoundTitle: ['見つかりません', 'Not found'],
  notFound: [
    'このページはありません。アドレスが違うか、期限が切れたか、あなたに宛てたものではありません。',
    'There is nothing here: the address is wrong or too old, or it is not meant for you.',
  ],
  noCookies: [
    'このブラウザーはサインインに要るクッキーを送ってきませんでした。ポータルは https のアドレス（この機械の上では localhost）で開いてください。',
    'This browser did not send the cookie that signing in needs. Open the portal at an https address (on the machine itself: localhost).',
  ],
  outdatedTitle: ['もう一度お願いします', 'Once more, please'],
  outdated: [
    'ページが古くなっていたため、何も変更していません。前のページに戻って、もう一度操作してください。',
    'The page was out of date, so nothing was changed. Go back and try again.',
  ],
  troubleTitle: ['ただいま表示できません', 'Not available right now'],
  trouble: [
    '保管場所に問題があり表示できません。何も失われていません。しばらくしてからもう一度開いてください。',
    'There is a problem with the storage. Nothing is lost; please open the page again in a while.',
  ],
  state: ['状態', 'State'],
  nothing: ['該当するものはありません。', 'Nothing here.'],
  pages: ['ページ', 'pages'],
  page: ['ページ', 'Page'],
  back: ['戻る', 'Back'],
  home: ['はじめのページへ', 'Go to the first page'],
  save: ['保存', 'Save'],
  saved: ['保存しました。', 'Saved.'],
  until: ['期限', 'until'],
  end: ['終える', 'End'],
  add: ['加える', 'Add'],
} as const satisfies { readonly [word: string]: readonly [ja: string, en: string] };

/** All groups of words; a name stands in one of them only. */
export const GROUPS = [EVERYWHERE, SIGNING_IN, READING, ASKING, PEOPLE] as const;

const WORDS = { ...EVERYWHERE, ...SIGNING_IN, ...READING, ...ASKING, ...PEOPLE };

export type Word = keyof typeof WORDS;

/** The words of a language. */
export function wordsOf(language: Language): (word: Word) => string {
  const at = language === 'ja' ? 0 : 1;
  return (word) => WORDS[word][at];
}
