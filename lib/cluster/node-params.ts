import { z } from 'zod';

/** `IP=`, `NODE=` and `HOSTNAME=`, to be spread into the params of a task that is about one node. */
export const nodeParams = {
  ip: z.string().optional().describe('the node with this address'),
  node: z.string().optional().describe('the node with this name'),
  hostname: z.string().optional().describe('the node with this host name'),
};
