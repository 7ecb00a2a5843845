import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { FlowError } from '../../../src/protocol/errors.ts';
import { keptFolder } from '../../support/folders.ts';
import { differences, expectedLater, expectedMain, expectedRefusals, isLeadersLog } from './examine.ts';
import { OTHERS_FILES, OWN_FOLDER } from './lanes-files.ts';
import { HISTORIES } from './lanes-history.ts';
import { RECORDS } from './lanes-records.ts';
import { TREES } from './lanes-trees.ts';
import { nameOf, playLanes } from './stage.ts';
import type { Outcome, Stage } from './stage.ts';
import { onlyNewer, pullAsWorker, refusalOfPull } from './worker.ts';

/**
 * The referee (quality.md S1): every lane here is made with plain git as an attacker would, and all are taken in by one
 * Leader's node in one pull. `npm run test:referee` plays all of them and opens a Worker's node for each; otherwise every
 * third of those that differ by one field or one path stands for its like, and a few Workers for all.
 */
const ALL = process.env['BATON_REFEREE'] === 'all';
const SIMPLE = [...OTHERS_FILES, ...OWN_FOLDER, ...RECORDS];
const LANES = [...SIMPLE.filter((_, index) => ALL || index % 3 === 0), ...HISTORIES, ...TREES];
const ROWS = LANES.map(({ name, as, begins, broken = false, unmergeable = false }, index) => ({
  name,
  index,
  broken,
  // Another clone has a lane of the same name, of which it knows nothing.
  apart: begins !== undefined,
  own: as === undefined && !broken && !unmergeable,
}));
const EVERY = ALL ? 1 : 20;

let stage: Stage;
const folder = keptFolder('referee');

beforeAll(async () => {
  stage = await playLanes(folder.path, LANES);
});
afterAll(async () => {
  await stage.lead.close();
  folder.remove();
});

function outcomeOf(index: number): Outcome {
  const outcome = stage.outcomes[index];
  if (outcome === undefined) throw new Error(`no lane ${index}`);
  return outcome;
}

/** The paths that bear the name of a lane's Worker. */
const isOf = (index: number): ((path: string) => boolean) => {
  const name = new RegExp(`\\b${nameOf(index)}\\b`, 'i');
  return (path) => name.test(path);
};

describe('a rogue lane', () => {
  test.each(ROWS)('$index with $name', ({ index, broken }) => {
    const outcome = outcomeOf(index);
    expect(outcome.refused).toEqual(expectedRefusals(outcome));
    const { expected, actual } = differences(expectedMain(stage), stage.mainAfter, isOf(index));
    expect(actual).toEqual(expected);
    expect({ integrated: stage.held.has(outcome.tip) }).toEqual({ integrated: !broken });
    // One line in the Leader's room for each refusal, after any number of rounds.
    expect(outcome.told).toHaveLength(outcome.refused.length);
  });
});

test('nothing of any lane reaches a path that is nobody’s lane', () => {
  const { expected, actual } = differences(
    expectedMain(stage),
    stage.mainAfter,
    (path) => !isLeadersLog(path) && !ROWS.some(({ index }) => isOf(index)(path)),
  );
  expect(actual).toEqual(expected);
});

describe('the Worker’s own next pull', () => {
  beforeAll(() => stage.workOn());

  test.each(ROWS.filter(({ own, index }) => own && index % EVERY === 0))(
    'after $name: undoes what was refused, keeps newer work, and tells it once',
    async ({ index }) => {
      const outcome = outcomeOf(index);
      const seen = await pullAsWorker(stage, outcome);
      expect(seen.differs).toBe(onlyNewer(outcome));
      expect(seen.unclean).toBe('');
      expect(seen.told).toHaveLength(outcome.refused.length);
    },
  );

  test.each(ROWS.filter(({ apart }) => apart))(
    'after $name: refuses in a clone with another lane, which it leaves as it is',
    async ({ index }) => {
      const outcome = outcomeOf(index);
      const { refusal, changed } = await refusalOfPull(stage, outcome, stage.base);
      expect(refusal).toMatchObject({ code: 'sync-failed', retryable: false });
      expect((refusal as FlowError).message).toMatch(
        `lane ${outcome.branch} on the remote holds commits this clone did not make: "newer" by a <a>`,
      );
      expect((refusal as FlowError).remedy).toMatch(`git log ${outcome.branch}..origin/${outcome.branch}`);
      expect(changed).toBe('');
    },
  );

  test('is followed by a last one of the Leader, which refuses nothing a second time', async () => {
    const { refusals } = await stage.lead.sync.pull();
    const lines = refusals.map(({ path: file, reason }) => `${file}: ${reason}`);
    expect(lines.sort()).toEqual(stage.outcomes.flatMap(expectedLater).sort());
  });

  test.each(ROWS.filter(({ apart }) => apart))(
    'after $name and the Leader’s: goes on in a clone with another lane, since main holds the strange one',
    async ({ index }) => {
      await stage.lead.sync.push();
      const outcome = outcomeOf(index);
      const seen = await pullAsWorker(stage, outcome, stage.base);
      expect(seen).toMatchObject({ differs: '', unclean: '' });
      expect(seen.told).toHaveLength(outcome.refused.length);
    },
  );
});
