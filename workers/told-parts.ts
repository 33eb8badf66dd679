// Parts of a mail that are words about something else, told as text: a body that lies elsewhere, the header of a mail.
import { decodeWords, oneLine } from './header-words.ts';

/** What RFC 2046 §5.2.3 and RFC 2017 name, in the order they are told. */
const PLACES = ['access-type', 'url', 'server', 'subject', 'site', 'directory', 'name', 'mode', 'size', 'expiration'];

/** message/external-body: where the content would lie. Nothing is fetched. */
export function externalBodyText(parameters: ReadonlyMap<string, string>): string {
  const told = PLACES.flatMap((name) => {
    const value = parameters.get(name);
    return value === undefined || value === '' ? [] : [`  ${name}: ${value.slice(0, 500)}`];
  });
  return ['［外部に置かれたファイル: 取得していません］', ...told].join('\n');
}

/** The fields of a header as a person reads them: unfolded, their words decoded. */
export function headerText(text: string): string {
  return text
    .replace(/\r\n?/g, '\n')
    .replace(/\n[ \t]+/g, ' ')
    .split('\n')
    .map((line) => oneLine(decodeWords(line)))
    .join('\n')
    .trim();
}
