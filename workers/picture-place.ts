// Where the parts of a page that was sent or saved as several lie (Content-Location, RFC 2557), so that a picture that its page calls by
// a place is found among them.
import { createHash } from 'node:crypto';

/** A place as an absolute one where `base` makes it that; a place within a page is the page's; '' for none. */
export function placeOf(location: string, base: string): string {
  const one = location.trim();
  if (one === '') return '';
  return (URL.parse(one, base === '' ? undefined : base)?.href ?? one).replace(/#.*$/s, '');
}

/** Stands for a place where there is no room for it: `at:` and 20 digits. */
export function markOf(place: string): string {
  return `at:${createHash('sha256').update(place, 'utf8').digest('hex').slice(0, 20)}`;
}
