/** Until the first stage runs end to end, say so and fail. */
export async function main(): Promise<never> {
  process.stderr.write('tk cannot run a task yet: the task engine, the simulated cluster and the stages of `bootstrap` are missing\n');
  process.exit(1);
}
