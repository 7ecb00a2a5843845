import { isFields, numberOf, objectsOf, textsOf, wordOf, type Fields } from './answer.ts';
import type { BoardLoop, BoardNode, BoardProject } from './board.ts';

/**
 * The projects of a `node.board` answer. What is missing or of another type is read as empty, so that the answer of a
 * node of another version can still be drawn.
 */
export function boardProjects(answer: Fields): readonly BoardProject[] {
  return objectsOf(answer['projects']).map(projectOf);
}

function projectOf(project: Fields): BoardProject {
  const nodes = objectsOf(project['nodes']);
  const loop = project['loop'];
  return {
    id: wordOf(project['project_id']),
    title: wordOf(project['title']),
    status: wordOf(project['status']),
    kind: project['planType'] === 'loop' ? 'loop' : 'dag',
    nodes: nodes.map(nodeOf),
    ...(isFields(loop) ? { loop: loopOf(loop) } : {}),
    ready: nodes.filter((node) => node['ready'] === true).map((node) => wordOf(node['task_id'])),
  };
}

function nodeOf(node: Fields): BoardNode {
  return {
    id: wordOf(node['task_id']),
    title: wordOf(node['title']),
    status: wordOf(node['status']),
    assignee: wordOf(node['assigned_to']),
    dependsOn: textsOf(node['depends_on']),
    ...(typeof node['task_status'] === 'string' ? { task: node['task_status'] } : {}),
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
