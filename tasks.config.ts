import { defineConfig } from 'talos-tk';

// This checkout is its own first user: cluster.yaml and nodes.yaml describe the reference cluster.
export default defineConfig({});
