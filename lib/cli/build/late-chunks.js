/**
 * A plugin of the bundler: a file of the build is loaded when something of it is first asked for, and not because another file may ask.
 * No module does anything when it is imported, so that only the time of loading changes.
 *
 * What a file exports is then all there, and is given in one object; only a variable that changes later is looked up at each use.
 */
export const lateChunks = {
  name: 'late-chunks',
  generateBundle(_options, files) {
    for (const file of Object.values(files)) if (file.type === 'chunk') file.code = exportsAtOnce(importsLate(file.code));
  },
};

/** As the bundler writes an import of another file, and one of which nothing is used. */
const imports = /^const (require_[\w$]+) = require\("(\.[^"]+)"\);\n/gm;
const unused = /^require\("\.[^"]+"\);\n/gm;

/** Each module asks its helpers when it is evaluated. */
const always = /\/rolldown-runtime\.cjs$/;

function importsLate(code) {
  const late = new Map();
  const rest = code.replaceAll(unused, '').replaceAll(imports, (line, name, path) => {
    if (always.test(path)) return line;
    late.set(name, path);
    return '';
  });
  if (late.size === 0) return rest;
  const [banner] = /^.*\n/.exec(rest);
  const body = rest
    .slice(banner.length)
    .replaceAll(/(?<![\w$]|(?<!\.\.)\.)require_[\w$]+(?=\.)/g, (name) =>
      late.has(name) ? `(${name} ??= require("${late.get(name)}"))` : name,
    );
  return `${banner}var ${[...late.keys()].join(', ')};\n${body}`;
}

/** As the bundler writes exports of a file of several modules, and of one that is a door. */
const exported = [
  /^Object\.defineProperty\(exports, "([\w$]+)", \{\n\tenumerable: true,\n\tget: function\(\) \{\n\t\treturn (.+);\n\t\}\n\}\);\n/gm,
  /^exports\.([\w$]+) = (.+);\n/gm,
];

function exportsAtOnce(code) {
  const members = [];
  let rest = code;
  for (const form of exported)
    rest = rest.replaceAll(form, (_, name, value) => {
      members.push(!isFinal(code, value) ? `get ${name}() { return ${value}; }` : name === value ? name : `${name}: ${value}`);
      return '';
    });
  if (members.length === 0) return rest;
  const end = rest.lastIndexOf('\n})');
  return `${rest.slice(0, end)}\nmodule.exports = { ${members.join(', ')} };${rest.slice(end)}`;
}

/** Whether what is exported is a variable of the file, and has its value when the file has been evaluated. */
function isFinal(code, name) {
  if (!/^[\w$]+$/.test(name)) return false;
  const own = name.replaceAll('$', '\\$');
  if (new RegExp(`^(?:const|class|(?:async )?function\\*?) ${own}(?![\\w$])`, 'm').test(code)) return true;
  const written =
    code.match(new RegExp(`(?<![\\w$.])${own}(?:\\+\\+|--|\\s*(?:[-+*/%&|^?]|\\*\\*|&&|\\|\\||\\?\\?|<<|>>>?)?=(?![=>]))`, 'g')) ?? [];
  return written.length === 1 && new RegExp(`^var ${own} = `, 'm').test(code);
}
