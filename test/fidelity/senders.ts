// Senders who may not be who they seem to be: what stands at the top of the text.
import { expect, head, join, single, word, type Bytes, type Case, type Encode } from './case.ts';

export function senders(enc: Encode): readonly Case[] {
  const cases: Case[] = [];
  const title = '【差出人についてのご注意】';
  const add = (name: string, from: Bytes, told: readonly string[], more: Bytes = ''): void => {
    const mail = single('text/plain; charset=utf-8', '本文', '8bit', { from, more });
    cases.push(
      expect('sender', name, mail, { text: [...(told.length > 0 ? [title, ...told, ''] : []), '本文'].join('\n') }),
    );
  };
  add('an honest name', word('ISO-2022-JP', enc('iso2022_jp', '佐藤')) + ' <sender@example.com>', []);
  add('a raw Shift_JIS name with 5C bytes', join('"', enc('cp932', '表ソ能'), '" <sender@example.com>'), []);
  add('a name that shows another address', '"mayor@city.example" <sender@example.com>', [
    '・差出人の名前「mayor@city.example」は、実際のアドレスと違うアドレスを見せています。',
  ]);
  add(
    'an encoded name that shows another address',
    `${word('UTF-8', '市長 <mayor@city.example>')} <sender@example.com>`,
    ['・差出人の名前「市長 <mayor@city.example>」は、実際のアドレスと違うアドレスを見せています。'],
  );
  add('our own domain from outside', '市長 <mayor@city.example.lg.jp>', [
    '・表示される差出人（mayor@city.example.lg.jp）と、配送上の差出人（sender@example.com）のドメインが違います。メーリングリストや配信サービスではよくあることです。',
    '・差出人は庁内のアドレス（mayor@city.example.lg.jp）を名乗っていますが、このメールは外部から届きました。',
  ]);
  for (const [name, from] of [
    ['in quotes', '市長 <"mayor"@city.example.lg.jp>'],
    ['behind a source route', '市長 <@relay.example:mayor@city.example.lg.jp>'],
    ['with a dot at its end', '市長 <mayor@city.example.lg.jp.>'],
    ['with a comment', '市長 <mayor@city.example.lg.jp(x)>'],
  ] as const)
    add(`our own domain from outside, ${name}`, from, [
      '・表示される差出人（mayor@city.example.lg.jp）と、配送上の差出人（sender@example.com）のドメインが違います。メーリングリストや配信サービスではよくあることです。',
      '・差出人は庁内のアドレス（mayor@city.example.lg.jp）を名乗っていますが、このメールは外部から届きました。',
    ]);
  add('two senders', 'a@example.com, b@example.com', [
    '・差出人（From）が2つ書かれています。本当の差出人は分かりません。',
  ]);
  add(
    'a reply that goes elsewhere',
    'sender@example.com',
    ['・返信すると、差出人とは別の宛先 x@evil.example に届きます。'],
    'Reply-To: x@evil.example\r\n',
  );
  add(
    'a Sender of another domain',
    'sender@example.com',
    ['・表示される差出人（sender@example.com）と、送信者（Sender: x@evil.example）のドメインが違います。'],
    'Sender: x@evil.example\r\n',
  );
  add('reordering characters in the name', `${word('UTF-8', '市\u202E長')} <sender@example.com>`, [
    '・見えない文字や、文字の並びを変える文字が使われていました（from）。取り除いて表示しています。',
  ]);
  cases.push(
    expect(
      'sender',
      'reordering characters in the subject',
      join(head({ subject: word('UTF-8', '請求\u202E書\u200B') }), 'Content-Type: text/plain\r\n\r\nx'),
      {
        subject: '請求書',
        text: `${title}\n・見えない文字や、文字の並びを変える文字が使われていました（subject）。取り除いて表示しています。\n\nx`,
      },
    ),
  );
  return cases;
}
