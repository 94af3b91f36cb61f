import { expect, test } from 'vitest';

const { asciiOnly } = (await import(new URL('../../../../lib/cli/build/ascii.js', import.meta.url).href)) as {
  asciiOnly: { generateBundle(options: object, files: Record<string, { type: string; code: string }>): void };
};

test('escaped code says the same in strings, templates, expressions and names', async () => {
  const code = "export default ['❯ – \\\\ü', `🙂${'é'}`, /^[äö]+$/.test('öä'), /^[🙂-🙄]$/u.test('🙃'), ((größe) => größe * 2)(21)];";
  const file = { type: 'chunk', code };
  asciiOnly.generateBundle({}, { file });
  expect(file.code).toMatch(/^[\0-\x7f]+$/);
  const load = async (text: string) => ((await import(`data:text/javascript,${encodeURIComponent(text)}`)) as { default: unknown }).default;
  expect(await load(file.code)).toEqual(await load(code));
  expect(await load(code)).toEqual(['❯ – \\ü', '🙂é', true, true, 42]);
});
