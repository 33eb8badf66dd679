// Which of our fonts stands in for each of those that a Japanese office writes with, as fontconfig reads our rules.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fontConfig, fontFiles } from '../../workers/office/fonts.ts';
import { scratch } from '../support/scratch.ts';

const STANDS_IN: Readonly<Record<string, string>> = {
  'ＭＳ 明朝': 'BIZ UDMincho',
  'ＭＳ Ｐゴシック': 'BIZ UDPGothic',
  '游明朝 Light': 'BIZ UDPMincho',
  '游明朝 Demibold': 'BIZ UDPMincho',
  'Yu Mincho Demibold': 'BIZ UDPMincho',
  'HG正楷書体-PRO': 'BIZ UDMincho',
  HGSeikaishotaiPRO: 'BIZ UDMincho',
  HG創英ﾌﾟﾚｾﾞﾝｽEB: 'BIZ UDMincho',
  HGP創英ﾌﾟﾚｾﾞﾝｽEB: 'BIZ UDPMincho',
  HGS創英ﾌﾟﾚｾﾞﾝｽEB: 'BIZ UDPMincho',
};

test('fonts of a Japanese office have their stand-ins', async () => {
  await using folder = await scratch();
  const config = join(folder.path, 'fonts.conf');
  const folders = [...new Set(fontFiles().map((file) => dirname(file)))];
  writeFileSync(config, fontConfig(folders, undefined, join(folder.path, 'cache')));
  for (const [font, standIn] of Object.entries(STANDS_IN)) {
    const pattern = font.replace(/[-:,\\]/g, '\\$&');
    const env = { PATH: process.env['PATH'] ?? '', FONTCONFIG_FILE: config };
    const found = execFileSync('fc-match', ['--format=%{family[0]}', pattern], { encoding: 'utf8', env });
    assert.equal(found, standIn, font);
  }
});
