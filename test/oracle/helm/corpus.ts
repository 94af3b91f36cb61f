/** One chart of our own and how it is rendered. `files` are below the chart's folder; Chart.yaml is made when it is not among them. */
export interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, string>>;
  readonly values?: string;
  readonly release?: { readonly name: string; readonly namespace: string };
  readonly kubeVersion?: string;
  readonly apiVersions?: readonly string[];
  readonly includeCrds?: boolean;
  readonly isUpgrade?: boolean;
}

const chartYaml = (name: string, more = '') => `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n${more}`;
const configMap = (data: string, name = 'a') => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n${data}`;
/** One expression a line, each in its own key. */
const lines = (...expressions: string[]) => configMap(expressions.map((text, index) => `  k${index}: {{ toJson (${text}) }}\n`).join(''));

const only = (
  name: string,
  template: string,
  more: Partial<Case> & { readonly extra?: Readonly<Record<string, string>>; readonly chart?: string } = {},
): Case => {
  const { extra = {}, chart = '', ...rest } = more;
  return { name, files: { 'Chart.yaml': chartYaml(name, chart), 'templates/a.yaml': template, ...extra }, ...rest };
};

const sub = (parent: string, child: string, files: Readonly<Record<string, string>>, more = '') =>
  Object.fromEntries([
    [`charts/${child}/Chart.yaml`, chartYaml(child, more)],
    ...Object.entries(files).map(([path, text]) => [`charts/${child}/${path}`, text]),
  ]);

const functions: readonly Case[] = [
  only(
    'strings',
    lines(
      '"a b" | title',
      '"ABC" | lower',
      'trimAll "-" "--x--"',
      'trunc 3 "abcdef"',
      'trunc -2 "abcdef"',
      '"a-b_c" | camelcase',
      '"aBc" | snakecase',
      '"a b" | nospace',
      '"hello" | repeat 2',
      'substr 1 3 "hello"',
      'abbrev 5 "hello world"',
      '"x" | quote',
      '"x" | squote',
      'cat "a" "b" 1',
      'wrap 5 "a b c d e f"',
      'plural "one" "many" 2',
      'initials "First Try"',
      'swapcase "aB"',
      'untitle "Ab Cd"',
      'contains "b" "abc"',
      'hasPrefix "a" "abc"',
      'replace "a" "b" "aaa"',
      'indent 2 "x\\ny"',
      'nindent 2 "x"',
      'kebabcase "aB"',
    ),
  ),
  only(
    'numbers',
    lines(
      'add 1 2 3',
      'sub 5 2',
      'mul 2 3 4',
      'div 7 2',
      'mod 7 3',
      'max 1 5 3',
      'min 4 2',
      'floor 1.9',
      'ceil 1.1',
      'round 1.2345 2',
      'addf 1.5 2.25',
      'mulf 1.1 3',
      'add1 4',
      'int "12"',
      'int64 "9007199254740993"',
      'float64 "1.5"',
      'toDecimal "0777"',
      'atoi "7"',
      'until 3',
      'untilStep 0 10 3',
      'seq 3',
      'len (list 1 2 3)',
      'biggest 1 9 2',
    ),
  ),
  only(
    'numbers-of-values',
    configMap(
      '  a: {{ .Values.big | quote }}\n  b: {{ .Values.big | int64 | quote }}\n  c: {{ .Values.fraction }}\n  d: {{ .Values.octal }}\n  e: {{ .Values.sci }}\n  f: {{ .Values.port }}\n  g: {{ .Values.hex }}\n  h: {{ .Values.neg }}\n  i: {{ .Values.list | toJson }}\n',
    ),
    { values: 'big: 12345678901\nfraction: 0.30\noctal: 0755\nsci: 1e6\nport: 8080\nhex: 0x1F\nneg: -3\nlist: [1, 2.5, 1000000, 0400]\n' },
  ),
  only(
    'booleans-of-values',
    configMap(
      '  a: {{ .Values.a }}\n  b: {{ .Values.b | quote }}\n  c: {{ kindOf .Values.c }}\n  d: {{ kindOf .Values.d }}\n  e: {{ .Values.e | toString }}\n',
    ),
    { values: 'a: yes\nb: off\nc: "true"\nd: ~\ne: on\n' },
  ),
  only(
    'lists',
    lines(
      'list 1 2 | toJson',
      'first (list 1 2)',
      'rest (list 1 2 3) | toJson',
      'last (list 1 2)',
      'initial (list 1 2 3) | toJson',
      'append (list 1) 2 | toJson',
      'prepend (list 1) 0 | toJson',
      'concat (list 1) (list 2) | toJson',
      'reverse (list 1 2) | toJson',
      'uniq (list 1 1 2) | toJson',
      'without (list 1 2 3) 2 | toJson',
      'has 2 (list 1 2)',
      'compact (list "" "a") | toJson',
      'slice (list 1 2 3 4) 1 3 | toJson',
      'chunk 2 (list 1 2 3) | toJson',
      'sortAlpha (list "b" "a") | join ","',
      'splitList "." "a.b" | toJson',
      'index (list 5 6) 1',
    ),
  ),
  only(
    'dicts',
    lines(
      'dict "a" 1 | toJson',
      'get (dict "a" 1) "a"',
      'hasKey (dict "a" 1) "b"',
      'pluck "a" (dict "a" 1) (dict "a" 2) | toJson',
      'keys (dict "b" 1 "a" 2) | sortAlpha | toJson',
      'values (dict "a" 1) | toJson',
      'pick (dict "a" 1 "b" 2) "a" | toJson',
      'omit (dict "a" 1 "b" 2) "a" | toJson',
      'merge (dict "a" 1) (dict "a" 2 "b" 3) | toJson',
      'mergeOverwrite (dict "a" 1) (dict "a" 2) | toJson',
      'dig "a" "b" "none" (dict "a" (dict "b" "x"))',
      'dig "a" "c" "none" (dict "a" (dict "b" "x"))',
      'deepCopy (dict "a" (list 1)) | toJson',
      'set (dict "a" 1) "b" 2 | toJson',
      'unset (dict "a" 1 "b" 2) "a" | toJson',
    ),
  ),
  only(
    'encoding',
    lines(
      '"a" | b64enc',
      '"YQ==" | b64dec',
      '"a" | b32enc',
      '"x" | sha256sum',
      '"x" | sha1sum',
      '"x" | adler32sum',
      '"a b&c" | urlquery',
      'toJson (dict "a" "<b>")',
      'toPrettyJson (dict "a" (list 1 2))',
      'toRawJson (dict "a" "<b>")',
      'fromJson "{\\"a\\":1}" | toJson',
      'fromJson "{" | toJson',
      'fromJsonArray "[1,2]" | toJson',
      'toYaml (dict "b" 1 "a" (list "x" "0x1" "yes" "1e3" "" "null"))',
      'fromYaml "a: [1, 2]" | toJson',
      'fromYaml "a: [" | toJson',
      'fromYamlArray "- a" | toJson',
      'toToml (dict "a" (dict "b" 1))',
      'fromToml "a = 1" | toJson',
      'urlParse "https://u:p@h:1/p?q=1#f" | toJson',
    ),
  ),
  only(
    'regular-expressions',
    lines(
      'regexMatch "^a+$" "aaa"',
      'regexFind "[0-9]+" "ab12c34"',
      'regexFindAll "[0-9]" "a1b2" -1 | toJson',
      'regexReplaceAll "a(x*)b" "-ab-axxb-" "${1}W"',
      'regexReplaceAllLiteral "a(x*)b" "-axxb-" "${1}"',
      'regexSplit "z+" "pizzaz" -1 | toJson',
      'regexQuoteMeta "1.2"',
      'mustRegexMatch "x" "x"',
    ),
  ),
  only(
    'flow',
    lines(
      'ternary "a" "b" true',
      'default "d" ""',
      'default "d" 0',
      'coalesce "" nil 0 "x"',
      'empty (list)',
      'all 1 "" ',
      'any "" 1',
      'and 1 0 2',
      'or 0 "" "z"',
      'not true',
      'eq 1 1 2',
      'ne "a" "b"',
      'lt 1 2',
      'ge 2 2',
      'kindIs "map" (dict)',
      'typeOf 1.5',
      'typeIs "string" "a"',
      'kindOf nil',
      'deepEqual (list 1) (list 1)',
    ),
  ),
  only(
    'versions',
    lines(
      'semverCompare ">=1.2.0" "1.3.0"',
      'semverCompare "~1.2" "1.2.9"',
      'semverCompare "^1.2.3-0" "1.3.0-rc.1"',
      'semverCompare ">= 1.19-0" .Capabilities.KubeVersion.GitVersion',
      '(semver "1.2.3-a+b").Prerelease',
      'semver "v1.2" | toString',
    ),
  ),
  only(
    'paths-and-time',
    lines(
      'base "a/b.c"',
      'dir "a/b"',
      'ext "a.tgz"',
      'clean "a/../b"',
      'isAbs "/a"',
      'osBase "/x/y"',
      'date "2006" (toDate "2006-01-02" "2024-05-06")',
      'dateModify "24h" (toDate "2006-01-02" "2024-05-06") | date "2006-01-02"',
      'duration 90',
      'durationRound "2h10m5s"',
      'unixEpoch (toDate "2006-01-02" "2024-05-06")',
      'htmlDate (toDate "2006-01-02" "2024-05-06")',
    ),
  ),
  only(
    'passwords',
    lines(
      'derivePassword 1 "long" "secret" "user" "example.com"',
      'len (randAlphaNum 12)',
      'len (randBytes 8 | b64dec)',
      'len (uuidv4)',
      'htpasswd "u" "p" | hasPrefix "u:"',
      'genPrivateKey "ecdsa" | hasPrefix "-----BEGIN EC PRIVATE KEY"',
      '(genCAWithKey "x" 1 (genPrivateKey "ecdsa")).Cert | hasPrefix "-----BEGIN CERT"',
    ),
  ),
  only(
    'no-environment',
    lines('getHostByName "localhost"', 'lookup "v1" "Secret" "a" "b" | toJson', '(lookup "v1" "Namespace" "" "").items | default "none"'),
  ),
  only('no-env-function', lines('env "HOME"')),
];

const structure: readonly Case[] = [
  only('plain', configMap('  a: b\n')),
  only(
    'release-facts',
    lines(
      '.Release.Name',
      '.Release.Namespace',
      '.Release.Service',
      '.Release.Revision',
      '.Release.IsInstall',
      '.Release.IsUpgrade',
      '.Chart.Name',
      '.Chart.Version',
      '.Chart.AppVersion',
      '.Chart.Type',
      '.Chart.IsRoot',
      '.Template.Name',
      '.Template.BasePath',
      '.Chart.Annotations | toJson',
      '.Chart.Keywords | toJson',
      '.Chart.Maintainers | toJson',
    ),
    {
      chart: 'appVersion: "2.0"\nkeywords: [x]\nannotations: { a: b }\nmaintainers: [{ name: n, email: e }]\n',
      release: { name: 'rel', namespace: 'ns' },
    },
  ),
  only('an-upgrade', lines('.Release.IsInstall', '.Release.IsUpgrade'), { isUpgrade: true }),
  only(
    'capabilities',
    lines(
      '.Capabilities.KubeVersion.Version',
      '.Capabilities.KubeVersion.Major',
      '.Capabilities.KubeVersion.Minor',
      '.Capabilities.KubeVersion',
      '.Capabilities.HelmVersion.Version',
      '.Capabilities.APIVersions.Has "apps/v1"',
      '.Capabilities.APIVersions.Has "monitoring.coreos.com/v1"',
      '.Capabilities.APIVersions.Has "x/v1/Y"',
      '.Capabilities.APIVersions | toJson',
    ),
    { kubeVersion: '1.33.4-gke.12', apiVersions: ['monitoring.coreos.com/v1', 'x/v1/Y'] },
  ),
  only('default-capabilities', lines('.Capabilities | toJson')),
  only(
    'named-templates',
    `${configMap('  a: {{ include "n.x" . | quote }}\n  b: {{ template "n.y" "v" }}\n  c: {{ include "n.z" (dict "root" . "k" 1) }}\n')}`,
    {
      extra: {
        'templates/_h.tpl':
          '{{- define "n.x" -}}x {{ .Release.Name }}{{- end -}}\n{{- define "n.y" -}}y{{ . }}{{- end -}}\n{{ define "n.z" }}{{ .root.Chart.Name }}{{ .k }}{{ end }}',
      },
    },
  ),
  only('the-last-definition-wins', configMap('  a: {{ include "same" . }}\n'), {
    extra: {
      'templates/_a.tpl': '{{ define "same" }}a{{ end }}',
      'templates/_z.tpl': '{{ define "same" }}z{{ end }}',
      'templates/deep/_m.tpl': '{{ define "same" }}deep{{ end }}',
    },
  }),
  only('blocks', configMap('  a: {{ block "b" . }}default{{ end }}\n')),
  only(
    'tpl',
    configMap(
      '  a: {{ tpl .Values.t . }}\n  b: {{ tpl "{{ include \\"n\\" . }}" . }}\n  c: {{ tpl (toYaml .Values.m) . | nindent 4 }}\n  d: {{ tpl "{{ define \\"inner\\" }}i{{ end }}{{ include \\"inner\\" . }}" . }}\n  e: "{{ tpl "{{ .Values.missing }}" . }}"\n',
    ),
    {
      values: 't: "{{ .Release.Name }}-x"\nm: { k: "{{ .Chart.Name }}" }\n',
      extra: { 'templates/_n.tpl': '{{ define "n" }}{{ .Release.Namespace }}{{ end }}' },
    },
  ),
  only(
    'ranges',
    configMap(
      '{{- range $i, $v := .Values.list }}\n  k{{ $i }}: {{ $v.name }}{{ if $v.x }} x{{ else }} -{{ end }}\n{{- end }}\n{{- range $k, $v := .Values.map }}\n  {{ $k }}: {{ $v | quote }}\n{{- else }}\n  none: y\n{{- end }}\n{{- range 2 }}\n  n{{ . }}: z\n{{- end }}\n{{- range .Values.none }}x{{ else }}\n  empty: z\n{{- end }}\n{{- range .Values.list }}{{ if eq .name "b" }}{{ break }}{{ end }}\n  b-{{ .name }}: q\n{{- end }}\n',
    ),
    { values: 'list: [{ name: a, x: 1 }, { name: b }]\nmap: { z: 1, a: 2 }\n' },
  ),
  only(
    'with-and-variables',
    configMap(
      '{{- with .Values.a }}\n  a: {{ .b }}\n  r: {{ $.Release.Name }}\n{{- end }}\n{{- $x := "1" }}{{ if true }}{{ $x = "2" }}{{ end }}\n  x: {{ $x | quote }}\n{{- with .Values.none }}{{ else with .Values.a }}\n  e: {{ .b }}\n{{- end }}\n',
    ),
    { values: 'a: { b: c }\n' },
  ),
  only(
    'white-space',
    '{{- /* comment */ -}}\n\n\n---\n# a comment\n' +
      configMap('  a: b\n') +
      '\n\n---\n\n---\n' +
      configMap('  c: {{- " d" -}}  \n', 'b') +
      '---\n# only a comment\n',
  ),
  only(
    'glued-separators',
    '---apiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n--- \napiVersion: v1\nkind: ConfigMap\nmetadata: { name: b }\n---   # c\nkind: ConfigMap\napiVersion: v1\nmetadata: { name: c }\n',
  ),
  only('windows-lines', configMap('  a: |\n    x\n    y\n').replaceAll('\n', '\r\n')),
  only('unicode', configMap('  a: "äöü {{ .Values.name }} 日本"\n  b: {{ .Values.name | upper }}\n  c: {{ len .Values.name }}\n'), {
    values: 'name: grün 🚀\n',
  }),
  { name: 'nothing', files: { 'Chart.yaml': chartYaml('nothing'), 'values.yaml': '' } },
  only('nothing-rendered', '{{ if .Values.on }}\nkind: X\n{{ end }}\n'),
  only(
    'lists-of-objects',
    'apiVersion: v1\nkind: List\nitems:\n  - { apiVersion: v1, kind: ConfigMap, metadata: { name: a } }\n  - { apiVersion: v1, kind: Secret, metadata: { name: b } }\n',
  ),
  only(
    'order-of-kinds',
    [
      'Service',
      'Deployment',
      'Namespace',
      'CustomResourceDefinition',
      'Widget',
      'ClusterRole',
      'Ingress',
      'Secret',
      'ConfigMap',
      'ServiceAccount',
      'Job',
      'APIService',
      'NetworkPolicy',
      'PriorityClass',
      'PodDisruptionBudget',
      'StorageClass',
      'RoleBinding',
      'MutatingWebhookConfiguration',
      'Another',
    ]
      .map((kind) => `apiVersion: x/v1\nkind: ${kind}\nmetadata: { name: ${kind.toLowerCase()} }\n`)
      .join('---\n'),
  ),
  only(
    'files',
    configMap(
      '  a: {{ .Files.Get "conf/a.txt" | quote }}\n  lines: {{ .Files.Lines "conf/b.txt" | toJson }}\n  none: {{ .Files.Get "nope" | quote }}\n{{ (.Files.Glob "conf/*").AsConfig | indent 2 }}\n  bytes: {{ .Files.GetBytes "conf/a.txt" | toString | quote }}\n{{- range $path, $_ := .Files.Glob "**.txt" }}\n  {{ base $path }}: {{ $.Files.Get $path | sha256sum }}\n{{- end }}\n',
    ) + '---\napiVersion: v1\nkind: Secret\nmetadata: { name: s }\ndata:\n{{ (.Files.Glob "conf/*").AsSecrets | indent 2 }}\n',
    { extra: { 'conf/a.txt': 'hello\n', 'conf/b.txt': 'one\ntwo\n', 'README.md': 'x' } },
  ),
  only(
    'ignored-files',
    configMap(
      '  a: {{ .Files.Get "secret.txt" | quote }}\n  b: {{ .Files.Get "kept.txt" | quote }}\n  c: {{ .Files.Get "dir/x.txt" | quote }}\n',
    ),
    {
      extra: {
        '.helmignore': '# c\nsecret*\n\n/dir/\n',
        'secret.txt': 's',
        'kept.txt': 'k',
        'dir/x.txt': 'x',
        'templates/.hidden.yaml': 'kind: Hidden',
      },
    },
  ),
  only('text-files-in-templates', configMap('  a: b\n'), {
    extra: {
      'templates/b.txt': 'apiVersion: v1\nkind: ConfigMap\nmetadata: { name: t }\n',
      'templates/NOTES.txt': 'Thanks {{ .Release.Name }}',
    },
  }),
  only('hooks', configMap('  a: b\n'), {
    extra: {
      'templates/h.yaml': ['pre-install', 'post-install,post-upgrade', 'test', 'pre-delete', 'test-success', 'unknown-hook']
        .map(
          (event, index) =>
            `apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: j${index}\n  annotations:\n    helm.sh/hook: ${event}\n    helm.sh/hook-weight: "${5 - index}"\n    helm.sh/hook-delete-policy: hook-succeeded,before-hook-creation\n`,
        )
        .join('---\n'),
    },
  }),
  only('crds-left-out', configMap('  a: b\n'), {
    extra: { 'crds/a.yaml': 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: as.x }\n' },
  }),
  only('crds-included', configMap('  a: b\n'), {
    includeCrds: true,
    extra: {
      'crds/a.yaml':
        '# {{ not a template }}\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: as.x }\n---\napiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: bs.x }\n',
      'crds/readme.md': 'x',
    },
  }),
  only('default-values', configMap('  a: {{ .Values | toJson }}\n'), {
    extra: { 'values.yaml': 'a: { b: 1, c: [1, 2] }\nd: null\ne: x\n' },
    values: 'a: { c: [3] }\ne: null\nf: 1\n',
  }),
  only('values-in-documents', configMap('  a: {{ .Values | toJson }}\n'), {
    extra: { 'values.yaml': 'a: 1\nb: { c: 1 }\n---\nb: { d: 2 }\n' },
  }),
  only('null-removes', configMap('  a: {{ .Values | toJson }}\n'), {
    extra: { 'values.yaml': 'probe:\n  http: { path: / }\n  delay: 1\nkeep: null\n' },
    values: 'probe:\n  http: null\n  exec: { command: [x] }\nnew: null\n',
  }),
  only('set-in-templates', configMap('  a: {{ $_ := set .Values "x" 1 }}{{ .Values | toJson }}\n'), {
    extra: { 'templates/b.yaml': configMap('  a: {{ .Values | toJson }}\n', 'b') },
  }),
  only('anchors', configMap('  a: {{ .Values | toJson }}\n'), {
    extra: { 'values.yaml': 'base: &b { x: 1, y: 2 }\nder:\n  <<: *b\n  y: 3\nref: *b\n' },
  }),
];

const trees: readonly Case[] = [
  {
    name: 'subchart',
    files: {
      'Chart.yaml': chartYaml('subchart'),
      'values.yaml': 'global: { g: parent }\nchild: { a: from-parent }\n',
      'templates/a.yaml': configMap(
        '  a: {{ .Values | toJson }}\n  s: {{ .Subcharts.child.Values | toJson }}\n  n: {{ .Subcharts.child.Chart.Name }}\n',
      ),
      ...sub('subchart', 'child', {
        'values.yaml': 'a: own\nb: own\nglobal: { g: child, h: child }\n',
        'templates/c.yaml': configMap(
          '  v: {{ .Values | toJson }}\n  r: {{ .Chart.IsRoot }}\n  f: {{ .Files.Get "x.txt" | quote }}\n',
          'c',
        ),
        'x.txt': 'of the child',
      }),
    },
  },
  {
    name: 'nested',
    files: {
      'Chart.yaml': chartYaml('nested'),
      'values.yaml': 'one: { two: { v: top } }\nglobal: { a: 1 }\n',
      'templates/a.yaml': configMap('  a: {{ .Values.one | toJson }}\n'),
      ...sub('nested', 'one', {
        'templates/o.yaml': configMap('  v: {{ .Values | toJson }}\n', 'one'),
        'values.yaml': 'two: { v: mid, w: mid }\n',
        'charts/two/Chart.yaml': chartYaml('two'),
        'charts/two/values.yaml': 'v: low\nw: low\nx: low\n',
        'charts/two/templates/t.yaml': configMap('  v: {{ .Values | toJson }}\n  t: {{ .Template.Name }}\n', 'two'),
      }),
    },
  },
  {
    name: 'aliases',
    files: {
      'Chart.yaml': chartYaml(
        'aliases',
        'dependencies:\n  - { name: child, version: 0.1.0, repository: "", alias: first }\n  - { name: child, version: 0.1.0, repository: "", alias: second }\n',
      ),
      'values.yaml': 'first: { a: 1 }\nsecond: { a: 2 }\n',
      ...sub('aliases', 'child', {
        'values.yaml': 'a: 0\n',
        'templates/c.yaml': configMap('  a: {{ .Values.a | quote }}\n  n: {{ .Chart.Name }}\n', '{{ .Chart.Name }}'),
      }),
    },
  },
  ...['true', 'false'].map(
    (on): Case => ({
      name: `condition-${on}`,
      files: {
        'Chart.yaml': chartYaml(
          'condition',
          'dependencies:\n  - { name: child, version: "*", repository: "", condition: "child.enabled,global.child" }\n',
        ),
        'values.yaml': 'child: { enabled: true }\n',
        ...sub('condition', 'child', { 'templates/c.yaml': configMap('  a: b\n', 'c') }),
      },
      values: `child: { enabled: ${on} }\n`,
    }),
  ),
  {
    name: 'condition-by-global',
    files: {
      'Chart.yaml': chartYaml(
        'cond',
        'dependencies:\n  - { name: child, version: "*", repository: "", condition: "child.enabled,global.child" }\n',
      ),
      ...sub('cond', 'child', { 'templates/c.yaml': configMap('  a: b\n', 'c') }),
    },
    values: 'global: { child: false }\n',
  },
  {
    name: 'tags',
    files: {
      'Chart.yaml': chartYaml(
        'tags',
        'dependencies:\n  - { name: one, version: "*", repository: "", tags: [front] }\n  - { name: two, version: "*", repository: "", tags: [back, front] }\n',
      ),
      'values.yaml': 'tags: { front: false, back: true }\n',
      ...sub('tags', 'one', { 'templates/c.yaml': configMap('  a: b\n', 'one') }),
      ...sub('tags', 'two', { 'templates/c.yaml': configMap('  a: b\n', 'two') }),
    },
  },
  {
    name: 'import-values',
    files: {
      'Chart.yaml': chartYaml(
        'imports',
        'dependencies:\n  - name: child\n    version: "*"\n    repository: ""\n    import-values:\n      - data\n      - { child: inner.deep, parent: got }\n',
      ),
      'values.yaml': 'got: { own: 1 }\n',
      'templates/a.yaml': configMap('  a: {{ .Values | toJson }}\n'),
      ...sub('imports', 'child', { 'values.yaml': 'exports: { data: { imported: yes-it-is } }\ninner: { deep: { x: 1, y: [1] } }\n' }),
    },
  },
  {
    name: 'globals',
    files: {
      'Chart.yaml': chartYaml('globals'),
      'templates/a.yaml': configMap('  a: {{ .Values | toJson }}\n'),
      ...sub('globals', 'child', {
        'values.yaml': 'global: { a: { y: 2 }, only: child }\n',
        'templates/c.yaml': configMap('  a: {{ .Values.global | toJson }}\n', 'c'),
      }),
    },
    values: 'global: { a: { x: 1 } }\nchild: { global: { a: { z: 3 } } }\n',
  },
  {
    name: 'null-in-subchart',
    files: {
      'Chart.yaml': chartYaml('nulls'),
      'values.yaml': 'child: { a: null, b: { c: null } }\n',
      ...sub('nulls', 'child', {
        'values.yaml': 'a: 1\nb: { c: 1, d: 2 }\ne: 5\n',
        'templates/c.yaml': configMap('  a: {{ .Values | toJson }}\n', 'c'),
      }),
    },
    values: 'child: { e: null }\n',
  },
  {
    name: 'null-for-a-whole-subchart',
    files: {
      'Chart.yaml': chartYaml('nullsub'),
      ...sub('nullsub', 'child', { 'values.yaml': 'a: 1\n', 'templates/c.yaml': configMap('  a: {{ .Values | toJson }}\n', 'c') }),
    },
    values: 'child: null\n',
  },
  {
    name: 'library',
    files: {
      'Chart.yaml': chartYaml('uses-library', 'dependencies: [{ name: lib, version: "*", repository: "" }]\n'),
      'templates/a.yaml': '{{ include "lib.map" (dict "root" . "name" "made") }}',
      ...sub(
        'library',
        'lib',
        {
          'templates/_map.tpl':
            '{{- define "lib.map" -}}\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: {{ .name }}, labels: { r: {{ .root.Release.Name }} } }\n{{- end -}}',
          'templates/never.yaml': 'kind: Never',
        },
        'type: library\n',
      ),
    },
  },
  { name: 'library-alone', files: { 'Chart.yaml': chartYaml('lib', 'type: library\n'), 'templates/_a.tpl': '' } },
  {
    name: 'subchart-notes-and-hooks',
    files: {
      'Chart.yaml': chartYaml('both'),
      'templates/NOTES.txt': 'top',
      ...sub('both', 'child', {
        'templates/NOTES.txt': 'sub',
        'templates/h.yaml': 'apiVersion: v1\nkind: Pod\nmetadata:\n  name: h\n  annotations: { helm.sh/hook: post-install }\n',
        'crds/c.yaml': 'apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: { name: c.x }\n',
      }),
    },
    includeCrds: true,
  },
  {
    name: 'old-requirements',
    files: {
      'Chart.yaml': 'apiVersion: v1\nname: old\nversion: 1.0.0\n',
      'requirements.yaml': 'dependencies:\n  - { name: child, version: "*", repository: "", condition: child.on }\n',
      'values.yaml': 'child: { on: false }\n',
      'templates/a.yaml': configMap('  a: b\n'),
      ...sub('old', 'child', { 'templates/c.yaml': configMap('  a: b\n', 'c') }),
    },
  },
  {
    name: 'table-over-value',
    files: {
      'Chart.yaml': chartYaml('clash'),
      'values.yaml': 'a: { b: 1 }\nc: 1\n',
      'templates/a.yaml': configMap('  a: {{ .Values | toJson }}\n'),
      ...sub('clash', 'child', { 'values.yaml': 'x: { y: 1 }\n', 'templates/c.yaml': configMap('  a: {{ .Values | toJson }}\n', 'c') }),
    },
    values: 'a: text\nc: { d: 1 }\nchild: { x: flat }\n',
  },
  {
    name: 'missing-dependency',
    files: { 'Chart.yaml': chartYaml('lacking', 'dependencies: [{ name: gone, version: "*", repository: "https://charts.example" }]\n') },
  },
  {
    name: 'dependency-of-another-version',
    files: {
      'Chart.yaml': chartYaml('mismatch', 'dependencies: [{ name: child, version: ">=2", repository: "" }]\n'),
      ...sub('mismatch', 'child', { 'templates/c.yaml': configMap('  a: b\n', 'c') }),
    },
  },
];

const schema = (properties: object, more: object = {}) =>
  JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', type: 'object', properties, ...more });

const failing: readonly Case[] = [
  only('schema-holds', configMap('  a: {{ .Values.n }}\n'), {
    extra: { 'values.yaml': 'n: 1\n', 'values.schema.json': schema({ n: { type: 'integer', minimum: 1 } }) },
  }),
  only('schema-fails', configMap('  a: b\n'), {
    extra: {
      'values.yaml': 'n: 1\n',
      'values.schema.json': schema(
        {
          n: { type: 'integer', minimum: 1 },
          s: { enum: ['a', 'b'] },
          o: { type: 'object', additionalProperties: false, properties: { p: { type: 'string', pattern: '^x' } } },
          l: { type: 'array', items: { type: 'string' } },
        },
        { required: ['z'] },
      ),
    },
    values: 'n: 0\ns: c\no: { q: 1, p: y }\nl: [a, 1]\n',
  }),
  only('schema-alternatives-fail', configMap('  a: b\n'), {
    extra: {
      'values.schema.json': schema({
        v: { anyOf: [{ type: 'string' }, { type: 'object', required: ['k'] }] },
        w: { oneOf: [{ const: 1 }, { const: 2 }] },
      }),
    },
    values: 'v: 1\nw: 3\n',
  }),
  {
    name: 'schema-of-a-subchart-fails',
    files: {
      'Chart.yaml': chartYaml('parent'),
      'values.schema.json': schema({ own: { type: 'string' } }),
      ...sub('parent', 'child', { 'values.schema.json': schema({ a: { type: 'boolean' } }) }),
    },
    values: 'own: 1\nchild: { a: "yes" }\n',
  },
  only('schema-with-definitions', configMap('  a: b\n'), {
    extra: { 'values.schema.json': schema({ p: { $ref: '#/$defs/port' } }, { $defs: { port: { type: 'integer', maximum: 65535 } } }) },
    values: 'p: 70000\n',
  }),
  only('required-missing', configMap('  a: {{ required "a name is needed" .Values.name }}\n')),
  only('fails-on-purpose', configMap('  a: {{ if .Values.bad }}{{ fail "bad must not be set" }}{{ end }}\n'), { values: 'bad: true\n' }),
  only('fails-in-an-include', configMap('  a: {{ include "x.y" . }}\n'), {
    extra: {
      'templates/_x.tpl':
        '{{ define "x.y" }}\n{{ include "x.z" . }}\n{{ end }}\n{{ define "x.z" }}\n{{ fail (printf "no %s" .Release.Name) }}{{ end }}',
    },
  }),
  only('nil-pointer', configMap('  a: {{ .Values.a.b.c }}\n'), { values: 'a: {}\n' }),
  only('nil-pointer-in-an-include', configMap('  a: {{ include "x" . }}\n'), {
    extra: { 'templates/_x.tpl': '{{ define "x" -}}\n{{ .Values.a.b.c }}\n{{- end }}' },
  }),
  only('wrong-type', configMap('  a: {{ add "x" (list) | upper }}\n')),
  only('unknown-function', configMap('  a: {{ nope 1 }}\n')),
  only('unclosed-action', configMap('  a: {{ .Values.x \n')),
  only('unclosed-block', configMap('  a: {{ if true }}x\n')),
  only('unknown-template', configMap('  a: {{ include "not.there" . }}\n')),
  only('tpl-fails', configMap('  a: {{ tpl "{{ .Values.x.y.z }}" . }}\n')),
  only('tpl-cannot-be-parsed', configMap('  a: {{ tpl "{{ nope" . }}\n')),
  only('endless-include', configMap('  a: {{ include "loop" . }}\n'), {
    extra: { 'templates/_l.tpl': '{{ define "loop" }}{{ include "loop" . }}{{ end }}' },
  }),
  only('index-out-of-range', configMap('  a: {{ index .Values.l 3 }}\n'), { values: 'l: [1]\n' }),
  only('comparing-different-types', configMap('  a: {{ if eq .Values.n "1" }}x{{ end }}\n'), { values: 'n: 1\n' }),
  only('renders-to-broken-yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n   bad: indent\n'),
  only('renders-a-tab', 'apiVersion: v1\nkind: ConfigMap\ndata:\n\ta: b\n'),
  only('needs-a-newer-kubernetes', configMap('  a: b\n'), { chart: 'kubeVersion: ">=1.40.0-0"\n' }),
  only('an-old-kubernetes', configMap('  a: b\n'), { chart: 'kubeVersion: ">=1.30.0"\n', kubeVersion: '1.29.3' }),
  only('kubernetes-with-a-suffix', configMap('  a: b\n'), { chart: 'kubeVersion: ">=1.30.0"\n', kubeVersion: 'v1.33.4-eks-1' }),
  { name: 'no-name', files: { 'Chart.yaml': 'apiVersion: v2\nversion: 1.0.0\n' } },
  { name: 'no-version', files: { 'Chart.yaml': 'apiVersion: v2\nname: x\n' } },
  { name: 'bad-chart-yaml', files: { 'Chart.yaml': 'apiVersion: v2\nname: [\n' } },
  { name: 'bad-values-yaml', files: { 'Chart.yaml': chartYaml('badvalues'), 'values.yaml': 'a: [\n' } },
  only('bad-given-values', configMap('  a: b\n'), { values: '- a\n- b\n' }),
  only('a-bad-release-name', configMap('  a: b\n'), { release: { name: 'Not_Valid', namespace: 'ns' } }),
  only('mustache-in-json-schema', configMap('  a: b\n'), { extra: { 'values.schema.json': '{ not json' } }),
];

const likeReal: readonly Case[] = [
  {
    name: 'a-web-app',
    files: {
      'Chart.yaml': chartYaml('web', 'appVersion: 1.2.3\n'),
      'values.yaml':
        'replicaCount: 1\nimage: { repository: nginx, tag: "", pullPolicy: IfNotPresent }\nserviceAccount: { create: true, annotations: {} }\nservice: { type: ClusterIP, port: 80 }\ningress: { enabled: false, hosts: [] }\nresources: {}\nnodeSelector: {}\ntolerations: []\nautoscaling: { enabled: false }\n',
      'templates/_helpers.tpl':
        '{{- define "web.fullname" -}}\n{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}{{- else }}{{- $n := default .Chart.Name .Values.nameOverride }}{{- if contains $n .Release.Name }}{{ .Release.Name | trunc 63 }}{{- else }}{{ printf "%s-%s" .Release.Name $n | trunc 63 | trimSuffix "-" }}{{- end }}{{- end }}\n{{- end }}\n{{- define "web.labels" -}}\nhelm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}\n{{ include "web.selector" . }}\n{{- if .Chart.AppVersion }}\napp.kubernetes.io/version: {{ .Chart.AppVersion | quote }}\n{{- end }}\napp.kubernetes.io/managed-by: {{ .Release.Service }}\n{{- end }}\n{{- define "web.selector" -}}\napp.kubernetes.io/name: {{ .Chart.Name }}\napp.kubernetes.io/instance: {{ .Release.Name }}\n{{- end }}\n',
      'templates/deployment.yaml':
        'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ include "web.fullname" . }}\n  labels:\n    {{- include "web.labels" . | nindent 4 }}\n  annotations:\n    checksum/config: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum }}\nspec:\n  {{- if not .Values.autoscaling.enabled }}\n  replicas: {{ .Values.replicaCount }}\n  {{- end }}\n  selector:\n    matchLabels:\n      {{- include "web.selector" . | nindent 6 }}\n  template:\n    metadata:\n      labels:\n        {{- include "web.selector" . | nindent 8 }}\n    spec:\n      containers:\n        - name: {{ .Chart.Name }}\n          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"\n          {{- with .Values.resources }}\n          resources:\n            {{- toYaml . | nindent 12 }}\n          {{- end }}\n      {{- with .Values.tolerations }}\n      tolerations:\n        {{- toYaml . | nindent 8 }}\n      {{- end }}\n',
      'templates/configmap.yaml': configMap('  a: {{ .Values.replicaCount | quote }}\n', '{{ include "web.fullname" . }}'),
      'templates/service.yaml':
        'apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ include "web.fullname" . }}\nspec:\n  type: {{ .Values.service.type }}\n  ports:\n    - port: {{ .Values.service.port }}\n',
      'templates/ingress.yaml':
        '{{- if .Values.ingress.enabled -}}\n{{- $full := include "web.fullname" . -}}\napiVersion: {{ if .Capabilities.APIVersions.Has "networking.k8s.io/v1" }}networking.k8s.io/v1{{ else }}extensions/v1beta1{{ end }}\nkind: Ingress\nmetadata:\n  name: {{ $full }}\nspec:\n  rules:\n    {{- range .Values.ingress.hosts }}\n    - host: {{ .host | quote }}\n      http:\n        paths:\n          {{- range .paths }}\n          - path: {{ . }}\n            backend: { service: { name: {{ $full }}, port: { number: {{ $.Values.service.port }} } } }\n          {{- end }}\n    {{- end }}\n{{- end }}\n',
      'templates/tests/test.yaml':
        'apiVersion: v1\nkind: Pod\nmetadata:\n  name: "{{ include "web.fullname" . }}-test"\n  annotations:\n    "helm.sh/hook": test\n',
    },
    values:
      'replicaCount: 3\ningress: { enabled: true, hosts: [{ host: a.example, paths: [/, /b] }] }\nresources: { limits: { cpu: 100m, memory: 128Mi }, requests: { cpu: 0.5 } }\ntolerations: [{ key: x, operator: Exists, effect: NoSchedule }]\n',
  },
  only(
    'octal-modes',
    'apiVersion: v1\nkind: Pod\nmetadata: { name: a }\nspec:\n  volumes:\n    - { name: v, configMap: { name: c, defaultMode: 0400 } }\n    - { name: w, secret: { secretName: s, defaultMode: {{ .Values.mode }} } }\n',
    { values: 'mode: 0640\n' },
  ),
  only(
    'multi-line-values',
    configMap('  conf: |\n    {{- .Values.conf | nindent 4 }}\n  y: {{ toYaml .Values.y | nindent 4 }}\n  q: {{ .Values.conf | quote }}\n'),
    {
      values:
        'conf: |\n  line one\n  line "two"\n    indented\ny:\n  long: "a very long line that is wrapped by some writers of yaml but not by the one that helm uses, at least not at eighty columns"\n  multi: "a\\nb\\n"\n  star: "*"\n  num: "012"\n  empty: ""\n  tilde: "~"\n  colon: "a: b"\n',
    },
  ),
  only('an-application-of-many-parts', configMap('  all: {{ .Values | toYaml | sha256sum }}\n'), {
    extra: Object.fromEntries(
      Array.from({ length: 20 }, (_, index) => [
        `templates/p${index}.yaml`,
        `{{- range $i := until ${(index % 3) + 1} }}\n---\napiVersion: v1\nkind: ${index % 2 === 0 ? 'Service' : 'Secret'}\nmetadata:\n  name: p${index}-{{ $i }}\n  labels: {{ dict "i" (toString $i) "r" $.Release.Name | toJson }}\n{{- end }}\n`,
      ]),
    ),
  }),
];

export const corpus: readonly Case[] = [...functions, ...structure, ...trees, ...failing, ...likeReal];
