import { z } from 'zod';
import { toolsFor } from '../../src/dialects/taskflow.ts';
import type { Role } from '../../src/protocol/records/types.ts';

/** One text field of one action, by its path in the payload: `['tasks', 0, 'taskId']`. */
export interface Field {
  readonly tool: string;
  readonly action: string;
  readonly path: readonly (string | number)[];
}

interface Shape {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly items?: Shape;
  readonly anyOf?: readonly Shape[];
  readonly additionalProperties?: Shape | boolean;
}

/** Every field of every action of a role that takes a text, as the catalogue's own schemas say. */
export function textFields(role: Role): readonly Field[] {
  return toolsFor(role).flatMap(({ tool, actions }) =>
    actions.flatMap(({ action, inputSchema }) => {
      const shape = z.toJSONSchema(inputSchema, { io: 'input', unrepresentable: 'any' }) as Shape;
      return pathsIn(shape, []).map((path) => ({ tool, action, path }));
    }),
  );
}

function pathsIn(shape: Shape, path: readonly (string | number)[]): readonly (readonly (string | number)[])[] {
  const below = [
    ...Object.entries(shape.properties ?? {}).flatMap(([name, inner]) => pathsIn(inner, [...path, name])),
    ...(shape.items === undefined ? [] : pathsIn(shape.items, [...path, 0])),
    ...(shape.anyOf ?? []).flatMap((inner) => pathsIn(inner, path)),
    ...(typeof shape.additionalProperties === 'object' ? pathsIn(shape.additionalProperties, [...path, 'x']) : []),
  ];
  const isText = shape.type === 'string' || (shape.type === undefined && below.length === 0);
  const all = isText && path.length > 0 ? [path, ...below] : below;
  return [...new Map(all.map((each) => [each.join('.'), each])).values()];
}

/** What the other fields of a call say, so that it comes as far as it can. */
const SOUND: Readonly<Record<string, unknown>> = {
  projectId: 'sample',
  taskId: 'sample-01',
  path: 'shared/tasks/sample-01/',
  title: 'T',
  roomId: '!r:local',
  spec: '# S',
  assignedTo: 'worker',
  reason: 'r',
  note: 'n',
  question: 'q',
  kind: 'decision',
  answer: 'a',
  target: '!r:local',
  message: 'good news for all',
  status: 'SUCCESS',
  summary: 's',
  accepted: true,
  resultStatus: 'SUCCESS',
  decision: 'continue',
  goal: 'g',
  stopCondition: 's',
  iterationTemplate: 't',
  agentId: 'worker',
  tasks: [{ taskId: 'sample-09', title: 'x', assignedTo: 'worker' }],
};

/** A sound call with one field replaced. */
export function payloadWith({ path }: Field, value: unknown): Record<string, unknown> {
  const payload = structuredClone(SOUND) as Record<string, unknown>;
  put(payload, path, value);
  return payload;
}

function put(
  into: Record<string | number, unknown>,
  [key = '', ...rest]: readonly (string | number)[],
  value: unknown,
): void {
  if (rest.length === 0) {
    into[key] = value;
    return;
  }
  const next = into[key];
  if (typeof next !== 'object' || next === null) into[key] = typeof rest[0] === 'number' ? [] : {};
  put(into[key] as Record<string | number, unknown>, rest, value);
}

/** What tries to lead to a file outside of the workspace, by its absolute path and by its name beside the workspace. */
export function waysOut(absolute: string, beside: string): readonly string[] {
  return [
    absolute,
    `../${beside}`,
    `../../../${beside}`,
    `shared/../../${beside}`,
    `shared/tasks/../../../${beside}`,
    `shared/tasks/sample-01/../../../../${beside}`,
    `shared/tasks/sample-01/workspace/../../../../../${beside}`,
    `shared//../../${beside}`,
    `shared/./../../${beside}`,
    `shared\\..\\..\\${beside.replaceAll('/', '\\')}`,
    `/shared/../${absolute}`,
    `//${absolute}`,
    `file://${absolute}`,
    `%2e%2e%2f${beside}`,
    `..%2f${beside}`,
    `..;/${beside}`,
    `....//${beside}`,
    `\u2025/${beside}`,
    `\uFF0E\uFF0E/${beside}`,
    `shared/link/${beside.split('/').at(-1) ?? ''}`,
    'shared/tasks/sample-01/workspace/out',
    'shared/tasks/sample-01/workspace/out/',
    `shared/tasks/sample-01/\0/../../../../${beside}`,
    `${absolute}\0.md`,
    `shared/tasks/x\n/../../../../${beside}`,
    '.git/config',
    'shared/../.git/hooks/post-checkout',
    'shared/.git/config',
    'shared/GIT~1/config',
    'shared/../baton.json',
    '.baton/outbox.json',
    'global-shared/../baton.json',
    '~/.ssh/id_ed25519',
    '$HOME/.netrc',
    'C:\\Windows\\win.ini',
    '\\\\host\\share\\x',
    'shared/CON',
    'shared/x.md::$DATA',
    '--output=evil',
    '--upload-pack=touch evil',
    '-oProxyCommand=touch evil',
    'ext::sh -c touch% evil',
    '$(touch evil)',
    '`touch evil`',
    '; touch evil',
    '| touch evil',
    'HEAD:../x',
    ':(top)..',
    ':/',
    'refs/heads/main',
    '@{-1}',
    '..',
    '.',
    '/',
    '',
    '__proto__',
    'constructor',
    '\uD800',
    '\u202Egnp.exe',
    `${'x/'.repeat(2500)}x`,
    'x'.repeat(70_000),
  ];
}
