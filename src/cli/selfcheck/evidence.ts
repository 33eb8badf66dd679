// What a control of the gateway shows of itself, and in which words: one finding a control, in Japanese and English.
import type { Language } from '../../message/account.ts';
import { forLine } from '../../message/untrusted.ts';

/** `fails`: the control does not hold, and the command exits 1. `note`: told for who reads it, judged by nobody. */
export type State = 'holds' | 'fails' | 'note';

/** What was found of one control. `clause`: of the city's basic policy (docs/compliance.md). */
export interface Evidence {
  readonly control: Control;
  readonly state: State;
  readonly ja: string;
  readonly en: string;
}

/** Every control, its name in both languages and the clauses of the basic policy it is evidence for. */
export const CONTROLS = {
  jail: { ja: '隔離（無害化処理の子プロセス）', en: 'jail of the children', clause: '2(12), 3(1), 6(3)イ, 6(6)' },
  gateway: { ja: '稼働状況', en: 'gateway', clause: '3(3)-(5), 6(7)' },
  keys: { ja: '署名鍵', en: 'signing keys', clause: '3(1), 6(6)' },
  journal: { ja: '監査記録の連鎖', en: 'chain of the journals', clause: '6(7), 6(9), 7' },
  heads: { ja: '監査記録の先頭の署名', en: 'signed heads of the journals', clause: '7' },
  'journal-days': { ja: '監査記録の保存期間', en: 'days the journals are kept', clause: '6(7), 7' },
  retention: { ja: '情報資産の保存期間', en: 'retention', clause: '4, 6(2)' },
  'second-factor': {
    ja: '二要素認証のない特権利用者',
    en: 'privileged users without a second factor',
    clause: '6(5), 6(6)',
  },
  users: { ja: '利用者', en: 'users', clause: '6(1), 6(5)' },
  policy: { ja: '無害化ポリシー', en: 'policy', clause: '6(9), 8' },
  'policy-persons': { ja: 'ポリシー変更の二人承認', en: 'change of the policy by two persons', clause: '3(1), 3(2)' },
  gate: { ja: '受け取り側の検査', en: 'refusals of the inner gate', clause: '2(11), 6(3)' },
  deliveries: { ja: '配送の失敗', en: 'failed deliveries', clause: '3(3)-(5), 6(7)' },
  holds: { ja: '保留中のもの', en: 'open holds', clause: '6(7)' },
  disk: { ja: 'ディスクの空き', en: 'disk', clause: '3(3)-(5)' },
  clock: { ja: '時計', en: 'clock', clause: '6(7), 7' },
  versions: { ja: '版', en: 'versions', clause: '6(8), 7' },
} as const satisfies {
  readonly [control: string]: { readonly ja: string; readonly en: string; readonly clause: string };
};
export type Control = keyof typeof CONTROLS;

export const found = (control: Control, state: State, ja: string, en: string): Evidence => ({ control, state, ja, en });

/** Of what lies on another machine. */
export const elsewhere = (control: Control, what: string): Evidence =>
  found(control, 'note', `この機械にはありません（${what}）`, `not on this machine (${what})`);

/** What was checked when and where, and what it showed. */
export interface Report {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly host: string;
  readonly version: string;
  readonly holds: boolean;
  readonly evidence: readonly Evidence[];
}

const STATE_WORDS: { readonly [state in State]: { readonly [language in Language]: string } } = {
  holds: { ja: '適合', en: 'holds' },
  fails: { ja: '不適合', en: 'FAILS' },
  note: { ja: '参考', en: 'note' },
};

export const stateWord = (state: State, language: Language): string => STATE_WORDS[state][language];

/** Time as people of a Japanese office write it, and UTC beside it. */
export function timeOfReport({ at }: Report, language: Language): string {
  const japan = new Intl.DateTimeFormat(language === 'ja' ? 'ja-JP' : 'en-GB', {
    dateStyle: 'long',
    timeStyle: 'medium',
    timeZone: 'Asia/Tokyo',
  }).format(new Date(at));
  return `${japan} (JST) / ${at}`;
}

/** The lines above the findings. */
export function headOf(report: Report, language: Language): string[] {
  const failed = report.evidence.filter(({ state }) => state === 'fails').length;
  const time = timeOfReport(report, language);
  return language === 'ja'
    ? [
        'Mugai 自己点検報告書',
        `点検日時　${time}`,
        `対象　　　${report.host}、Mugai ${report.version}`,
        failed === 0 ? '結果　　　不適合はありません' : `結果　　　不適合 ${failed} 件`,
      ]
    : [
        'Mugai self-check report',
        `date     ${time}`,
        `machine  ${report.host}, Mugai ${report.version}`,
        failed === 0 ? 'result   no control fails' : `result   ${failed} controls fail`,
      ];
}

/** UTF-16 units of what is told of one control. */
const FOUND_CHARS = 20_000;

/** What was found tells names that others gave (a policy's, a person's, a server's answer): none of them makes a row of its own. */
export function inLines({ ja, en, ...rest }: Evidence): Evidence {
  return { ...rest, ja: forLine(ja, FOUND_CHARS), en: forLine(en, FOUND_CHARS) };
}

/** The report as text. */
export function reportText(report: Report, language: Language): string {
  const lines = report.evidence.map(({ control, state, [language]: told }) => {
    const { [language]: name, clause } = CONTROLS[control];
    const clauses = language === 'ja' ? `基本方針 ${clause}` : `basic policy ${clause}`;
    return `[${stateWord(state, language)}] ${name} (${control}; ${clauses})\n    ${told}`;
  });
  return `${[...headOf(report, language), '', ...lines].join('\n')}\n`;
}
