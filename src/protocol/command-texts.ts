import type { CommandName } from './command.ts';
import { languageOf } from './labels/languages.ts';
import type { TaskStatus } from './records/types.ts';

/** What a decision made of a task. */
export type Decided = 'completed' | 'revision' | 'blocked';

/**
 * Every sentence with which the Leader's node answers a command. Names of commands, ids and result tokens are the
 * protocol's and stay as they are in any language. Arguments come in fit for Markdown, ids in code marks.
 */
export interface CommandTexts {
  readonly helpHeading: string;
  readonly help: Readonly<Record<CommandName, string>>;
  readonly unknownCommand: (word: string) => string;
  /** How to write a command that lacks something. */
  readonly usage: (form: string) => string;

  readonly noProjects: string;
  /** `status` is the report's word for it. */
  readonly progress: (status: string, done: number, total: number) => string;
  readonly pausedFor: (reason: string) => string;
  readonly waits: (task: string, result: string) => string;
  readonly asks: (task: string, kind: string, question: string) => string;
  readonly underWay: (tasks: string) => string;
  readonly more: (count: number) => string;

  readonly paused: (project: string, reason: string) => string;
  readonly resumed: (project: string) => string;
  readonly decided: Readonly<Record<Decided, (task: string) => string>>;
  readonly answered: (task: string) => string;

  readonly unknownProject: (project: string, known: string) => string;
  readonly unknownTask: (task: string) => string;
  readonly whichProject: (form: string, known: string) => string;
  readonly noneActive: string;
  readonly nonePaused: string;
  readonly nothingSubmitted: (task: string, status: TaskStatus) => string;
  readonly alreadyDecided: (task: string, status: TaskStatus) => string;
  readonly projectPaused: (project: string) => string;
  readonly noQuestion: (task: string) => string;
  readonly whichQuestion: (form: string, kinds: string) => string;
  readonly remoteAway: string;
  /** For whatever has no sentence of its own: the operation's, which is English. */
  readonly refused: (sentence: string, remedy: string) => string;
}

const en: CommandTexts = {
  helpHeading: 'What I understand here:',
  help: {
    status: 'how far the projects are, and what waits for you',
    report: 'the report on a project as it stands now',
    pause: 'start nothing new in a project',
    resume: 'go on with a paused project',
    accept: 'accept the submitted result of a task',
    reject: 'ask for a revision of a submitted result',
    answer: 'answer a question about a task',
    approve: 'say yes to what a task asks approval for',
    deny: 'say no to it',
    help: 'this list',
  },
  unknownCommand: (word) => `I do not know the command ${word}.`,
  usage: (form) => `Something is missing. Write it like this: ${form}`,
  noProjects: 'There is no project that is still open.',
  progress: (status, done, total) => `${status}, ${done} of ${total} ${total === 1 ? 'task' : 'tasks'} completed`,
  pausedFor: (reason) => `paused because: ${reason}`,
  waits: (task, result) => `${task} waits for your decision (${result})`,
  asks: (task, kind, question) => `${task} asks (${kind}): ${question}`,
  underWay: (tasks) => `being worked on: ${tasks}`,
  more: (count) => `… and ${count} more`,
  paused: (project, reason) =>
    `Project ${project} is paused${reason === '' ? '' : ` (${reason})`}. Work under way goes on; nothing new is started.`,
  resumed: (project) => `Project ${project} goes on.`,
  decided: {
    completed: (task) => `${task} is accepted.`,
    revision: (task) => `${task} needs a revision; more work on it is planned as a new task.`,
    blocked: (task) => `${task} is blocked, as its result says.`,
  },
  answered: (task) => `Your answer on ${task} is recorded, and the Worker is told.`,
  unknownProject: (project, known) => `There is no project ${project}. Projects: ${known}.`,
  unknownTask: (task) => `There is no task ${task}. See the ids with \`status\`.`,
  whichProject: (form, known) => `Which project? Write ${form} with one of: ${known}.`,
  noneActive: 'No project is active. See the projects with `status`.',
  nonePaused: 'No project is paused. See the projects with `status`.',
  nothingSubmitted: (task, status) =>
    `Nothing has been submitted for ${task} (it is \`${status}\`), so there is nothing to decide on. Wait for its result.`,
  alreadyDecided: (task, status) =>
    `${task} was decided before, as \`${status}\`. Further work on it needs a new task: ask the Leader to plan one.`,
  projectPaused: (project) => `Project ${project} is paused, and nothing is accepted meanwhile. First \`resume\` it.`,
  noQuestion: (task) => `No question about ${task} is open. See the open ones with \`status\`.`,
  whichQuestion: (form, kinds) => `Several questions are open: ${kinds}. Write ${form}.`,
  remoteAway: "The team's repository cannot be reached, so nothing was changed. Please say it again later.",
  refused: (sentence, remedy) => `That did not work: ${sentence}.${remedy === '' ? '' : ` What to do: ${remedy}.`}`,
};

