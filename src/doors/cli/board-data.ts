import { isFields, numberOf, objectsOf, projectWordOf, textsOf, wordOf, type Fields } from './answer.ts';
import type { BoardLoop, BoardNode, BoardProject } from './board.ts';

/**
 * The projects of a `node.board` answer, which are the workflow records of protocol.md §16.1. What is missing or of another type is read as empty, so that the answer of a
 * node of another version can still be drawn.
 */
export function boardProjects(answer: Fields): readonly BoardProject[] {
  return objectsOf(answer['projects']).map(projectOf);
}

function projectOf(project: Fields): BoardProject {
  const edges = objectsOf(project['edges']);
  const tasks = new Map(
    objectsOf(project['tasks_detail']).map((task) => [wordOf(task['task_id']), wordOf(task['status'])]),
  );
  const loop = project['loop'];
  return {
    id: wordOf(project['project_id']),
    title: wordOf(project['title']),
    status: projectWordOf(project),
    kind: project['plan_type'] === 'loop' ? 'loop' : 'dag',
    nodes: objectsOf(project['nodes']).map((node) => nodeOf(node, edges, tasks)),
    ...(isFields(loop) ? { loop: loopOf(loop) } : {}),
    ready: textsOf(project['next']),
  };
}

function nodeOf(node: Fields, edges: readonly Fields[], tasks: ReadonlyMap<string, string>): BoardNode {
  const id = wordOf(node['id']);
  const task = tasks.get(id);
  return {
    id,
    title: wordOf(node['name']),
    status: wordOf(node['status']),
    assignee: wordOf(node['assignee']),
    dependsOn: edges.filter((edge) => edge['target'] === id).map((edge) => wordOf(edge['source'])),
    ...(task === undefined ? {} : { task }),
  };
}

function loopOf(loop: Fields): BoardLoop {
  return {
    goal: wordOf(loop['goal']),
    stopCondition: wordOf(loop['stop_condition']),
    status: wordOf(loop['status']),
    currentIteration: numberOf(loop['current_iteration']),
    maxIterations: numberOf(loop['max_iterations']),
    history: textsOf(loop['history']),
  };
}
