import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Which files a person's own git has in a sparse work tree (git-sparse-checkout(1), not in cone mode). */
const patternFile = (gitDir: string): string => join(gitDir, 'info/sparse-checkout');

/** Everything but the folders of tasks and archived work; those that are shown follow. */
const BASE = ['/*', '!/shared/tasks/*/', '!/shared/archive/*/*/*/'];

/** Begins the list of a sparse work tree with these folders. */
export function writeSparsePatterns(gitDir: string, folders: readonly string[]): void {
  mkdirSync(dirname(patternFile(gitDir)), { recursive: true });
  writeFileSync(patternFile(gitDir), linesOf([...BASE, ...folders.map(patternOf)]));
}

/** Adds folders to the list, where there is one. */
export function revealFolders(gitDir: string, folders: readonly string[]): void {
  if (existsSync(patternFile(gitDir))) appendFileSync(patternFile(gitDir), linesOf(folders.map(patternOf)));
}

const patternOf = (folder: string): string => `/${folder}`;
const linesOf = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('');
