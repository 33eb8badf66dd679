// The unified ideographs that CJK radicals look like (Unicode, EquivalentUnifiedIdeograph): fonts put radicals where a text means
// the character, and no search would find 長谷川 in ⻑谷川.

/** By radical from U+2E80 on; a blank where there is none. */
const UNIFIED = Array.from(
  [
    '　厂乛乚乙亻冂𠘨刀刂卜㔾小尐兀尣尢𡯂巳幺彑彐忄心扌攵　旡日月歺母民氵氺灬爫爬丬牛',
    '犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀聿肉𦥑艹艺艻虎衤覀西见角𧢲讠贝𧾷车辶辷辸邑',
    '钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟',
  ].join(''),
);
const SUPPLEMENT = 0x2e80;
const NONE = '\u3000';

/** The character that a radical stands for; any other character as it is. */
export function unified(text: string): string {
  const point = text.codePointAt(0) ?? 0;
  if (point >= 0x2f00 && point <= 0x2fd5) return text.normalize('NFKC'); // Kangxi radicals
  const character = UNIFIED[point - SUPPLEMENT];
  return character === undefined || character === NONE ? text : character;
}
