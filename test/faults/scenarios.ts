// All faults, by name. `npm run faults` runs them whole; the suite runs each in a small way.
import { killAtEveryAct, killRolesAndChildren } from './kills.ts';
import type { Scenario } from './outcome.ts';

export const SCENARIOS: readonly Scenario[] = [
  { name: 'kill-acts', run: async (scale) => killAtEveryAct(scale, 'stays') },
  { name: 'kill-roles-redis', run: async (scale) => killRolesAndChildren(scale, 'redis') },
  { name: 'kill-roles', run: async (scale) => killRolesAndChildren(scale, 'none') },
  { name: 'power-cut', run: async (scale) => killAtEveryAct(scale, 'all-unsynced-lost') },
  { name: 'power-cut-luck', run: async (scale) => killAtEveryAct(scale, 'by-luck') },
];