const zh: CommandTexts = {
  helpHeading: '我在这里能理解的命令：',
  help: {
    status: '各项目的进展，以及等待您处理的事项',
    report: '项目当前的报告',
    pause: '暂停项目，不再开始新任务',
    resume: '恢复已暂停的项目',
    accept: '接受任务已提交的结果',
    reject: '要求修改已提交的结果',
    answer: '回答关于任务的问题',
    approve: '批准任务的请求',
    deny: '拒绝任务的请求',
    help: '显示此列表',
  },
  unknownCommand: (word) => `我不认识命令 ${word}。`,
  usage: (form) => `缺少内容。请这样写：${form}`,
  noProjects: '没有未结束的项目。',
  progress: (status, done, total) => `${status}，${total} 个任务中已完成 ${done} 个`,
  pausedFor: (reason) => `暂停原因：${reason}`,
  waits: (task, result) => `${task} 等待您的决定（${result}）`,
  asks: (task, kind, question) => `${task} 的问题（${kind}）：${question}`,
  underWay: (tasks) => `正在进行：${tasks}`,
  more: (count) => `…… 另有 ${count} 项`,
  paused: (project, reason) =>
    `项目 ${project} 已暂停${reason === '' ? '' : `（${reason}）`}。进行中的工作继续，不再开始新任务。`,
  resumed: (project) => `项目 ${project} 已恢复。`,
  decided: {
    completed: (task) => `${task} 已接受。`,
    revision: (task) => `${task} 需要修改；后续工作将作为新任务安排。`,
    blocked: (task) => `${task} 受阻，与其结果一致。`,
  },
  answered: (task) => `您对 ${task} 的回答已记录，并已通知执行者。`,
  unknownProject: (project, known) => `没有项目 ${project}。现有项目：${known}。`,
  unknownTask: (task) => `没有任务 ${task}。用 \`status\` 查看任务编号。`,
  whichProject: (form, known) => `哪个项目？请写 ${form}，可选：${known}。`,
  noneActive: '没有进行中的项目。用 `status` 查看项目。',
  nonePaused: '没有已暂停的项目。用 `status` 查看项目。',
  nothingSubmitted: (task, status) => `${task} 还没有提交结果（当前为 \`${status}\`），无法作出决定。请等待其结果。`,
  alreadyDecided: (task, status) => `${task} 之前已被决定为 \`${status}\`。后续工作需要新任务：请让 Leader 安排。`,
  projectPaused: (project) => `项目 ${project} 已暂停，期间不接受结果。请先用 \`resume\` 恢复。`,
  noQuestion: (task) => `${task} 没有待回答的问题。用 \`status\` 查看待回答的问题。`,
  whichQuestion: (form, kinds) => `有多个待回答的问题：${kinds}。请写 ${form}。`,
  remoteAway: '无法访问团队仓库，未作任何更改。请稍后再说一次。',
  refused: (sentence, remedy) => `未能完成：${sentence}。${remedy === '' ? '' : `处理办法：${remedy}。`}`,
};

