import { loadMutants } from '../mutants.ts';
import { plantedBugs } from './planted.ts';

/** Rooms that hold no bug of these, and whose classes must be the same for everybody. */
const shared = /^lib\/(?:base|sim|upstream|format|pki|wasm|host|ui|secrets|render)\//;

/** In a process of its own; a second call changes nothing. */
export const plantBugs = (): void =>
  loadMutants({ mutants: plantedBugs, mayBeOwn: (path) => /^(?:lib|tasks)\//.test(path) && !shared.test(path) });
