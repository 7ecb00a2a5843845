import type { ResourceTemplateType } from '@modelcontextprotocol/server';
import { isReadableId } from '../../protocol/ids.ts';
import { projectPaths, taskPaths } from '../../protocol/paths.ts';

/** What of the workspace can be read as a resource. */
export const TEMPLATES: ResourceTemplateType[] = [
  template('projects/{id}/plan', 'plan', 'The plan of a project, as plan.md has it'),
  template('tasks/{id}/spec', 'spec', 'What a task asks for'),
  template('tasks/{id}/result', 'result', 'What the Worker handed in'),
];

function template(path: string, name: string, description: string): ResourceTemplateType {
  return { uriTemplate: `baton://${path}`, name, description, mimeType: 'text/markdown' };
}

/** The workspace's file that a resource names; `undefined` when it names none. */
export function pathOf(uri: string): string | undefined {
  const [, kind, encoded, part] = /^baton:\/\/(projects|tasks)\/([^/]+)\/(plan|spec|result)$/.exec(uri) ?? [];
  const id = encoded === undefined ? undefined : decoded(encoded);
  if (id === undefined || !isReadableId(id)) return undefined;
  if (kind === 'projects') return part === 'plan' ? projectPaths(id).plan : undefined;
  return part === 'plan' ? undefined : taskPaths(id)[part === 'spec' ? 'spec' : 'result'];
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
