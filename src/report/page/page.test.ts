import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AppError } from '../../core/error.ts';
import { type Schema, schemaProblems } from '../../core/json-schema.ts';
import { reportPage } from './page.ts';
import { parseReport } from './read.ts';
import { REPORT_SCHEMA, reportSchemaText } from './schema.ts';
import { sampleReport } from './testing.ts';
import { trendPage } from './trend.ts';

const HOSTILE = [
  '</script><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  `' onfocus='alert(1)' x='`,
  '</style></title></svg></pre><iframe src=//evil.example>',
  '<!-- x --> ]]> &#60;b>',
  'javascript:alert(1)',
  '\x1b[31m\x1b]8;;http://evil.example\x07\0\x7f',
  '\u202egnp.exe \u2066x\u200f\u2028 \ud800',
  'שלום مرحبا',
  'x'.repeat(5000),
];
const PAGES = {
  'the page of a build': (text: string) => reportPage(sampleReport(text)),
  'the page of several builds': (text: string) =>
    trendPage([
      { name: text, report: sampleReport(text) },
      { name: text, report: sampleReport('other') },
    ]),
};

/** The tags of a page, without the values of attributes that hold texts. */
function tagsOf(page: string): readonly string[] {
  return [...page.matchAll(/<[^>]*>/g)].map(([tag]) =>
    tag.replace(/(aria-label|title|content)="[^"]*"/g, '$1'),
  );
}

for (const [name, made] of Object.entries(PAGES))
  describe(name, () => {
    for (const text of HOSTILE)
      it(`has the same tags whatever it tells of: ${JSON.stringify(text.slice(0, 30))}`, () => {
        const page = made(text);
        assert.deepEqual(tagsOf(page), tagsOf(made('x')));
        assert.doesNotMatch(page, /[^\P{Cc}\n\t]|\p{Cf}|\p{Cs}|\u2028/u);
      });

    it('has no script, no handler, and nothing that is loaded', () => {
      const page = made('x');
      assert.doesNotMatch(page, /<(script|iframe|object|embed|img|base|form)\b/i);
      assert.doesNotMatch(page, /\son\w+=/i);
      assert.doesNotMatch(page, /\sstyle=/i);
      for (const [, target] of page.matchAll(/(?:href|src)="([^"]*)"/g))
        assert.match(target!, /^(#|data:,$)/);
      assert.doesNotMatch(page, /https?:|@import|url\((?!#)/);
      assert.match(page, /http-equiv="Content-Security-Policy" content="default-src &#39;none&#39;;/);
    });

    it('is well-formed, and every link leads somewhere', () => {
      const page = made('x');
      const open: string[] = [];
      for (const [tag, close, element] of page.matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*>/gi)) {
        if (tag.endsWith('/>') || /^(meta|link|br)$/i.test(element!)) continue;
        if (close === '') open.push(element!);
        else assert.equal(open.pop(), element, tag);
      }
      assert.deepEqual(open, []);
      const ids = [...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id);
      assert.equal(new Set(ids).size, ids.length, 'an id occurs twice');
      for (const [, id] of page.matchAll(/href="#([^"]*)"/g)) assert.ok(ids.includes(id), `#${id}`);
    });
  });

describe('a report as JSON', () => {
  it('is what its schema says, which asks for every field', () => {
    const report = sampleReport();
    assert.deepEqual(schemaProblems(report, REPORT_SCHEMA), []);
    assert.deepEqual(missingFields(report, REPORT_SCHEMA), []);
  });

  it('has the schema that is published', () => {
    const path = join(import.meta.dirname, '../../../docs/reference/report.schema.json');
    assert.equal(readFileSync(path, 'utf8'), reportSchemaText());
  });

  it('is read back', () => {
    assert.deepEqual(parseReport(JSON.stringify(sampleReport()), 'x.json'), sampleReport());
  });

  for (const [name, text] of [
    ['no JSON', '{'],
    ['another JSON', '{"a": 1}'],
    ['null', 'null'],
    ['another version', JSON.stringify({ ...sampleReport(), form: 2 })],
    ['a text in place of a number', JSON.stringify({ ...sampleReport(), ms: '<b>' })],
    ['a number in place of a list', JSON.stringify({ ...sampleReport(), stages: 1 })],
  ] as const)
    it(`is refused where it is ${name}`, () => {
      assert.throws(
        () => parseReport(text, 'x.json'),
        (error) => error instanceof AppError && error.code === 'USAGE' && error.message.includes('x.json'),
      );
    });
});

/** Fields of objects that a schema knows and that occur nowhere in a value. */
function missingFields(value: unknown, schema: Schema, at = '$'): readonly string[] {
  const known = new Map<string, boolean>();
  const walk = (item: unknown, of: Schema, path: string): void => {
    if (Array.isArray(item)) for (const one of item) walk(one, of.items ?? {}, `${path}[]`);
    else if (typeof item === 'object' && item !== null)
      for (const [name, below] of Object.entries(of.properties ?? {})) {
        const there = Object.hasOwn(item, name);
        known.set(`${path}.${name}`, (known.get(`${path}.${name}`) ?? false) || there);
        if (there) walk((item as Record<string, unknown>)[name], below, `${path}.${name}`);
      }
  };
  walk(value, schema, at);
  return [...known].filter(([, there]) => !there).map(([path]) => path);
}
