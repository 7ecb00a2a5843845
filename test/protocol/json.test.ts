import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJson, positionOfKey, renderJson, sameJson } from '../../src/protocol/json.ts';
import { findJsonFault } from '../../src/protocol/json-scan.ts';

const FILE = 'shared/x/meta.json';

function place(text: string): readonly [string, number, number, string | undefined] | undefined {
  const parsed = parseJson(text, FILE);
  if ('value' in parsed) return undefined;
  const { rule, line, column, expected } = parsed.diagnostic;
  return [rule, line, column, expected];
}

describe('reading JSON', () => {
  test('a byte order mark and CRLF are tolerated', () => {
    expect(parseJson('\uFEFF{\r\n  "a": 1\r\n}\r\n', FILE)).toEqual({ value: { a: 1 } });
  });

  test('what is wrong is said with file, line and column', () => {
    expect(parseJson('{\n  "a": 1,\n  b: 2\n}', FILE)).toEqual({
      diagnostic: {
        rule: 'json-invalid',
        severity: 'error',
        message: `invalid JSON in ${FILE}`,
        file: FILE,
        line: 3,
        column: 3,
        expected: 'a key in double quotes',
      },
    });
  });

  test.each([
    ['', ['json-invalid', 1, 1, 'a value']],
    ['\uFEFF', ['json-invalid', 1, 2, 'a value']],
    ['{"a":1', ['json-invalid', 1, 7, '"," or "}"']],
    ['{"a":[1', ['json-invalid', 1, 8, '"," or "]"']],
    ['{"a" 1}', ['json-invalid', 1, 6, '":"']],
    ['{"a":1,}', ['json-invalid', 1, 8, 'a key in double quotes']],
    ['{"a":tru}', ['json-invalid', 1, 6, 'a value']],
    ['{"a":01}', ['json-invalid', 1, 7, '"," or "}"']],
    ['{"a":1} x', ['json-invalid', 1, 9, 'nothing after the last brace']],
    ['{"a":"b', ['json-invalid', 1, 8, 'a closing quote']],
    ['{"a":"b\nc"}', ['json-invalid', 1, 8, 'an escape for the control character']],
    ['{"a":"\\x"}', ['json-invalid', 1, 7, 'an escape such as \\n or \\u0041']],
    ['{\n<<<<<<< HEAD\n"a":1}', ['conflict-markers', 2, 1, 'one side of the conflict, without its markers']],
    ['[1]', ['json-invalid', 1, 1, 'an object']],
    ['null', ['json-invalid', 1, 1, 'an object']],
    [`{"a":${'['.repeat(101)}${']'.repeat(101)}}`, ['json-invalid', 1, 1, 'at most 100 levels']],
  ])('%j is refused at its place', (text, wanted) => {
    expect(place(text)).toEqual(wanted);
  });

  test('a hundred thousand open brackets are a diagnostic like any other', () => {
    expect(place(`{"a":${'['.repeat(100_000)}`)).toEqual(['json-invalid', 1, 100_006, 'a value']);
  });

  test('keys that mean something to the runtime are data', () => {
    const parsed = parseJson('{"__proto__":{"polluted":1},"constructor":2}', FILE);
    expect('value' in parsed && Object.entries(parsed.value)).toEqual([
      ['__proto__', { polluted: 1 }],
      ['constructor', 2],
    ]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('a fault is found exactly where JSON.parse finds one', () => {
    const mangled = fc
      .tuple(
        fc.json({ maxDepth: 4 }),
        fc.nat(),
        fc.constantFrom('', '"', ',', '}', '\\', '\n', 'x', '[', '\u0001', '0'),
        fc.nat(3),
      )
      .map(([text, at, piece, drop]) => {
        const offset = at % (text.length + 1);
        return text.slice(0, offset) + piece + text.slice(offset + drop);
      });
    fc.assert(
      fc.property(mangled, (text) => {
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        expect(findJsonFault(text) === undefined).toBe(valid);
      }),
      { numRuns: 2_000 },
    );
  });

  test('no text at all makes it throw', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const parsed = parseJson(text, FILE);
        expect('value' in parsed || parsed.diagnostic.line >= 1).toBe(true);
      }),
    );
  });
});

describe('the place of a key', () => {
  const text = '\uFEFF{\n  "a": { "status": [1, {"status": 2}] },\n  "status": 3\n}';

  test.each([
    [['status'], { line: 3, column: 3 }],
    [['a', 'status'], { line: 2, column: 10 }],
    [['a', 'status', 1, 'status'], { line: 2, column: 25 }],
    [['a', 'status', 0], { line: 2, column: 21 }],
    [['a', 'missing'], { line: 2, column: 3 }],
    [['missing'], { line: 1, column: 1 }],
  ])('%j is found by path, or else what would hold it', (path, wanted) => {
    expect(positionOfKey(text, path)).toEqual(wanted);
  });

  test('is that of the last one when it is there twice, as it is read', () => {
    expect(positionOfKey('{"a":1,\n"a":2}', ['a'])).toEqual({ line: 2, column: 1 });
  });
});

describe('writing JSON', () => {
  test('is two spaces, line feeds, a final newline, letters as they are, and no empty keys', () => {
    expect(renderJson({ b: 'Größe 完成', a: null, c: undefined, d: [1, null], e: { f: null } })).toBe(
      '{\n  "b": "Größe 完成",\n  "d": [\n    1,\n    null\n  ],\n  "e": {\n    "f": null\n  }\n}\n',
    );
  });

  test('what is written is read back', () => {
    const value = fc.dictionary(
      fc.string(),
      fc.jsonValue({ maxDepth: 3 }).filter((item) => item !== null),
    );
    fc.assert(
      fc.property(value, (record) => {
        const stored: Record<string, unknown> = JSON.parse(JSON.stringify(record));
        const parsed = parseJson(renderJson(stored), FILE);
        expect('value' in parsed && sameJson(parsed.value, stored)).toBe(true);
      }),
    );
  });
});

describe('a key that stands twice', () => {
  const parse = (text: string): unknown => {
    const parsed = parseJson(text, FILE);
    return 'value' in parsed ? 'read' : [parsed.diagnostic.rule, parsed.diagnostic.line, parsed.diagnostic.column];
  };

  test('is told at the second, as a merge of lines leaves it', () => {
    expect(parse('{\n  "a": 1,\n  "b": {},\n  "a": 2\n}\n')).toEqual(['json-repeated-key', 4, 3]);
    expect(parse('\uFEFF{\r\n  "a": 1,\r\n  "a": 2\r\n}')).toEqual(['json-repeated-key', 3, 3]);
  });

  test('is none that stands in another object', () => {
    expect(parse('{\n  "a": {\n  "x": 1 },\n  "b": {\n  "x": 2 }\n}')).toBe('read');
    expect(parse('{\n  "a": [\n  "x",\n  "x"\n  ]\n}')).toBe('read');
  });
});

describe('JSON values', () => {
  test.each([
    [{ a: 1, b: [1, { c: 2 }] }, { b: [1, { c: 2 }], a: 1 }, true],
    [[1, 2], [2, 1], false],
    [[], {}, false],
    [null, {}, false],
    [{ a: 1 }, { a: 1, b: 1 }, false],
    [{ a: undefined }, { b: undefined }, false],
    ['1', 1, false],
  ])('%j and %j: the same is %j', (a, b, same) => {
    expect(sameJson(a, b)).toBe(same);
  });
});
