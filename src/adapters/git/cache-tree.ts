/**
 * The part of an index that names the trees of its directories, so that a commit need not make them anew: for each its
 * name, how many entries it covers (-1 when it has changed), how many directories follow as its own, and its id. Returned
 * with every directory on the way to one of these paths marked as changed.
 */
export function withoutTrees(extension: Buffer, paths: readonly Buffer[], idBytes: number): Buffer {
  const changed = new Set(paths.flatMap((path) => directoriesOf(path.toString('latin1'))));
  const parts: Buffer[] = [];
  let at = 0;
  const upTo = (byte: number): string => {
    const end = extension.indexOf(byte, at);
    const text = extension.toString('latin1', at, end < 0 ? extension.length : end);
    at = end < 0 ? extension.length : end + 1;
    return text;
  };
  const directory = (above: string | undefined): void => {
    const name = upTo(0);
    const path = above === undefined ? '' : `${above}${name}/`;
    const [count = '-1', below = '0'] = upTo(0x0a).split(' ');
    const id = extension.subarray(at, Number(count) < 0 ? at : at + idBytes);
    at += id.length;
    const isChanged = changed.has(path);
    parts.push(Buffer.from(`${name}\0${isChanged ? '-1' : count} ${below}\n`, 'latin1'), isChanged ? NOTHING : id);
    for (let left = Number(below); left > 0 && at < extension.length; left -= 1) directory(path);
  };
  if (extension.length > 0) directory(undefined);
  return Buffer.concat(parts);
}

const NOTHING = Buffer.alloc(0);

/** `''`, `a/` and `a/b/` for `a/b/c`. */
function directoriesOf(path: string): string[] {
  const directories = [''];
  for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
    directories.push(path.slice(0, slash + 1));
  return directories;
}
