import { defineTask, installRelease } from 'talos-tk';
import cilium from './cilium.ts';

export default defineTask({
  summary: 'Install CoreDNS',
  effect: 'mutate',
  needs: { cilium: cilium() },
  run: (context) => installRelease(context, 'coredns'),
});
