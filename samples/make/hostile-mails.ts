// Mails made to slip something through: forged names, false types, containers within containers.
import { zip } from './archives.ts';
import { attachment, entity, extended, head, multipart, textLeaf, words } from './mime.ts';
import { program } from './texts.ts';

/** Multiparts in each other; the limit is 32. */
const MULTIPARTS = 60;
/** Mails in each other; the limit is 8. */
const MAILS = 12;

export function hostileMails(): Map<string, Buffer> {
  return new Map([
    ['mail/bidi-name.eml', bidiName()],
    ['mail/zip-attachment.eml', zipped()],
    ['mail/type-mismatch.eml', typeMismatch()],
    ['mail/mime-nesting.eml', multipartNesting()],
    ['mail/mail-nesting.eml', mailNesting()],
    ['mail/forged-from.eml', forgedFrom()],
  ]);
}

/** `請求書[U+202E]fdp.exe` is shown as `請求書exe.pdf` by readers that obey the override. */
function bidiName(): Buffer {
  return multipart(
    'mixed',
    '=_bidi_0001',
    [
      textLeaf('請求書をお送りします。\n', 'utf-8', 'base64'),
      attachment('application/octet-stream', program(), extended('filename', '請求書\u202efdp.exe', 'utf-8')),
    ],
    head({ from: 'keiri@example.net', subject: words('請求書送付のご案内', 'utf-8'), id: 'bidi-name-1' }),
  );
}

/** A zip, as many offices send their files. */
function zipped(): Buffer {
  return multipart(
    'mixed',
    '=_zip_0001',
    [
      textLeaf('資料一式を圧縮してお送りします。\n', 'iso-2022-jp', '7bit'),
      attachment('application/zip', zip('資料.txt', Buffer.from('資料の中身\r\n', 'utf8')), extended('filename', '資料.zip', 'iso-2022-jp')),
    ],
    head({ from: 'soumu@example.co.jp', subject: words('資料の送付', 'iso-2022-jp'), id: 'zip-1' }),
  );
}

/** Bytes that are no document under the type and the name of one; text under the type of a picture. */
function typeMismatch(): Buffer {
  return multipart(
    'mixed',
    '=_mismatch_0001',
    [
      textLeaf('二つのファイルを送ります。\n', 'utf-8', 'base64'),
      attachment('application/pdf', program(), 'filename="report.pdf"'),
      attachment('image/png', Buffer.from('これは画像ではなく文字です。\n', 'utf8'), 'filename="photo.png"'),
    ],
    head({ from: 'nobody@example.net', subject: words('ファイル送付', 'utf-8'), id: 'mismatch-1' }),
  );
}

function multipartNesting(): Buffer {
  let inner = textLeaf('一番奥の文\n', 'utf-8', 'base64');
  for (let level = MULTIPARTS; level > 1; level--) inner = multipart('mixed', `=_level_${String(level).padStart(2, '0')}_`, [inner]);
  return multipart('mixed', '=_level_01_', [inner], head({ from: 'deep@example.net', subject: words('入れ子のメール', 'utf-8'), id: 'nesting-1' }));
}

function mailNesting(): Buffer {
  let inner: Buffer | undefined;
  for (let level = MAILS; level >= 0; level--) {
    const own = textLeaf(`${level}段目のメールです。\n`, 'utf-8', 'base64');
    const parts = inner === undefined ? [own] : [own, entity(['Content-Type: message/rfc822'], inner)];
    inner = multipart('mixed', `=_mail_${level}_`, parts, head({ from: 'deep@example.net', subject: `level ${level}`, id: `mails-${level}` }));
  }
  return inner ?? Buffer.alloc(0);
}

/** A display name that shows the mayor's address, and line breaks smuggled into the subject by an encoded word. */
function forgedFrom(): Buffer {
  const smuggled = Buffer.from('至急\r\nBcc: everyone@city.example.lg.jp', 'utf8').toString('base64');
  const letter = head({
    from: `${words('市長 <mayor@city.example.lg.jp>', 'utf-8')} <attacker@example.net>`,
    subject: `=?utf-8?B?${smuggled}?=`,
    id: 'forged-1',
  });
  return Buffer.concat([Buffer.from(`${letter.join('\r\n')}\r\n`, 'latin1'), textLeaf('至急、口座番号を返信してください。\n', 'utf-8', 'base64')]);
}
