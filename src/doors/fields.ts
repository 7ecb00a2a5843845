import { z } from 'zod';

/** One field of an action's payload as the command line offers it. */
export interface Field {
  readonly name: string;
  readonly flag: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'texts' | 'json';
  readonly required: boolean;
  readonly description: string;
  readonly choices?: readonly string[];
}

type JsonSchema = Readonly<Record<string, unknown>>;

/**
 * The flags of an action, read from the schema of its operation: `projectId` becomes `--project-id`, a list of texts
 * may be given several times, everything deeper takes JSON.
 */
export function fieldsOf(schema: z.ZodType): readonly Field[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  const required = Array.isArray(json['required']) ? (json['required'] as readonly unknown[]) : [];
  const properties = (json['properties'] ?? {}) as Readonly<Record<string, JsonSchema>>;
  return Object.entries(properties).map(([name, property]) => {
    const variants = variantsOf(property);
    const choices = choicesOf(variants);
    return {
      name,
      flag: `--${kebab(name)}`,
      kind: kindOf(variants),
      required: required.includes(name),
      description: typeof property['description'] === 'string' ? property['description'] : '',
      ...(choices === undefined ? {} : { choices }),
    };
  });
}

/** A field that accepts several spellings is offered by the plainest of them. */
function variantsOf(property: JsonSchema): readonly JsonSchema[] {
  const several = property['anyOf'] ?? property['oneOf'];
  return Array.isArray(several) ? (several as readonly JsonSchema[]).flatMap(variantsOf) : [property];
}

function kindOf(variants: readonly JsonSchema[]): Field['kind'] {
  const types = variants.map((variant) => variant['type']);
  if (types.includes('boolean')) return 'boolean';
  if (types.includes('integer') || types.includes('number')) return 'number';
  const list = variants.find((variant) => variant['type'] === 'array');
  if (list !== undefined) {
    const items = (list['items'] ?? {}) as JsonSchema;
    return variantsOf(items).some((item) => item['type'] === 'object') ? 'json' : 'texts';
  }
  if (types.includes('string') || variants.some((variant) => 'enum' in variant || 'const' in variant)) return 'text';
  return types.includes('object') ? 'json' : 'text';
}

function choicesOf(variants: readonly JsonSchema[]): readonly string[] | undefined {
  const listed = variants.find((variant) => Array.isArray(variant['enum']));
  const values = listed === undefined ? [] : (listed['enum'] as readonly unknown[]);
  return values.length > 0 && values.every((value) => typeof value === 'string') ? values : undefined;
}

function kebab(name: string): string {
  return name.replace(/_/g, '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
