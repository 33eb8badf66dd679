// Jailed child of the archive family.
import { Refusal, serve, whole } from './run.ts';

serve('none yet', async (job) => {
  await whole(job);
  throw new Refusal('unsupported-type', 'archives are not opened yet');
});
