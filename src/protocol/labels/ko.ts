import type { Labels } from './labels.ts';

/** Names and ids are followed by nouns, not by particles, whose form would depend on how the name is read. */
export const ko: Labels = {
  colon: ': ',
  comma: ', ',
  semicolon: '; ',
  gap: ' ',

  heading: '프로젝트 보고서',
  project: '프로젝트',
  id: 'ID',
  mode: '방식',
  status: '상태',
  focus: '현재 초점',
  columns: ['ID', '작업', '담당자', '상태', '설명'],
  deliverables: '산출물',
  nextSteps: '다음 단계',
  notes: '참고 사항',
  projectStatus: {
    planning: '계획 중',
    active: '진행 중',
    paused: '일시 중지됨',
    blocked: '막힘',
    completed: '완료됨',
    failed: '실패함',
    rejected: '거절됨',
  },
  nodeStatus: {
    completed: '완료',
    delegated: '진행 중',
    revision: '수정 필요',
    blocked: '막힘',
    cancelled: '취소',
    pending: '대기',
  },
  nobody: '—',
  iteration: '반복',
  max: '최대',
  topic: '주제',
  lastDecision: '마지막 결정',
  more: (count) => `… 외 ${count}건`,

  nothingPlanned: '아직 계획된 작업이 없습니다.',
  counts: (total, counts) => {
    const done = counts.find(([status]) => status === 'completed')?.[1] ?? 0;
    const rest = counts
      .filter(([status, count]) => status !== 'completed' && count > 0)
      .map(([status, count]) => `, ${ko.nodeStatus[status]} ${count}건`);
    return `전체 작업 ${total}건 중 완료 ${done}건${rest.join('')}입니다.`;
  },
  changed: (items) => `변경된 작업: ${items}.`,
  waitingForCheck: (ids, paused) =>
    paused ? `프로젝트가 중지된 동안 도착하여 대기 중인 결과: ${ids}.` : `Leader의 확인을 기다리는 결과: ${ids}.`,

  focusComplete: '없음, 프로젝트가 완료되었습니다',
  focusPaused: '일시 중지됨, 새 작업을 시작하지 않습니다',
  focusPlanning: '계획 중',
  focusReady: (items) => `시작 가능: ${items}`,
  focusDecision: (items) => `결정 필요: ${items}`,
  focusAllDone: '모든 작업이 완료되었습니다',

  ready: '시작 가능',
  after: (ids) => `선행 작업: ${ids}`,
  submitted: 'Leader의 결과 확인 대기 중',
  working: '작업 중',
  notAcknowledged: '아직 접수되지 않음',
  asks: (question) => `질문: ${question}`,
  replacedBy: (id) => `대체 작업: ${id}`,

  stepNone: '없음.',
  stepResume: '새 작업을 시작하려면 프로젝트를 재개하십시오.',
  stepPlan: '작업을 계획하십시오.',
  stepAnswer: (id, question) => `${id} 질문에 답변하십시오: ${question}`,
  stepCheck: (id) => `${id} 결과를 확인하십시오.`,
  stepReplan: (id) => `${id} 후속 작업을 계획하십시오.`,
  stepUnblock: (id) => `${id} 작업을 막고 있는 문제를 해결하십시오.`,
  stepStart: (id, title, owner) => `${id} 작업을 시작하십시오: ${title} (${owner}).`,
  stepWait: (id, owner) => `${id} 결과를 기다립니다 (${owner}).`,
  stepComplete: '프로젝트를 완료하십시오.',
  stepDecideLoop: (iteration) => `반복 ${iteration} 이후의 진행 방법을 결정하십시오.`,
  stepAskUser: '반복 작업이 결정을 기다리고 있습니다. 진행 방법을 결정해 주십시오.',

  notePause: (reason) => `중지 사유: ${reason}`,
  noteResult: (id, path) => `${id} 결과는 참고 사항과 함께 승인되었습니다: ${path}`,
  notePlanProblems: (count) => `plan.md 파일에 사람이 확인해야 할 문제가 ${count}건 있습니다.`,

  noticeFinding: (message, remedy) => `사람의 조치가 필요합니다: ${message} 조치 방법: ${remedy}`,
  noticeLaneRefused: (worker, reason) =>
    `${worker} 작업자의 lane 일부가 반영되지 않았습니다: ${reason ?? '이벤트 로그를 확인하십시오'}`,
};
