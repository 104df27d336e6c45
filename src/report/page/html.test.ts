import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { escapeText, foreign, html } from './html.ts';

const CASES: readonly (readonly [name: string, text: string, escaped: string])[] = [
  ['an end of a script', '</script><script>x', '&#60;/script&#62;&#60;script&#62;x'],
  ['quotes', `"'\``, '&#34;&#39;&#96;'],
  ['a reference', '&lt;', '&#38;lt;'],
  ['ESC, bell and DEL', 'a\x1b[31m\x07\x7f', 'a\ufffd[31m\ufffd\ufffd'],
  ['NUL', 'a\0b', 'a\ufffdb'],
  ['marks that turn text round', 'a\u202eb\u2066c\u200f', 'a\ufffdb\ufffdc\ufffd'],
  ['half of a pair', 'a\ud800b', 'a\ufffdb'],
  ['separators of lines', 'a\u2028b', 'a\ufffdb'],
  ['ends of lines', 'a\r\nb\rc\n\td', 'a\nb\nc\n\td'],
];
for (const [name, text, escaped] of CASES)
  test(`${name} is text on a page`, () => assert.equal(escapeText(text), escaped));

test('no text leaves the place in a template that it is put into', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const page = html`<p title="${text}">${foreign(text)}${[html`${text}`]}</p>`.html;
      const [, title, first, second] =
        /^<p title="([^"<>]*)"><bdi>([^<>"]*)<\/bdi>([^<>"]*)<\/p>$/.exec(page) ?? [];
      assert.ok(title !== undefined && title === first && first === second, page);
      assert.doesNotMatch(page, /[^\P{Cc}\n\t]|\p{Cf}|\p{Cs}/u);
    }),
  );
});
