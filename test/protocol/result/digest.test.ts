import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RESULT_STATUSES } from '../../../src/protocol/records/types.ts';
import { deliveryId, isEffective, resultDigest } from '../../../src/protocol/result/digest.ts';

describe('resultDigest', () => {
  test.each([
    {
      status: 'SUCCESS',
      summary: '  完成\n  API\t设计  ',
      deliverables: ['shared/tasks/st-digest/workspace/b.md', 'shared/tasks/st-digest/workspace/a.md'],
      digest: 'cb1daffd3cf60982383e60cf0a09a719abb2a2bf378471a494cebad0bf1fbec7',
    },
    {
      status: 'SUCCESS',
      summary: 'The result is ready.',
      deliverables: ['shared/tasks/continuation-project-01/result.md'],
      digest: '69ebfbd366d793c24c654496546619130c8d62e336b905b217a9e8d099f35496',
    },
  ])('agrees with the protocol on "$summary"', ({ digest, ...result }) => {
    expect(resultDigest(result)).toBe(digest);
  });

  test('ignores white space, and nothing else', () => {
    const base = { status: 'BLOCKED', summary: 'a b', deliverables: ['x', 'y'] };

    expect(resultDigest({ ...base, status: ' BLOCKED ', summary: '\u00A0a \u2003\n b\u0085' })).toBe(
      resultDigest(base),
    );
    const others = [
      { ...base, summary: 'ab' },
      { ...base, deliverables: ['y', 'x'] },
      { ...base, deliverables: ['x', 'y', 'y'] },
      { ...base, status: 'SUCCESS' },
    ];
    expect(new Set([base, ...others].map(resultDigest)).size).toBe(5);
  });

  test('any text gives 64 hex digits', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.array(fc.string()), (summary, deliverables) => {
        expect(resultDigest({ status: 'SUCCESS', summary, deliverables })).toMatch(/^[0-9a-f]{64}$/);
      }),
    );
  });
});

test('deliveryId agrees with the protocol', () => {
  expect(deliveryId('tp-01', 'st-01', 'sub-1')).toBe(
    '7eb77c008abb3d3984de39e5ca11a23ae675729bf2f04176496efc9b02f05435',
  );
});

test('only the two success tokens are effective', () => {
  expect(RESULT_STATUSES.filter(isEffective)).toEqual(['SUCCESS', 'SUCCESS_WITH_NOTES']);
});
