import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

/** The licences of the packages that these modules (absolute paths) belong to, one after the other, by name. Throws where one has none. */
export function noticesOf(modules: readonly string[]): string {
  const homes = new Set(modules.flatMap((module) => homeOf(module) ?? []));
  const texts = [...homes].map((home) => {
    const { name, version, license } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as Package;
    const file = readdirSync(home).find((entry) => /^licen[cs]e/i.test(entry));
    const text = file === undefined ? license : readFileSync(join(home, file), 'utf8').trim();
    if (text === undefined) throw new Error(`${name} says nothing of its licence`);
    return `${name} ${version}\n\n${text}\n`;
  });
  return texts.sort().join(`\n${'-'.repeat(72)}\n\n`);
}

/** The folder of the package of a library that a module belongs to. */
function homeOf(module: string): string | undefined {
  if (!module.startsWith('/') || !module.includes('/node_modules/')) return undefined;
  let home = dirname(module);
  while (!isHome(home)) home = dirname(home);
  return home;
}

/** A package may have further ones inside that only say how their files are to be read. */
function isHome(folder: string): boolean {
  const file = join(folder, 'package.json');
  return existsSync(file) && 'version' in (JSON.parse(readFileSync(file, 'utf8')) as object);
}