const ko: CommandTexts = {
  helpHeading: '여기서 이해하는 명령:',
  help: {
    status: '프로젝트 진행 상황과 결정을 기다리는 일',
    report: '프로젝트의 현재 보고서',
    pause: '프로젝트에서 새 작업을 시작하지 않음',
    resume: '일시 중지된 프로젝트를 계속함',
    accept: '제출된 작업 결과를 수락함',
    reject: '제출된 결과의 수정을 요청함',
    answer: '작업에 대한 질문에 답함',
    approve: '작업이 요청한 승인을 허락함',
    deny: '그 요청을 거절함',
    help: '이 목록',
  },
  unknownCommand: (word) => `${word} 명령을 알 수 없습니다.`,
  usage: (form) => `빠진 내용이 있습니다. 이렇게 써 주세요: ${form}`,
  noProjects: '끝나지 않은 프로젝트가 없습니다.',
  progress: (status, done, total) => `${status}, 작업 ${total}개 중 ${done}개 완료`,
  pausedFor: (reason) => `일시 중지 이유: ${reason}`,
  waits: (task, result) => `${task}: 결정을 기다립니다 (${result})`,
  asks: (task, kind, question) => `${task}의 질문 (${kind}): ${question}`,
  underWay: (tasks) => `작업 중: ${tasks}`,
  more: (count) => `… 그 밖에 ${count}개`,
  paused: (project, reason) =>
    `프로젝트 ${project}: 일시 중지되었습니다${reason === '' ? '' : ` (${reason})`}. 진행 중인 작업은 계속되고 새 작업은 시작되지 않습니다.`,
  resumed: (project) => `프로젝트 ${project}: 다시 진행됩니다.`,
  decided: {
    completed: (task) => `${task}: 수락되었습니다.`,
    revision: (task) => `${task}: 수정이 필요합니다. 이후 작업은 새 작업으로 계획됩니다.`,
    blocked: (task) => `${task}: 결과에 적힌 대로 막혀 있습니다.`,
  },
  answered: (task) => `${task}에 대한 답변이 기록되었고 Worker에게 전달됩니다.`,
  unknownProject: (project, known) => `프로젝트 ${project}: 없습니다. 프로젝트: ${known}.`,
  unknownTask: (task) => `작업 ${task}: 없습니다. \`status\`로 번호를 확인하세요.`,
  whichProject: (form, known) => `어느 프로젝트입니까? ${form} 형식으로 다음 중 하나를 써 주세요: ${known}.`,
  noneActive: '진행 중인 프로젝트가 없습니다. `status`로 프로젝트를 확인하세요.',
  nonePaused: '일시 중지된 프로젝트가 없습니다. `status`로 프로젝트를 확인하세요.',
  nothingSubmitted: (task, status) =>
    `${task}: 제출된 결과가 없어(현재 \`${status}\`) 결정할 것이 없습니다. 결과를 기다려 주세요.`,
  alreadyDecided: (task, status) =>
    `${task}: 이미 \`${status}\`로 결정되었습니다. 이후 작업은 새 작업이 필요합니다. Leader에게 계획을 요청하세요.`,
  projectPaused: (project) =>
    `프로젝트 ${project}: 일시 중지되어 그동안 결과를 수락할 수 없습니다. 먼저 \`resume\` 하세요.`,
  noQuestion: (task) => `${task}: 열린 질문이 없습니다. \`status\`로 열린 질문을 확인하세요.`,
  whichQuestion: (form, kinds) => `열린 질문이 여러 개입니다: ${kinds}. ${form} 형식으로 써 주세요.`,
  remoteAway: '팀 저장소에 연결할 수 없어 아무것도 바뀌지 않았습니다. 나중에 다시 말씀해 주세요.',
  refused: (sentence, remedy) => `처리하지 못했습니다: ${sentence}.${remedy === '' ? '' : ` 할 일: ${remedy}.`}`,
};

const TABLE: ReadonlyMap<string, CommandTexts> = new Map([
  ['en', en],
  ['zh', zh],
  ['ko', ko],
]);

/** The sentences of a language (`policies.language`); a regional tag falls back to its language, an unknown one to `en`. */
export function commandTextsFor(language: string): CommandTexts {
  return TABLE.get(languageOf(language)) ?? en;
}

/** How each command is written. */
export const COMMAND_FORMS: Readonly<Record<CommandName, string>> = {
  status: '`status [project]`',
  report: '`report [project]`',
  pause: '`pause [project] [reason]`',
  resume: '`resume [project]`',
  accept: '`accept <task>[: summary]`',
  reject: '`reject <task> <reason>`',
  answer: '`answer <task> <text>`',
  approve: '`approve <task> [remark]`',
  deny: '`deny <task> [reason]`',
  help: '`help`',
};

/** The answer to `help`: every command with what it does. */
export function helpText(texts: CommandTexts): string {
  const lines = Object.entries(COMMAND_FORMS).map(([name, form]) => `- ${form}: ${texts.help[name as CommandName]}`);
  return [texts.helpHeading, '', ...lines].join('\n');
}
