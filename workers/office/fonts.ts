// The fonts that stand in for those a Japanese office has, for both engines: files from npm, and fontconfig's rules for
// whose place each takes. Without the rules every ＭＳ ゴシック became a proportional Mincho, and forms shifted.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

// BIZ UD (Morisawa, OFL) have the metrics of MS Gothic and MS Mincho. Noto Sans JP has what they lack: 𠮷 (U+20BB7) was
// left blank without it, a person's name damaged.
const FILES = [
  '@expo-google-fonts/biz-udgothic/400Regular/BIZUDGothic_400Regular.ttf',
  '@expo-google-fonts/biz-udgothic/700Bold/BIZUDGothic_700Bold.ttf',
  '@expo-google-fonts/biz-udmincho/400Regular/BIZUDMincho_400Regular.ttf',
  '@expo-google-fonts/biz-udpgothic/400Regular/BIZUDPGothic_400Regular.ttf',
  '@expo-google-fonts/biz-udpgothic/700Bold/BIZUDPGothic_700Bold.ttf',
  '@expo-google-fonts/biz-udpmincho/400Regular/BIZUDPMincho_400Regular.ttf',
  '@expo-google-fonts/noto-sans-jp/400Regular/NotoSansJP_400Regular.ttf',
  // Hangul, which neither has.
  '@expo-google-fonts/nanum-gothic/400Regular/NanumGothic_400Regular.ttf',
  '@expo-google-fonts/nanum-myeongjo/400Regular/NanumMyeongjo_400Regular.ttf',
] as const;

/** Paths of the font files. */
export function fontFiles(): string[] {
  return FILES.map((file) => require.resolve(file));
}

const STAND_INS: { readonly [family: string]: readonly string[] } = {
  'BIZ UDMincho': [
    'ＭＳ 明朝',
    'MS Mincho',
    'BIZ UD明朝',
    'BIZ UD明朝 Medium',
    'HG明朝B',
    'HG明朝E',
    'HG教科書体',
    'HG行書体',
    'HG正楷書体-PRO',
    'HGSeikaishotaiPRO',
    'HG創英ﾌﾟﾚｾﾞﾝｽEB',
    'HGSoeiPresenceEB',
  ],
  'BIZ UDPMincho': [
    'ＭＳ Ｐ明朝',
    'MS PMincho',
    '游明朝',
    'Yu Mincho',
    '游明朝 Light',
    'Yu Mincho Light',
    '游明朝 Demibold',
    'Yu Mincho Demibold',
    'ヒラギノ明朝 Pro W3',
    'ヒラギノ明朝 ProN W3',
    'BIZ UDP明朝',
    'BIZ UDP明朝 Medium',
    'HGP明朝B',
    'HGP明朝E',
    'HGP教科書体',
    'HGP行書体',
    'HGS明朝B',
    'HGS明朝E',
    'HGP創英ﾌﾟﾚｾﾞﾝｽEB',
    'HGPSoeiPresenceEB',
    'HGS創英ﾌﾟﾚｾﾞﾝｽEB',
    'HGSSoeiPresenceEB',
  ],
  'BIZ UDGothic': [
    'ＭＳ ゴシック',
    'MS Gothic',
    'BIZ UDゴシック',
    'HGｺﾞｼｯｸM',
    'HGｺﾞｼｯｸE',
    'HG丸ｺﾞｼｯｸM-PRO',
    'HG創英角ｺﾞｼｯｸUB',
    'HG創英角ﾎﾟｯﾌﾟ体',
  ],
  'BIZ UDPGothic': [
    'ＭＳ Ｐゴシック',
    'MS PGothic',
    'MS UI Gothic',
    'メイリオ',
    'Meiryo',
    'Meiryo UI',
    '游ゴシック',
    'Yu Gothic',
    'Yu Gothic UI',
    '游ゴシック Medium',
    '游ゴシック Light',
    'ヒラギノ角ゴ Pro W3',
    'ヒラギノ角ゴ ProN W3',
    'BIZ UDPゴシック',
    'HGPｺﾞｼｯｸM',
    'HGPｺﾞｼｯｸE',
    'HGP創英角ｺﾞｼｯｸUB',
    'HGP創英角ﾎﾟｯﾌﾟ体',
    'HGSｺﾞｼｯｸM',
    'HGSｺﾞｼｯｸE',
    'HGS創英角ｺﾞｼｯｸUB',
    'HGS創英角ﾎﾟｯﾌﾟ体',
  ],
};

/** The rules as `<match>` elements of fontconfig. */
export function fontRules(): string {
  return Object.entries(STAND_INS)
    .flatMap(([family, names]) =>
      names.map(
        (name) =>
          `<match target="pattern"><test name="family" compare="eq"><string>${name}</string></test>` +
          `<edit name="family" mode="prepend" binding="same"><string>${family}</string></edit></match>`,
      ),
    )
    .join('\n');
}

/** A whole configuration: our folders first, the system's after, where there is one. */
export function fontConfig(folders: readonly string[], include: string | undefined, cache: string): string {
  return [
    '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd"><fontconfig>',
    ...folders.map((folder) => `<dir>${folder}</dir>`),
    include === undefined ? '' : `<include ignore_missing="yes">${include}</include>`,
    `<cachedir>${cache}</cachedir>`,
    fontRules(),
    '</fontconfig>',
  ].join('\n');
}
