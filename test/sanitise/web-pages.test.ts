// HTML and saved web pages: text always, pages where the policy says so; nothing runs, nothing is fetched, what is hidden stays so.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { readPolicy } from '../../src/policy/policy.ts';
import { PageCollector } from '../../src/sandbox/raster-page.ts';
import { rawOf } from '../../src/sanitise/picture.ts';
import { cleanHtml } from '../../workers/office/html-page.ts';
import { drive } from '../support/drive-worker.ts';
import { encoded } from '../support/japanese.ts';
import { readText } from '../support/page-text.ts';
import { openSanitiser } from '../support/sanitiser.ts';

const MS = 500_000;
const PAGES = readPolicy('name: p\nversion: "1"\nhtml: pages\n', 'p');

/** A saved page: its HTML in base64, a picture by Content-Location and one by Content-ID. */
function savedPage(html: string, pictures: { readonly [header: string]: Buffer }): Buffer {
  const part = (type: string, more: string, bytes: Buffer): string =>
    `--b\r\nContent-Type: ${type}\r\n${more}Content-Transfer-Encoding: base64\r\n\r\n${bytes.toString('base64').replace(/.{76}/g, '$&\r\n')}\r\n`;
  return Buffer.from(
    [
      'From: <Saved by Blink>\r\nSnapshot-Content-Location: https://city.example/\r\nSubject: =?utf-8?B?44GK55+l44KJ44Gb?=\r\n',
      'MIME-Version: 1.0\r\nContent-Type: multipart/related; type="text/html"; boundary="b"\r\n\r\n',
      part('text/html; charset=utf-8', 'Content-Location: https://city.example/\r\n', Buffer.from(html)),
      ...Object.entries(pictures).map(([header, bytes]) => part('image/png', `${header}\r\n`, bytes)),
      '--b--\r\n',
    ].join(''),
  );
}

