// Scripts that are texts by their bytes, and programs by their names alone.
import type { Remark } from '../message/part.ts';
import { routeOf } from './route.ts';

/** Endings that Windows, macOS or a shell run. */
const ENDING = /\.(?:bat|cmd|js|jse|vbs|vbe|wsf|wsh|wsc|sct|hta|ps1|psm1|sh|bash|csh|command|py|pl|rb|php)\s*$/i;

/** The remark on a text whose name would have it run: it is shown as a text, and told. */
export function scriptByName(name: string, detectedType: string): Remark[] {
  const route = routeOf(detectedType);
  const ending = route === 'text' || route === 'html' ? ENDING.exec(name)?.[0] : undefined;
  return ending === undefined ? [] : [{ code: 'script', detail: ending.trim().toLowerCase() }];
}
