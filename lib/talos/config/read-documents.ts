import { type Failure, hasCode, type SourceFile } from '../../base/index.ts';
import { type DataDocument, parseYaml, parseYamlBulk } from '../../format/index.ts';

/** Somebody asked where a value stands, or how it was written, of a text that was read without positions. */
class NeedsPlaces extends Error {}

/**
 * Reads a text without positions, which is several times faster, and again with them as soon as `use` asks for one. So `use` may run
 * twice and must not keep anything from its first run.
 */
export function readDocuments<T>(
  file: SourceFile,
  confidential: boolean,
  use: (documents: readonly DataDocument[], failures: readonly Failure[]) => T,
): T {
  const quick = readQuickly(file);
  if (quick) {
    try {
      return use(quick, []);
    } catch (error) {
      if (!(error instanceof NeedsPlaces)) throw error;
    }
  }
  const { documents, failures } = parseYaml(file, { version: 'go', confidential });
  return use(documents, failures);
}

function readQuickly(file: SourceFile): DataDocument[] | undefined {
  // Anchors, merge keys and directives are left to the reader that knows all of YAML.
  if (/(?:^|[\s[{,:])[&*!<][^\s]|^%/m.test(file.text) || file.text.startsWith('\uFEFF')) return undefined;
  try {
    return parseYamlBulk(file.text, { path: file.path, version: 'go' }).map((value) => withoutPlaces(file, value));
  } catch (error) {
    if (hasCode(error, 'format/syntax')) return undefined;
    throw error;
  }
}

function withoutPlaces(file: SourceFile, value: unknown): DataDocument {
  const unknown = (): never => {
    throw new NeedsPlaces();
  };
  return {
    file,
    get source(): never {
      return unknown();
    },
    value,
    has: unknown,
    spanOf: unknown,
    scalarAt: unknown,
  };
}
