// Writes docs/formats.md from the list of formats.
import { writeFileSync } from 'node:fs';
import { formatsDocument } from './formats.ts';

writeFileSync(new URL('../../docs/formats.md', import.meta.url), formatsDocument());
