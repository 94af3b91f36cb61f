import { ownOutput, standardError, standardOutput } from '../../../../lib/host/index.ts';

// Says more than is written directly, in pieces, and then what it heard of a reader that has gone.
ownOutput((error) => {
  standardError.write(`heard ${error.code}\n`);
  process.exit(141);
});
for (let line = 0; line < 3000; line += 1) standardOutput.write(`line ${line} of the output – ${'x'.repeat(line % 40)}\n`);
standardError.write(`screen: ${standardOutput.isTty}, ${standardOutput.columns} columns\n`);
