import { defineConfig } from 'talos-tk';

export default defineConfig({});
