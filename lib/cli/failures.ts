import { failuresOf } from '../base/index.ts';
import type { CliFailures } from '../ui/index.ts';

export const cliFailure = failuresOf<CliFailures>();
