import { swarmOf } from '../../rig/swarm/swarm-test.ts';

swarmOf({ file: 'test/sim/swarm/bootstrap-2', first: 500 });
