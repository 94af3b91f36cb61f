import { createRequire } from 'node:module';
import type * as library from 'semver';
import compare from 'semver/functions/compare.js';
import parse from 'semver/functions/parse.js';

/** Ranges cost as much to load as all the rest of a quick command, and most commands ask for none. */
const load = createRequire(import.meta.url);

/** What is more than three numbers: pre-releases, builds, and everything that is no version. */
export const parseAny = parse;
export const compareAny = compare;
export const ranges = (): typeof library => load('semver');
