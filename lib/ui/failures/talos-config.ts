import { allOf, count, oneOf } from '../../base/index.ts';
import type { TalosConfigFailures } from '../../talos/machine-config.ts';
import type { Printers } from './printer.ts';

const didYouMean = (suggestion: string | undefined) => (suggestion === undefined ? {} : { help: `did you mean \`${suggestion}\`?` });

/** What the node says of a CEL expression; it quotes the expression once more, which the place of the failure shows already. */
const aboutExpression = /ERROR: <input>:\d+:(\d+): (.*)\n \| [^]*$/;

export const talosConfigPrinters: Printers<TalosConfigFailures> = {
  'talos-config/bundle-reference': ({ field, scheme, path }) => ({
    title: `\`${field}\` is a reference of vals (\`${scheme}\`), not a value`,
    help: `tk reads no secret stores: resolve the file once with \`vals eval -f ${path}\`, and keep the result encrypted with SOPS`,
  }),
  'talos-config/bundle-encrypted': ({ path }) => ({
    title: `the secrets bundle \`${path}\` is encrypted`,
    help: 'give tk the age key that it is encrypted for (`SOPS_AGE_KEY_FILE`)',
  }),
  'talos-config/bundle-unknown-key': ({ key, suggestion }) => ({
    title: `\`${key}\` is not a key of a secrets bundle`,
    ...didYouMean(suggestion),
  }),
  'talos-config/bundle-field-missing': ({ field }) => ({
    title: `the secrets bundle has no \`${field}\``,
    help: 'restore the complete file; a bundle that is made anew does not fit a cluster that exists',
  }),
  'talos-config/bundle-field-invalid': ({ field, expected }) => ({ title: `\`${field}\` of the secrets bundle is not ${expected}` }),
  'talos-config/bundle-encryption-secret': ({ found }) =>
    found === 'secretbox'
      ? {
          title: 'the secrets bundle has a secret for secretbox alone, which Talos before 1.3 does not know',
          help: 'the cluster needs the `secrets.aescbcencryptionsecret` that it was made with',
        }
      : {
          title: `the secrets bundle has ${found === 'both' ? 'two encryption secrets' : 'no encryption secret'}, expected exactly one`,
          help: 'keep either `secrets.secretboxencryptionsecret` or `secrets.aescbcencryptionsecret`',
        },
  'talos-config/not-a-control-plane-config': ({ path, missing }) => ({
    title: `no secrets bundle can be derived from \`${path}\``,
    because: `it has no ${allOf(missing)}`,
    help: 'take the machine config of a control-plane node; those of workers lack the keys',
  }),
  'talos-config/not-a-mapping': ({ found }) => ({ title: `expected a YAML document with keys but found ${found}` }),
  'talos-config/missing-kind': ({ apiVersion }) => ({
    title: `a document${apiVersion === undefined ? '' : ` of \`${apiVersion}\``} has no \`kind\``,
  }),
  'talos-config/missing-api-version': ({ kind }) => ({
    title: `the document \`${kind}\` has no \`apiVersion\``,
    help: 'add `apiVersion: v1alpha1`',
  }),
  'talos-config/unknown-kind': ({ kind, apiVersion, version, since, suggestion }) => ({
    title: `Talos ${version} does not know documents of kind \`${kind}\` (\`${apiVersion}\`)`,
    ...(since === undefined ? didYouMean(suggestion) : { help: `Talos ${since} is the first that does` }),
  }),
  'talos-config/unknown-key': ({ document, path, key, suggestion, since }) => ({
    title: `\`${key}\` is not a key of \`${path === '' ? document : `${document} ${path}`}\``,
    ...(since === undefined ? didYouMean(suggestion) : { help: `Talos ${since} is the first that knows it` }),
  }),
  'talos-config/wrong-type': ({ document, path, expected, found }) => ({
    title: `\`${path}\` of \`${document}\` expected ${expected} but found ${found}`,
  }),
  'talos-config/duplicate-document': ({ document }) => ({ title: `the document \`${document}\` occurs twice` }),
  'talos-config/clashing-documents': ({ document, other, name }) => ({
    title: `the documents \`${other}\` and \`${document}\` exclude each other`,
    because: `both are about \`${name}\``,
    help: 'remove one of them',
  }),
  'talos-config/no-config': ({ path }) => ({ title: `\`${path}\` holds no machine configuration` }),
  'talos-config/conflict': ({ document, field }) => ({
    title: `\`${field}\` and the document \`${document}\` set the same thing`,
    help: `move it to the document \`${document}\`, or remove it`,
  }),
  'talos-config/invalid': ({ document, rule }) => ({
    title: `\`${document}\` is not valid`,
    because: rule.replace(aboutExpression, '$2, at character $1'),
    ...(rule.includes("'(uint, int)'") ? { help: 'a number beside a size has no sign: write `100u * GB`, with its `u`' } : {}),
  }),
  'talos-config/invalid-together': ({ rule }) => ({ title: 'the documents are not valid together', because: rule }),
  'talos-config/deprecated': ({ field, replacement }) => ({ title: `\`${field}\` is deprecated`, help: `use ${replacement} instead` }),
  'talos-config/json-patch-refused': ({ documents, equivalent, remainder }) => ({
    title: `a JSON patch cannot be applied to a machine configuration of ${count(documents, 'document')}`,
    because: 'Talos allows JSON patches only where there is a single document, which ended with 1.12',
    ...(equivalent === undefined
      ? {}
      : {
          help: `write it as a strategic merge patch:\n${equivalent}${remainder.length === 0 ? '' : `\nno strategic form exists for ${allOf(remainder.map((one) => `\`${one}\``))}`}`,
        }),
  }),
  'talos-config/json-patch-failed': ({ op, path, reason }) => ({
    title: `the JSON patch operation \`${op} ${path}\` cannot be applied`,
    because: reason,
  }),
  'talos-config/patch-delete-missing': ({ document, path, movedTo }) => ({
    title: `\`$patch: delete\` names \`${path}\` of \`${document}\`, which is not there`,
    help:
      movedTo.length === 0
        ? 'remove that part of the patch'
        : `in this version it belongs to ${oneOf(movedTo)}: delete it there, or remove that part of the patch`,
  }),
  'talos-config/patch-delete-impossible': ({ path, reason }) => ({
    title: `\`$patch: delete\` cannot delete \`${path}\``,
    because: reason,
  }),
  'talos-config/merge-mismatch': ({ document, path, left, right }) => ({
    title: `the patch sets \`${path}\` of \`${document}\` to ${right}, where ${left} stands`,
    help: 'delete the old value first with `$patch: delete`, or keep its type',
  }),
  'talos-config/patch-unreadable': ({ reason }) => ({
    title: 'the patch is neither a machine configuration nor a JSON patch',
    because: reason,
  }),
  'talos-config/unsupported-version': ({ version, oldest, newest }) => ({
    title: `Talos ${version} is outside of what tk generates configurations for`,
    help: `choose a version from ${oldest} to ${newest}`,
  }),
  'talos-config/unsupported-kubernetes': ({ talosVersion, kubernetesVersion, lowest, highest }) => ({
    title: `Talos ${talosVersion} does not run Kubernetes ${kubernetesVersion}`,
    help: `choose a version from ${lowest} to ${highest}`,
  }),
  'talos-config/template-field-missing': ({ fields }) => ({
    title: `the template asks for ${fields.length === 0 ? 'something' : fields.map((field) => `\`${field}\``).join(', ')} that the machine configuration does not have`,
    help: 'names are those of the Go structs: `.MachineConfig.MachineType`; what has moved to a document of its own is not there',
  }),
  'talos-config/template-engine-missing': ({ path }) => ({ title: `\`${path}\` holds Go templates, which nothing here can render` }),
  'talos-config/endpoint-invalid': ({ endpoint }) => ({
    title: `\`${endpoint}\` is not an endpoint of a cluster`,
    help: 'write it as `https://192.168.1.10:6443`',
  }),
  'talos-config/no-such-document': ({ document, suggestion, since }) => ({
    title: `this configuration has no document \`${document}\``,
    ...(since === undefined ? didYouMean(suggestion) : { help: `Talos ${since} is the first that knows this kind` }),
  }),
  'talos-config/no-such-field': ({ field, key, inside, found, talosMinor, suggestion, since }) => ({
    title: `Talos ${talosMinor} has no field \`${field}\``,
    ...(found === 'list'
      ? { because: `\`${inside}\` is a list, and \`${key}\` is not the number of an element` }
      : found === 'value'
        ? { because: `\`${inside}\` is a single value` }
        : inside === '' || inside === field
          ? {}
          : { because: `\`${key}\` is not a key of \`${inside}\`` }),
    ...(since === undefined
      ? found === 'list' && suggestion === undefined
        ? { help: `ask for \`${inside}[0]\`, or for the whole list` }
        : didYouMean(suggestion)
      : { help: `Talos ${since} is the first that knows it` }),
  }),
  'factory/unknown-extension': ({ extension, talosVersion, suggestion }) => ({
    title: `the image factory has no extension \`${extension}\` for Talos ${talosVersion}`,
    ...didYouMean(suggestion),
  }),
  'factory/extension-twice': ({ extension }) => ({ title: `the extension \`${extension}\` is asked for twice` }),
  'factory/unknown-overlay': ({ overlay, talosVersion, suggestion }) => ({
    title: `the image factory has no overlay \`${overlay}\` for Talos ${talosVersion}`,
    ...didYouMean(suggestion),
  }),
  'factory/bad-pair': ({ word }) => ({ title: `expected \`name=value\` but found \`${word}\`` }),
  'factory/unreachable': ({ host, reason }) => ({
    title: `the image factory \`${host}\` cannot be reached`,
    because: reason,
    help: 'ids of schematics need no factory: npx tk schematic id FILE',
  }),
  'factory/refused': ({ host, status, said }) => ({
    title: `the image factory \`${host}\` does not take the schematic`,
    because: `it answered ${status}${said.trim() === '' ? '' : `: ${said.trim()}`}`,
  }),
  'factory/different-id': ({ host, expected, found }) => ({
    title: `the image factory \`${host}\` gives the schematic another id`,
    because: `expected ${expected} but found ${found}`,
    help: 'images and upgrades would name a schematic that does not exist; please report the schematic',
  }),
  'talos-config/schematic-unknown-key': ({ path, key, suggestion }) => ({
    title: `\`${key}\` is not a key of ${path === '' ? 'a schematic' : `\`${path}\` of a schematic`}`,
    ...didYouMean(suggestion),
  }),
  'talos-config/schematic-invalid': ({ path, expected, found }) => ({
    title: `\`${path}\` of the schematic expected ${expected} but found ${found}`,
  }),
};
