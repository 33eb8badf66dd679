// Marked-up text of old mailers whose marks do not end: its words are shown all the same.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { enrichedText, richText } from '../../workers/enriched-text.ts';

test('what is for programs is left out, and shown where it never ends', () => {
  assert.equal(enrichedText('a<color><param>red</param>b</color>'), 'ab');
  assert.equal(enrichedText('a<param>red</param>b<param>the <b>rest</b>\n\nof <<it'), 'abthe rest\nof <it');
});

test('a comment is left out, and shown where it never ends', () => {
  assert.equal(richText('a<comment>note<nl></comment>b'), 'ab');
  assert.equal(
    richText('a<comment>note</comment>b<comment>the<nl>rest <lt> of<comment>it</comment>'),
    'abthe\nrest < ofit',
  );
});
