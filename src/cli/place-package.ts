// Puts a finished package where it belongs; what stood there goes only when it is a package, and only when ours is in.
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../message/errors.ts';
import { demandReplaceable } from './sanitise-inputs.ts';

/** Another run may put its own package there between our looking and our rename; the last one stands. */
const ATTEMPTS = 5;

/**
 * Moves the package folder `made` to `place`. A package that stands there is moved into `work`, which the caller removes
 * at its end. Rejects when anything else stands there; then it is as it was.
 */
export async function placePackage(made: string, place: string, work: string): Promise<void> {
  await mkdir(dirname(place), { recursive: true });
  for (let attempt = 1; ; attempt++) {
    await demandReplaceable(place);
    const aside = join(work, `replaced-${attempt}-${Math.random().toString(36).slice(2)}`);
    const moved = await rename(place, aside).then(
      () => true,
      (error: unknown) => {
        if (systemCode(error) === 'ENOENT') return false;
        throw error;
      },
    );
    try {
      await rename(made, place);
      return;
    } catch (error) {
      const taken = systemCode(error) === 'ENOTEMPTY' || systemCode(error) === 'EEXIST';
      if (taken && attempt < ATTEMPTS) continue;
      if (moved && !taken) await rename(aside, place);
      throw error;
    }
  }
}
