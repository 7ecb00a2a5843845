import { z } from 'zod';
import { ROLES } from '../protocol/records/types.ts';
import type { Role } from '../protocol/records/types.ts';
import { toolsFor } from './taskflow.ts';
import type { ActionDescription } from './taskflow.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

interface Row extends ActionDescription {
  readonly roles: readonly Role[];
}

/**
 * The tools and actions as Markdown, read from the same records that MCP and the command line offer: one heading for a
 * tool, one for an action with its roles and a table of its fields. Begins below a heading of level 2.
 */
export function renderActionReference(): string {
  const tools = new Map<string, { readonly summary: string; readonly actions: Map<string, Row> }>();
  for (const role of ROLES) {
    for (const { tool, summary, actions } of toolsFor(role)) {
      const entry = tools.get(tool) ?? { summary, actions: new Map<string, Row>() };
      tools.set(tool, entry);
      for (const action of actions) {
        const roles = entry.actions.get(action.action)?.roles ?? [];
        entry.actions.set(action.action, { ...action, roles: [...roles, role] });
      }
    }
  }
  const sections = [...tools].map(([tool, { summary, actions }]) =>
    [`### Tool \`${tool}\``, summary, ...[...actions.values()].map((row) => renderAction(tool, row))].join('\n\n'),
  );
  return `${sections.join('\n\n')}\n`;
}

function renderAction(tool: string, { action, kind, roles, summary, inputSchema }: Row): string {
  const who = roles.length === ROLES.length ? 'everybody' : roles.join(', ');
  const head = `#### \`${tool}\` \`${action}\`\n\n${summary} (${kind}; ${who})`;
  const rows = fieldRows(inputSchema);
  if (rows.length === 0) return `${head}\n\nNo fields.`;
  return [`${head}\n`, '| field | type | required | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function fieldRows(schema: z.ZodType): readonly string[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const required = new Set((json['required'] ?? []) as readonly string[]);
  return Object.entries((json['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>).map(([name, field]) => {
    const { description = '', default: fallback } = field;
    const meaning = [String(description), ...(fallback === undefined ? [] : [`default ${JSON.stringify(fallback)}`])];
    const cells = [`\`${name}\``, typeOf(field), required.has(name) ? 'yes' : '', meaning.filter(Boolean).join('; ')];
    return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`;
  });
}

/** In a reader's words; what takes several forms is described by its meaning. */
function typeOf(field: JsonSchema): string {
  if (Array.isArray(field['enum'])) return 'one of the words';
  switch (field['type']) {
    case 'string':
      return 'text';
    case 'integer':
    case 'number':
      return 'number';
    case 'boolean':
      return 'yes or no';
    case 'array':
      return 'list';
    case 'object':
      return 'object';
    default:
      return 'any';
  }
}
