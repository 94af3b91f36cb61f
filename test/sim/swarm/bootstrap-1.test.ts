import { swarmOf } from '../../rig/swarm/swarm-test.ts';

swarmOf({ file: 'test/sim/swarm/bootstrap-1', first: 0 });
