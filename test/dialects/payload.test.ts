import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { normalisePayload } from '../../src/dialects/payload.ts';
import type { PayloadRules } from '../../src/dialects/payload.ts';
import { FlowError } from '../../src/protocol/errors.ts';

const schema = z.object({
  projectId: z.string().min(1),
  title: z.string().optional(),
  maxIterations: z.number().int().optional(),
  reliability: z.number().gt(0).max(1).optional(),
  notify: z.boolean().default(true),
  deliverables: z.array(z.string({ error: 'deliverable path must be a non-empty string' })).optional(),
  tasks: z.unknown().optional(),
  replyRoute: z.record(z.string(), z.unknown()).optional(),
  kind: z.enum(['approval', 'other']).default('other'),
  reason: z.string().optional(),
});

function refusal(payload: unknown, rules?: PayloadRules): string {
  try {
    normalisePayload(schema, { payload }, rules);
  } catch (thrown) {
    if (thrown instanceof FlowError) return `${thrown.code}: ${thrown.message}`;
    throw thrown;
  }
  return 'accepted';
}

describe('the payload as a whole', () => {
  test('an object, its JSON text and flat arguments mean the same', () => {
    const expected = { projectId: 'p-1', title: 'T' };
    expect(normalisePayload(schema, { payload: expected })).toEqual(expected);
    expect(normalisePayload(schema, { payload: JSON.stringify(expected) })).toEqual(expected);
    expect(normalisePayload(schema, { flat: expected })).toEqual(expected);
  });

  test('flat arguments fill only what the payload lacks', () => {
    expect(
      normalisePayload(schema, { payload: { project_id: 'p-1' }, flat: { projectId: 'p-2', title: 'T' } }),
    ).toEqual({
      projectId: 'p-1',
      title: 'T',
    });
  });

  test('text that is no JSON, and JSON that is no object, are refused', () => {
    expect(refusal('{"projectId":')).toMatch(/^invalid-argument: payload must be a JSON object: ./);
    expect(refusal('[1]')).toBe('invalid-argument: payload must be an object');
    expect(refusal([1])).toBe('invalid-argument: payload must be an object');
    expect(refusal(7)).toBe('invalid-argument: payload must be an object');
  });

  test('text that is no JSON stands for the named field where an action allows it', () => {
    const files = z.object({ path: z.string().min(1) });
    expect(normalisePayload(files, { payload: 'shared/tasks/st-01' }, { text: 'path' })).toEqual({
      path: 'shared/tasks/st-01',
    });
  });

  test('unknown keys are ignored, also those of the prototype', () => {
    const payload = JSON.parse('{"projectId":"p","worker":"w","__proto__":{"title":"evil"}}') as unknown;
    expect(normalisePayload(schema, { payload })).toEqual({ projectId: 'p' });
  });
});

describe('names', () => {
  test('camelCase, snake_case and named aliases are one field, the own name first', () => {
    const rules = { aliases: { reason: ['cancelReason'] } };
    expect(normalisePayload(schema, { payload: { project_id: 'p', cancel_reason: 'r' } }, rules)).toEqual({
      projectId: 'p',
      reason: 'r',
    });
    expect(normalisePayload(schema, { payload: { projectId: 'p', cancelReason: 'a', reason: 'b' } }, rules)).toEqual({
      projectId: 'p',
      reason: 'b',
    });
  });

  test('a null counts as absent', () => {
    expect(normalisePayload(schema, { payload: { projectId: null, project_id: 'p', title: null } })).toEqual({
      projectId: 'p',
    });
  });
});

