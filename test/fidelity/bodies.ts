// Bodies in every charset that mail is written in, labelled rightly, wrongly or not at all.
import { base64, expect, join, single, type Bytes, type Case, type Encode } from './case.ts';

const JA = 'お世話になっております。会議は１０月３日（火）です。';
const KANA = 'ｱｲｳｴｵｶﾞｷﾞﾊﾟﾋﾟ';
const VENDOR = '①②㈱㈲№℡髙﨑Ⅲ㍻㌔～－';

export function bodies(enc: Encode): readonly Case[] {
  const cases: Case[] = [];
  const add = (
    name: string,
    type: string,
    body: Bytes,
    text: string,
    more: { encoding?: string; losses?: string[] } = {},
  ): void => {
    cases.push(expect('body', name, single(type, body, more.encoding ?? '8bit'), { text, losses: more.losses ?? [] }));
  };
  const jisType = 'text/plain; charset=ISO-2022-JP';

  // ISO-2022-JP
  add('ISO-2022-JP', jisType, enc('iso2022_jp', JA), JA);
  add(
    'ISO-2022-JP, 7bit, several lines',
    jisType,
    enc('iso2022_jp', `${JA}\r\n二行目\r\nthird`),
    `${JA}\n二行目\nthird`,
    { encoding: '7bit' },
  );
  add('ISO-2022-JP in base64', jisType, base64(enc('iso2022_jp', JA)), JA, { encoding: 'base64' });
  add(
    'ISO-2022-JP in quoted-printable',
    jisType,
    enc('iso2022_jp', JA).toString('latin1').replaceAll('=', '=3D').replaceAll('\u001b', '=1B'),
    JA,
    { encoding: 'quoted-printable' },
  );
  add(
    'ISO-2022-JP, JIS C 6226-1978 escape',
    jisType,
    join(Buffer.from('1b2440', 'hex'), enc('iso2022_jp', '漢字').subarray(3)),
    '漢字',
  );
  add(
    'ISO-2022-JP, JIS X 0208-1990 escape',
    jisType,
    join(Buffer.from('1b26401b2442', 'hex'), enc('iso2022_jp', '漢字').subarray(3)),
    '漢字',
  );
  add(
    'ISO-2022-JP, Roman set by ESC ( J',
    jisType,
    enc('iso2022_jp', JA).toString('latin1').replaceAll('\u001b(B', '\u001b(J'),
    JA,
  );
  add('ISO-2022-JP without its last escape', jisType, enc('iso2022_jp', '終わり').subarray(0, -3), '終わり');
  add('ISO-2022-JP, half-width kana (CP50221)', jisType, enc('cp50221', `${KANA}と${JA}`), `${KANA}と${JA}`);
  add('ISO-2022-JP, half-width kana by SO and SI (CP50222)', jisType, enc('jis7', `ABC${KANA}xyz`), `ABC${KANA}xyz`);
  add(
    'ISO-2022-JP, half-width kana in 8 bits (JIS8)',
    jisType,
    join(enc('iso2022_jp', '漢字'), enc('cp932', KANA)),
    `漢字${KANA}`,
  );
  add('ISO-2022-JP, NEC and IBM letters', jisType, enc('cp50221', VENDOR), VENDOR);
  add('ISO-2022-JP-MS', 'text/plain; charset=ISO-2022-JP-MS', enc('cp50221', `${VENDOR}${KANA}`), `${VENDOR}${KANA}`);
  add('CP50220 label', 'text/plain; charset=cp50220', enc('cp50221', `①${JA}`), `①${JA}`);
  add('csISO2022JP label', 'text/plain; charset=csISO2022JP', enc('iso2022_jp', JA), JA);
  add(
    'ISO-2022-JP-1, JIS X 0212',
    'text/plain; charset=ISO-2022-JP-1',
    enc('iso2022_jp_1', '森鷗外と丂'),
    '森鷗外と丂',
  );
  add(
    'ISO-2022-JP-2, Korean and Japanese',
    'text/plain; charset=ISO-2022-JP-2',
    enc('iso2022_jp_2', '日本한국日本'),
    '日本한국日本',
  );
  add(
    'ISO-2022-JP-2, Chinese of GB 2312',
    'text/plain; charset=ISO-2022-JP-2',
    join(
      enc('iso2022_jp', '日本'),
      Buffer.from('1b2441', 'hex'),
      Buffer.from([...enc('gb2312', '简体')].map((byte) => byte & 0x7f)),
      Buffer.from('1b2842', 'hex'),
    ),
    '日本简体',
  );
  add(
    'ISO-2022-JP-3, JIS X 0213 planes 1 and 2',
    'text/plain; charset=ISO-2022-JP-3',
    enc('iso2022_jp_3', '鷗と丂と①'),
    '鷗と丂と①',
  );
  add(
    'ISO-2022-JP-2004, letters of 2004 and beyond the BMP',
    'text/plain; charset=ISO-2022-JP-2004',
    enc('iso2022_jp_2004', '俱に𠮟る𩸽'),
    '俱に𠮟る𩸽',
  );
  add(
    'ISO-2022-JP-3, か゚ (a letter and a mark)',
    'text/plain; charset=ISO-2022-JP-3',
    enc('iso2022_jp_3', 'か゚き゚'),
    'か゚き゚',
  );
  add('JIS without a label', '', enc('iso2022_jp', JA), JA);
  add('JIS labelled us-ascii', 'text/plain; charset=us-ascii', enc('iso2022_jp', JA), JA);
  add('JIS labelled utf-8', 'text/plain; charset=utf-8', enc('iso2022_jp', JA), JA);
  add('JIS labelled Shift_JIS', 'text/plain; charset=Shift_JIS', enc('iso2022_jp', JA), JA);
  add(
    'wave dash and minus: JIS X 0208 as Windows shows them',
    jisType,
    enc('iso2022_jp', '９〜１７時−'),
    '９～１７時－',
  );

  // Shift_JIS
  const sjisType = 'text/plain; charset=Shift_JIS';
  add('Shift_JIS', sjisType, enc('cp932', JA), JA);
  add('Shift_JIS, vendor letters', sjisType, enc('cp932', VENDOR), VENDOR);
  add('Shift_JIS, half-width kana', sjisType, enc('cp932', KANA), KANA);
  add(
    'Shift_JIS, second bytes 5C and 7C',
    sjisType,
    enc('cp932', '表示・予定・ソース・能力・貼付・構築・ポスター・一覧'),
    '表示・予定・ソース・能力・貼付・構築・ポスター・一覧',
  );
  for (const label of ['x-sjis', 'MS_Kanji', 'windows-31j', 'cp932', 'csShiftJIS', 'shift-jis', 'SJIS', 'x-ms-cp932'])
    add(`Shift_JIS labelled ${label}`, `text/plain; charset=${label}`, enc('cp932', `①${JA}`), `①${JA}`);
  add('Shift_JIS in base64', sjisType, base64(enc('cp932', JA)), JA, { encoding: 'base64' });
  add('Shift_JIS without a label', '', enc('cp932', JA), JA);
  add('Shift_JIS labelled utf-8', 'text/plain; charset=utf-8', enc('cp932', JA), JA);
  add('Shift_JIS labelled iso-8859-1', 'text/plain; charset=iso-8859-1', enc('cp932', JA), JA);
  add('Shift_JIS labelled ISO-2022-JP', jisType, enc('cp932', JA), JA);
  add('Shift_JIS labelled EUC-JP', 'text/plain; charset=EUC-JP', enc('cp932', JA), JA);
  add(
    'Shift_JIS-2004',
    'text/plain; charset=Shift_JIS-2004',
    enc('shift_jis_2004', '俱に𠮟る𩸽と鷗'),
    '俱に𠮟る𩸽と鷗',
  );
  add('a short Shift_JIS text without a label', '', enc('cp932', '了解です'), '了解です');

  // EUC-JP
  const eucType = 'text/plain; charset=EUC-JP';
  add('EUC-JP', eucType, enc('euc_jp', JA), JA);
  add('EUC-JP, half-width kana', eucType, enc('euc_jp', KANA), KANA);
  add('EUC-JP, JIS X 0212', eucType, enc('euc_jp', '森鷗外と丂'), '森鷗外と丂');
  add('EUC-JP, NEC row 13', 'text/plain; charset=eucJP-ms', Buffer.from('ada1ada2adea', 'hex'), '①②㈱');
  add('EUC-JP labelled x-euc-jp', 'text/plain; charset=x-euc-jp', enc('euc_jp', JA), JA);
  add('EUC-JP without a label', '', enc('euc_jp', JA), JA);
  add('EUC-JP labelled Shift_JIS', sjisType, enc('euc_jp', JA), JA);
  add('EUC-JIS-2004', 'text/plain; charset=EUC-JIS-2004', enc('euc_jis_2004', '俱に𠮟る𩸽'), '俱に𠮟る𩸽');

  // Unicode
  add('UTF-8', 'text/plain; charset=utf-8', JA, JA);
  add('UTF-8 with a BOM', 'text/plain; charset=utf-8', `\ufeff${JA}`, JA);
  add('UTF-8 without a label', '', JA, JA);
  add('UTF-8 labelled ISO-2022-JP', jisType, JA, JA);
  add('UTF-8 labelled Shift_JIS', sjisType, JA, JA);
  add('UTF-8 labelled iso-8859-1', 'text/plain; charset=iso-8859-1', JA, JA);
  add(
    'UTF-8 in quoted-printable',
    'text/plain; charset=utf-8',
    enc('utf-8', JA)
      .toString('latin1')
      .replace(/[^ -~]/g, (letter) => `=${letter.charCodeAt(0).toString(16).toUpperCase()}`)
      .replace(/(.{72})/g, '$1=\r\n')
      .replace(/=\r\n$/, ''),
    JA,
    { encoding: 'quoted-printable' },
  );
  add('UTF-16 with a mark, base64', 'text/plain; charset=utf-16', base64(enc('utf-16', JA)), JA, {
    encoding: 'base64',
  });
  add('UTF-16LE, base64', 'text/plain; charset=utf-16le', base64(enc('utf-16-le', JA)), JA, { encoding: 'base64' });
  add('UTF-16BE, base64', 'text/plain; charset=utf-16be', base64(enc('utf-16-be', JA)), JA, { encoding: 'base64' });
  add('UTF-32LE with a mark, base64', 'text/plain; charset=utf-32', base64(enc('utf-32', JA)), JA, {
    encoding: 'base64',
  });
  add('UTF-32BE, base64', 'text/plain; charset=utf-32be', base64(enc('utf-32-be', `${JA}𠮟`)), `${JA}𠮟`, {
    encoding: 'base64',
  });
  add(
    'CESU-8: surrogates in three bytes each',
    'text/plain; charset=utf-8',
    join('野家は', Buffer.from('eda182edbeb7', 'hex'), 'です'),
    '野家は𠮷です',
  );
  add(
    'variation selectors of names stay',
    'text/plain; charset=utf-8',
    '葛󠄀城市の辻󠄀さんと渡邉󠄐さん',
    '葛󠄀城市の辻󠄀さんと渡邉󠄐さん',
  );
  add(
    'compatibility ideographs of names stay',
    'text/plain; charset=utf-8',
    '福\uFA19社の\uFA11さん、\uF9DCさん',
    '福\uFA19社の\uFA11さん、\uF9DCさん',
  );
  add(
    'letters apart from their voice marks are put together',
    'text/plain; charset=utf-8',
    'か\u3099くせいは\u309Aん, Cafe\u0301',
    'がくせいぱん, Café',
  );
  add('emoji and letters beyond the BMP', 'text/plain; charset=utf-8', '𠮷野家で🍣を', '𠮷野家で🍣を');

  // others
  add('GB18030', 'text/plain; charset=gb18030', enc('gb18030', '简体中文，您好'), '简体中文，您好');
  add('GBK', 'text/plain; charset=gbk', enc('gbk', '简体中文'), '简体中文');
  add('GB2312', 'text/plain; charset=gb2312', enc('gb2312', '简体中文'), '简体中文');
  add('Big5', 'text/plain; charset=big5', enc('big5', '繁體中文，您好'), '繁體中文，您好');
  add('EUC-KR', 'text/plain; charset=euc-kr', enc('euc_kr', '안녕하세요'), '안녕하세요');
  add('CP949', 'text/plain; charset=cp949', enc('cp949', '똠방각하'), '똠방각하');
  add('KOI8-R', 'text/plain; charset=koi8-r', enc('koi8_r', 'Привет, мир'), 'Привет, мир');
  add('KOI8-U', 'text/plain; charset=koi8-u', enc('koi8_u', 'Привіт'), 'Привіт');
  for (const [page, text] of [
    ['1250', 'Příliš žluťoučký'],
    ['1251', 'Привет'],
    ['1252', '€50 – “café”'],
    ['1253', 'Καλημέρα'],
    ['1254', 'İstanbul ğş'],
    ['1255', 'שלום'],
    ['1256', 'مرحبا'],
    ['1257', 'Ąžuolas'],
    ['1258', 'Đà Nẵng'.normalize('NFC')],
    ['874', 'สวัสดี'],
  ] as const) {
    if (page === '1258') continue; // Python's codec knows no precomposed Vietnamese: it has a case of its own below
    add(
      `windows-${page}`,
      `text/plain; charset=windows-${page}`,
      enc(page === '874' ? 'cp874' : `cp${page}`, text),
      text,
    );
  }
  add(
    'windows-1258, marks apart',
    'text/plain; charset=windows-1258',
    Buffer.from('d0 c0 e0'.replaceAll(' ', ''), 'hex'),
    'ĐÀà',
  );
  add('iso-8859-15', 'text/plain; charset=iso-8859-15', enc('iso8859_15', 'Œuvre à 5 €'), 'Œuvre à 5 €');
  add('iso-8859-2', 'text/plain; charset=iso-8859-2', enc('iso8859_2', 'Łódź'), 'Łódź');
  add('a label in quotes with blanks', 'text/plain; charset=" ISO-2022-JP "', enc('iso2022_jp', JA), JA);
  add('an unknown label on UTF-8', 'text/plain; charset=x-unknown-42', JA, JA);

  // what cannot be read is marked and counted
  add('UTF-7 is left undecoded and told', 'text/plain; charset=utf-7', 'Hi +ADw-script+AD4-', 'Hi +ADw-script+AD4-', {
    losses: ['undecodable-bytes'],
  });
  add(
    '外字 of Shift_JIS',
    sjisType,
    join(enc('cp932', '高橋'), Buffer.from('f040', 'hex'), enc('cp932', '様')),
    '高橋〓様',
    { losses: ['gaiji'] },
  );
  add(
    '外字 of EUC-JP',
    eucType,
    join(enc('euc_jp', '高橋'), Buffer.from('f5a1', 'hex'), enc('euc_jp', '様')),
    '高橋〓様',
    { losses: ['gaiji'] },
  );
  add(
    '外字 of ISO-2022-JP',
    jisType,
    join(
      Buffer.from('1b2442', 'hex'),
      enc('iso2022_jp', '高橋').subarray(3, -3),
      '\u0075\u0021',
      Buffer.from('1b2842', 'hex'),
    ),
    '高橋〓',
    { losses: ['gaiji'] },
  );
  add('private use of Unicode', 'text/plain; charset=utf-8', '外字\uE000と\u{F0001}', '外字〓と〓', {
    losses: ['gaiji'],
  });
  add(
    'a broken byte in Shift_JIS',
    sjisType,
    join(enc('cp932', JA), Buffer.from('8120', 'hex'), enc('cp932', JA)),
    `${JA}\ufffd ${JA}`,
    { losses: ['undecodable-bytes'] },
  );
  add(
    'a cut character at the end of UTF-8',
    'text/plain; charset=utf-8',
    enc('utf-8', `${JA}終`).subarray(0, -1),
    `${JA}\ufffd`,
    { losses: ['undecodable-bytes'] },
  );
  add(
    'a lone surrogate in UTF-16',
    'text/plain; charset=utf-16le',
    base64(join(enc('utf-16-le', '前'), Buffer.from('00d8', 'hex'), enc('utf-16-le', '後'))),
    '前\ufffd後',
    { encoding: 'base64', losses: ['undecodable-bytes'] },
  );
  return cases;
}
