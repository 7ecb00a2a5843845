import type { Labels } from './labels.ts';

/** Simplified; regional tags of Chinese fall back to it. */
export const zh: Labels = {
  colon: '：',
  comma: '、',
  semicolon: '；',
  gap: '',

  heading: '项目报告',
  project: '项目',
  id: 'ID',
  mode: '模式',
  status: '状态',
  focus: '当前重点',
  columns: ['ID', '任务', '负责人', '状态', '说明'],
  deliverables: '交付物',
  nextSteps: '下一步',
  notes: '备注',
  projectStatus: {
    planning: '规划中',
    active: '进行中',
    paused: '已暂停',
    blocked: '受阻',
    completed: '已完成',
    failed: '已失败',
    rejected: '已拒绝',
  },
  nodeStatus: {
    completed: '已完成',
    delegated: '进行中',
    revision: '需要修改',
    blocked: '受阻',
    cancelled: '已取消',
    pending: '待开始',
  },
  nobody: '—',
  iteration: '迭代',
  max: '上限',
  topic: '主题',
  lastDecision: '上次决定',
  more: (count) => `…… 另有 ${count} 项`,

  nothingPlanned: '尚未规划任何任务。',
  counts: (total, counts) => {
    const done = counts.find(([status]) => status === 'completed')?.[1] ?? 0;
    const rest = counts
      .filter(([status, count]) => status !== 'completed' && count > 0)
      .map(([status, count]) => `，${count} 项${zh.nodeStatus[status]}`);
    return `共 ${total} 项任务，已完成 ${done} 项${rest.join('')}。`;
  },
  changed: (items) => `本次变更：${items}。`,
  waitingForCheck: (ids, paused) =>
    paused ? `项目暂停期间收到的结果，正在等待处理：${ids}。` : `等待 Leader 检查的结果：${ids}。`,

  focusComplete: '无，项目已完成',
  focusPaused: '已暂停，不会开始新的工作',
  focusPlanning: '规划中',
  focusReady: (items) => `可以开始：${items}`,
  focusDecision: (items) => `需要作出决定：${items}`,
  focusAllDone: '所有任务均已完成',

  ready: '可以开始',
  after: (ids) => `等待 ${ids} 完成`,
  submitted: '结果等待 Leader 检查',
  working: '正在处理',
  notAcknowledged: '尚未确认接收',
  asks: (question) => `提问：${question}`,
  replacedBy: (id) => `由 ${id} 代替`,

  stepNone: '无。',
  stepResume: '需要开始新的工作时，恢复该项目。',
  stepPlan: '规划任务。',
  stepAnswer: (id, question) => `回答 ${id} 的提问：${question}`,
  stepCheck: (id) => `检查 ${id} 的结果。`,
  stepReplan: (id) => `为 ${id} 规划新的工作。`,
  stepUnblock: (id) => `解决 ${id} 的阻碍。`,
  stepStart: (id, title, owner) => `开始 ${id}：${title}（${owner}）。`,
  stepWait: (id, owner) => `等待 ${id} 的结果（${owner}）。`,
  stepComplete: '结束该项目。',
  stepDecideLoop: (iteration) => `决定第 ${iteration} 次迭代之后如何继续。`,
  stepAskUser: '循环正在等待您的决定：请决定如何继续。',

  notePause: (reason) => `暂停原因：${reason}`,
  noteResult: (id, path) => `${id} 已验收，但附有备注：${path}`,
  notePlanProblems: (count) => `plan.md 中有 ${count} 处问题需要人工查看。`,

  noticeFinding: (message, remedy) => `需要人工处理：${message} 处理方法：${remedy}`,
  noticeLaneRefused: (worker, reason) => `${worker} 的 lane 中有一部分未被采纳：${reason ?? '详见事件日志'}`,
};
