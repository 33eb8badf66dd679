// Jailed child of the text family: placeholder entry while the family is being written.
import { serve, whole } from './run.ts';
serve('text 1', async (job, out) => {
  out.text((await whole(job)).toString('utf8'));
});