describe('values', () => {
  test('texts are trimmed, and a blank optional text counts as absent', () => {
    expect(normalisePayload(schema, { payload: { projectId: ' p ', title: '  ' } })).toEqual({ projectId: 'p' });
  });

  test('a blank that its schema refuses is refused even where the field is optional', () => {
    const optional = z.object({ projectId: z.string().min(1).optional() });
    expect(() => normalisePayload(optional, { payload: { projectId: ' ' } })).toThrow('payload.projectId is required');
  });

  test('integers may be digits in a text, but no fractions, words or booleans', () => {
    expect(normalisePayload(schema, { payload: { projectId: 'p', max_iterations: ' 3 ' } })).toEqual({
      projectId: 'p',
      maxIterations: 3,
    });
    for (const wrong of [true, 1.5, 'three', '1e3', [], {}]) {
      expect(refusal({ projectId: 'p', maxIterations: wrong })).toBe(
        'invalid-argument: payload.maxIterations must be an integer',
      );
    }
  });

  test.each([
    [true, true],
    [1, true],
    ['Yes', true],
    ['y', true],
    ['accepted', true],
    [false, false],
    [0, false],
    ['no', false],
    ['N', false],
    ['rejected', false],
  ])('%j reads as the boolean %j', (word, expected) => {
    expect(normalisePayload(schema, { payload: { projectId: 'p', notify: word } })).toEqual({
      projectId: 'p',
      notify: expected,
    });
  });

  test('other words are no booleans', () => {
    expect(refusal({ projectId: 'p', notify: 'maybe' })).toBe('invalid-argument: payload.notify must be a boolean');
  });

  test('a number that is out of its range is refused by its name', () => {
    expect(refusal({ projectId: 'p', reliability: 0 })).toBe(
      'invalid-argument: payload.reliability must be more than 0',
    );
    for (const value of [0.88, '0.88', ' .88 '])
      expect(normalisePayload(schema, { payload: { projectId: 'p', reliability: value } })).toMatchObject({
        reliability: 0.88,
      });
    expect(refusal({ projectId: 'p', reliability: 'high' })).toBe(
      'invalid-argument: payload.reliability must be a number',
    );
    expect(refusal({ projectId: 'p', reliability: 2 })).toBe('invalid-argument: payload.reliability must be at most 1');
  });

  test('lists may be JSON text; their texts are left as they are', () => {
    expect(normalisePayload(schema, { payload: { projectId: 'p', deliverables: '[" a", "b"]' } })).toEqual({
      projectId: 'p',
      deliverables: [' a', 'b'],
    });
    expect(refusal({ projectId: 'p', deliverables: 'a, b' })).toBe(
      'invalid-argument: payload.deliverables must be a list',
    );
    expect(refusal({ projectId: 'p', deliverables: { a: 1 } })).toBe(
      'invalid-argument: payload.deliverables must be a list',
    );
    expect(refusal({ projectId: 'p', deliverables: [1] })).toBe(
      'invalid-argument: deliverable path must be a non-empty string',
    );
  });

  test('objects may be JSON text', () => {
    expect(normalisePayload(schema, { payload: { projectId: 'p', reply_route: '{"channel":"matrix"}' } })).toEqual({
      projectId: 'p',
      replyRoute: { channel: 'matrix' },
    });
    expect(refusal({ projectId: 'p', replyRoute: 'matrix' })).toBe(
      'invalid-argument: payload.replyRoute must be an object',
    );
  });
});

describe('phrases', () => {
  test('a required text that is missing, blank or no text is required', () => {
    for (const wrong of [undefined, null, '', '   ', 7, true, ['p']]) {
      expect(refusal({ projectId: wrong })).toBe('invalid-argument: payload.projectId is required');
    }
  });

  test('an optional text of another type must be a string', () => {
    expect(refusal({ projectId: 'p', title: 7 })).toBe('invalid-argument: payload.title must be a string');
  });

  test('a word outside its set names the set', () => {
    expect(refusal({ projectId: 'p', kind: 'urgent' })).toBe(
      'invalid-argument: payload.kind must be one of: approval, other',
    );
  });

  test('the first field of the schema that does not fit is named', () => {
    expect(refusal({ title: 7 })).toBe('invalid-argument: payload.projectId is required');
  });

  test('fields that upstream names alone are named alone', () => {
    expect(refusal({}, { bare: ['projectId'] })).toBe('invalid-argument: projectId is required');
  });

  test("a schema's own words stand before the common phrase", () => {
    const own = z.object({ note: z.string({ error: 'note is required' }).min(1, { error: 'note is required' }) });
    expect(() => normalisePayload(own, { payload: { note: ' ' } })).toThrow('note is required');
    expect(() => normalisePayload(own, {})).toThrow('note is required');
  });
});

test('whatever is given, the answer is fields of the schema or a refusal', () => {
  fc.assert(
    fc.property(fc.anything(), fc.anything(), (payload, projectId) => {
      for (const source of [{ payload }, { payload: { projectId, title: payload } }]) {
        try {
          const fields = normalisePayload(schema, source);
          expect(schema.safeParse(fields).success).toBe(true);
        } catch (thrown) {
          if (!(thrown instanceof FlowError)) throw thrown;
          expect(thrown.code).toBe('invalid-argument');
        }
      }
    }),
  );
});