describe('a web page', () => {
  it('is text alone unless the policy says otherwise', { timeout: MS }, async () => {
    await using sanitiser = await openSanitiser();
    for (const [name, bytes] of [
      ['a.html', Buffer.from('<html><body><p>鹿島市</p></body></html>')],
      ['a.mht', savedPage('<p>鹿島市</p>', {})],
    ] as const) {
      const { files } = await sanitiser.file(name, bytes);
      assert.deepEqual(
        [...files.keys()].map((path) => path.split('.').at(-1)),
        ['txt'],
      );
    }
  });

  it(
    'becomes pages beside its text: its tables and Japanese, no script, no fetch, nothing hidden',
    { timeout: MS },
    async () => {
      let asked = 0;
      const server = createServer((_request, response) => {
        asked += 1;
        response.end();
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const html = `<!doctype html><html><head><title>題</title><link rel=stylesheet href="${base}/a.css">
      <style>@import url(${base}/b.css); p{background:url(${base}/c.png)}</style><script>document.write('SCRIPTED')</script></head>
      <body onload="x()" background="${base}/d.png"><h1>補助金のお知らせ</h1><p style="display:none">隠された文</p>
      <table border=1><tr><td>氏名<td>𠮷田<tr><td>金額<td>1,234円</table>
      <p style="background:url(${base}/e.png);color:red">赤い文字</p><img src="${base}/f.png" alt="写真"><iframe src="${base}/g"></iframe>
      <object data="${base}/h"></object><img src="file:///etc/passwd"><a href="javascript:x()">押す</a></body></html>`;
      try {
        await using sanitiser = await openSanitiser({ policy: PAGES });
        const { parts, files } = await sanitiser.file('お知らせ.html', Buffer.from(html));
        assert.equal(parts[0]?.verdict, 'text');
        assert.equal(parts[0].outputs.length, 2);
        assert.equal(parts[0].pages, 1);
        const pdf = [...files].find(([name]) => name.endsWith('.pdf'))?.[1];
        assert.ok(pdf !== undefined);
        const text = (await readText(pdf)).poppler.replace(/\s/g, '');
        for (const word of ['補助金のお知らせ', '𠮷田', '1,234円', '赤い文字', '写真', '押す'])
          assert.ok(text.includes(word), `${word} in ${text}`);
        for (const word of ['SCRIPTED', '隠された文', 'root:']) assert.ok(!text.includes(word), `${word} in ${text}`);
        assert.equal(asked, 0);
      } finally {
        server.close();
      }
    },
  );

  it('in a charset that its mail alone says is drawn in it', { timeout: MS }, async () => {
    await using sanitiser = await openSanitiser({ policy: PAGES });
    const page = encoded('big5', '<html><body><p>會議通知</p></body></html>').toString('base64');
    const { parts, files } = await sanitiser.mail(
      'From: a@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n' +
        'Content-Type: text/html; charset=big5; name=a.html\r\nContent-Disposition: attachment\r\n' +
        `Content-Transfer-Encoding: base64\r\n\r\n${page}\r\n--b--\r\n`,
    );
    assert.deepEqual([parts[0]?.detectedType, parts[0]?.pages], ['text/html', 1]);
    const pdf = [...files].find(([name]) => name.endsWith('.pdf'))?.[1];
    assert.ok(pdf !== undefined);
    assert.match((await readText(pdf)).poppler, /會議通知/);
  });

  it('that was saved brings its pictures, by location and by id', { timeout: MS }, async () => {
    const red = await sharp({ create: { width: 200, height: 200, channels: 3, background: '#f00' } })
      .png()
      .toBuffer();
    const blue = await sharp({ create: { width: 200, height: 200, channels: 3, background: '#00f' } })
      .png()
      .toBuffer();
    const html =
      '<h1>保存したページ</h1><img src="https://city.example/red.png"><img src="cid:blue@x"><img src="https://city.example/gone.png">';
    const page = savedPage(html, {
      'Content-Location: https://city.example/red.png': red,
      'Content-ID: <blue@x>': blue,
    });
    await using sanitiser = await openSanitiser({ policy: PAGES });
    const { parts, files } = await sanitiser.file('お知らせ.mht', page);
    assert.deepEqual([parts[0]?.detectedType, parts[0]?.verdict], ['multipart/related', 'expanded']);
    assert.ok((parts[0]?.pages ?? 0) >= 1);
    assert.ok(parts[0]?.losses.some(({ code }) => code === 'pictures-not-shown'));
    const pdf = [...files].find(([name]) => name.endsWith('.pdf'))?.[1];
    assert.ok(pdf !== undefined);
    assert.match((await readText(pdf)).poppler, /保存したページ/);
    const dots = await coloursOf(pdf);
    assert.ok(dots.red > 1000 && dots.blue > 1000, JSON.stringify(dots));
  });
});

describe('HTML made to hurt', () => {
  const clean = (html: string): string => cleanHtml(html, new Map()).bytes.toString('utf8');

  it('keeps no attribute that runs or loads, and no way out of one', () => {
    const out = clean(
      `<p onclick="x()" style="color:red;background:url(//x);width:expression(1);font-family:'a\\'b'" align='left"onload="x'>a</p>` +
        '<img src="data:image/svg+xml;base64,PHN2Zz4="><svg><script>x</script></svg><td width="1&quot; onload=x">b</td><base href="//x"><meta http-equiv=refresh content="0;//x">',
    ).split('<body>')[1];
    assert.doesNotMatch(out ?? '', /onclick|onload|url\(|expression|svg|script|base|meta|\/\/x|src=/i);
    assert.match(out ?? '', /<p style="color:red">a<\/p>/);
  });

  it('nested without end is cleaned in linear time, and to a bounded depth', () => {
    for (const piece of [
      '<div>',
      '<table><tr><td>',
      '<b>',
      '<ul><li>',
      '<p>',
      '</div>',
      '<img src=x alt="',
      '<td style="'.repeat(3),
    ]) {
      const started = process.cpuUsage();
      const out = clean(piece.repeat(200_000));
      assert.ok(process.cpuUsage(started).user < 5_000_000, piece);
      let depth = 0;
      let deepest = 0;
      for (const [, end] of out.matchAll(/<(\/?)(?:table)\b/g))
        deepest = Math.max(deepest, (depth += end === '/' ? -1 : 1));
      assert.ok(deepest <= 12, `${piece}: ${deepest} tables`);
    }
  });
});

/** How many dots of an output's first page are plainly red, and plainly blue. */
async function coloursOf(pdf: Buffer): Promise<{ red: number; blue: number }> {
  const { frames } = await drive('pdf', pdf, { dpi: 50 }, MS);
  const count = { red: 0, blue: 0 };
  const collector = new PageCollector((page) => {
    const { pixels, channels } = rawOf(page);
    for (let at = 0; at + 2 < pixels.length; at += channels) {
      const [r = 0, g = 0, b = 0] = [pixels[at], pixels[at + 1], pixels[at + 2]];
      if (r > 200 && g < 60 && b < 60) count.red += 1;
      if (b > 200 && g < 60 && r < 60) count.blue += 1;
    }
  });
  for (const frame of frames) await collector.take(frame);
  return count;
}
