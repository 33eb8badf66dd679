// A text in Shift_JIS, for passwords that were typed on a Japanese Windows.
import iconv from 'iconv-lite';

/** Its bytes in code page 932; undefined where it has letters that are not in it. */
export function encodeSjis(text: string): Buffer | undefined {
  const bytes = iconv.encode(text, 'cp932');
  return iconv.decode(bytes, 'cp932') === text ? bytes : undefined;
}
