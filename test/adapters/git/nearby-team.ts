import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createGit } from '../../../src/adapters/git/git.ts';
import { initRepository } from '../../../src/adapters/git/setup.ts';
import type { Git, TreeEdit } from '../../../src/ports-git.ts';
import { testFolder } from '../../support/folders.ts';
import { git as plain } from '../../support/git.ts';

const AUTHOR = { name: 'Pat', email: 'pat@local' };
export const WANTED = ['main', 'lanes/*'];

export interface Clone {
  readonly dir: string;
  readonly git: Git;
  /** Git processes that were started for the remote. */
  talks(): number;
  /** What git was asked of objects, a command each; only of a clone that was told to note it. */
  asked(): readonly string[];
  /** What was logged, as `message {fields}`. */
  readonly logged: readonly string[];
}

/** A bare repository by its path, and clones of it. */
export interface Ground {
  readonly folder: string;
  readonly remote: string;
  readonly makeClone: (name: string, options?: { readonly notesQuestions?: boolean }) => Promise<Clone>;
  /** Two clones that have both seen the same first commit of main and of a lane. */
  readonly makeTeam: () => Promise<{ readonly lead: Clone; readonly ana: Clone; readonly first: string }>;
}

export function newGround(): Ground {
  const folder = testFolder('nearby');
  const remote = join(folder, 'team.git');
  plain('/', 'init', '-q', '--bare', '--initial-branch=main', remote);

  /** Its git notes when it is asked to fetch or to push. */
  async function makeClone(name: string, { notesQuestions = false } = {}): Promise<Clone> {
    const [dir, bin, notes] = [join(folder, name), join(folder, `${name}.bin`), join(folder, `${name}.notes`)];
    await initRepository(dir, 'main');
    mkdirSync(bin);
    mkdirSync(notes);
    const questions = join(folder, `${name}.questions`);
    const cases = [
      `*" fetch "*|*" push "*) mktemp ${notes}/XXXXXX > /dev/null;;`,
      ...(notesQuestions ? [`*" cat-file "*) tee -a ${questions} | git "$@"; exit;;`] : []),
    ];
    const script = `PATH=${process.env['PATH']}\ncase " $* " in ${cases.join(' ')} esac\nexec git "$@"\n`;
    writeFileSync(join(bin, 'git'), `#!/bin/sh\n${script}`, { mode: 0o755 });
    const logged: string[] = [];
    const log = { info: (fields: object, message: string) => logged.push(`${message} ${JSON.stringify(fields)}`) };
    const git = await createGit({ dir, env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` }, log });
    return {
      dir,
      git,
      talks: () => readdirSync(notes).length,
      asked: () => (existsSync(questions) ? readFileSync(questions, 'utf8').split('\n') : []),
      logged,
    };
  }

  async function makeTeam(): ReturnType<Ground['makeTeam']> {
    const [lead, ana] = [await makeClone('lead'), await makeClone('ana')];
    const first = await commit(lead, [], write('a/b', 'one\n'), write('c', 'two\n'));
    expect(await lead.git.push(remote, 'main', first)).toEqual({ kind: 'ok' });
    expect(await lead.git.push(remote, 'lanes/ana', first)).toEqual({ kind: 'ok' });
    for (const { git } of [lead, ana]) expect(await git.fetch(remote, WANTED)).toMatchObject({ kind: 'ok' });
    return { lead, ana, first };
  }
  return { folder, remote, makeClone, makeTeam };
}

export const write = (path: string, content: string | Uint8Array): TreeEdit => ({
  path,
  kind: 'content',
  mode: '100644',
  content: Buffer.from(content),
});

export const commit = ({ git }: Clone, parents: readonly string[], ...edits: TreeEdit[]): Promise<string> =>
  git.commit({ parents, edits, message: 'm\n', author: AUTHOR, at: 1_700_000_000 });
