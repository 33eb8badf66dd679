// What the HTTP door says when it cannot take something, in Japanese and English: people read it on its page.
import { LIMITS } from '../message/limits.ts';
import { MESSAGE_BYTES } from './intake.ts';

/** A plain sentence or two. */
export type Said = readonly [ja: string, en: string];

const MB = Math.floor(MESSAGE_BYTES / 1024 / 1024);

export const SAID = {
  busy: [
    'ただいま混み合っています。何も受け付けていません。しばらくしてからもう一度お送りください。',
    'Too much is waiting here; nothing was accepted. Try again later.',
  ],
  noRecipient: ['宛先のメールアドレスがありません。', 'Field "to" is missing: name the recipient’s address.'],
  tooManyRecipients: [`宛先は${LIMITS.recipients}件までです。`, `At most ${LIMITS.recipients} recipients.`],
  badSender: ['差出人がメールアドレスではありません。', 'Field "from" is no address.'],
  badRecipient: ['宛先がメールアドレスではありません。', 'Field "to" is no address.'],
  notServed: ['この宛先のドメインはここでは受け付けていません。', 'The recipient’s domain is not served here.'],
  needsKey: ['この受け口には鍵（APIキー）が必要です。', 'This door needs an API key.'],
  quota: [
    '1時間に送れる量を超えました。しばらくしてからもう一度お送りください。',
    'You have sent as much as you may in an hour. Try again later.',
  ],
  noForm: ['フォームとして読めません。', 'Send multipart/form-data with fields "to" and "file".'],
  noFile: ['ファイルが選ばれていません。', 'No file was sent.'],
  brokeOff: [
    '送信が途中で切れたか、フォームとして読めません。何も受け付けていません。',
    'The upload broke off or is no multipart/form-data; nothing was accepted.',
  ],
  lineBroke: ['送信が途中で切れました。', 'The upload broke off.'],
  tooLarge: [`一つのファイルは${MB} MBまでです。`, `A file may have at most ${MESSAGE_BYTES} bytes.`],
  diskFull: [
    '保存する場所がありません。何も受け付けていません。しばらくしてからもう一度お送りください。',
    'No space left here; nothing was accepted. Try again later.',
  ],
  notStored: [
    'ファイルを保存できませんでした。何も受け付けていません。しばらくしてからもう一度お送りください。',
    'The file could not be stored; nothing was accepted. Try again later.',
  ],
  failed: [
    '問題が起きました。何も受け付けていません。しばらくしてからもう一度お送りください。',
    'Something failed here; nothing was accepted. Try again later.',
  ],
  unreadable: [
    'この大きさのフォームとして読めません。',
    'The request cannot be read as multipart/form-data of this size.',
  ],
  nothingHere: ['ここには何もありません。', 'There is nothing here.'],
  beingTaken: ['この送信は終わっていて、いま受け付けています。', 'This upload is whole and being taken.'],
  noLength: ['大きさ（Upload-Length）がありません。', 'Upload-Length is missing.'],
  tooMuchCame: ['知らされた大きさより多く届きました。', 'More came than was announced.'],
  tooManyUploads: [
    '途中の送信が多すぎます。どれかを終えてからお送りください。',
    'Too many uploads are unfinished. Finish or end one first.',
  ],
  noUpload: ['その送信はありません。古すぎるのかもしれません。', 'There is no such upload, or it is too old.'],
  standsElsewhere: ['その送信は別のところまで届いています。', 'The upload stands elsewhere; ask with HEAD.'],
} as const satisfies { readonly [word: string]: Said };
