// The part of BullMQ's backend contract the embedded queue leaves out: flows, schedulers, events, rate limits, logs.
import type { IQueueBackend } from 'bullmq';

/** An operation that refuses by name, so that a new use of BullMQ fails loudly instead of losing jobs. */
function refuse(name: string): () => Promise<never> {
  return () => Promise.reject(new Error(`not supported by the embedded queue: ${name}`));
}

/** Every operation we do not need; each rejects with its name. */
export const UNSUPPORTED = {
  addFlow: refuse('addFlow'),
  addJobScheduler: refuse('addJobScheduler'),
  addLog: refuse('addLog'),
  changeDelay: refuse('changeDelay'),
  changePriority: refuse('changePriority'),
  cleanJobsByState: refuse('cleanJobsByState'),
  clearLogs: refuse('clearLogs'),
  deleteDeduplicationKey: refuse('deleteDeduplicationKey'),
  getCountsPerPriority: refuse('getCountsPerPriority'),
  getDeduplicationJobId: refuse('getDeduplicationJobId'),
  getDependencies: refuse('getDependencies'),
  getDependencyCounts: refuse('getDependencyCounts'),
  getIgnoredChildrenFailures: refuse('getIgnoredChildrenFailures'),
  getJobLogs: refuse('getJobLogs'),
  getJobScheduler: refuse('getJobScheduler'),
  getJobSchedulerData: refuse('getJobSchedulerData'),
  getJobSchedulersCount: refuse('getJobSchedulersCount'),
  getJobSchedulersRange: refuse('getJobSchedulersRange'),
  getMetrics: refuse('getMetrics'),
  getProcessedChildrenValues: refuse('getProcessedChildrenValues'),
  getQueueMetaFields: refuse('getQueueMetaFields'),
  isFinished: refuse('isFinished'),
  isJobInState: refuse('isJobInState'),
  isJobScheduler: refuse('isJobScheduler'),
  moveToWaitingChildren: refuse('moveToWaitingChildren'),
  paginate: refuse('paginate'),
  promoteJobs: refuse('promoteJobs'),
  publishEvent: refuse('publishEvent'),
  readEvents: refuse('readEvents'),
  removeChildDependency: refuse('removeChildDependency'),
  removeDeduplicationKey: refuse('removeDeduplicationKey'),
  removeDeprecatedPriorityKey: refuse('removeDeprecatedPriorityKey'),
  removeJobScheduler: refuse('removeJobScheduler'),
  removeOrphanedJobs: refuse('removeOrphanedJobs'),
  removeQueueMetaFields: refuse('removeQueueMetaFields'),
  removeRateLimitKey: refuse('removeRateLimitKey'),
  removeUnprocessedChildren: refuse('removeUnprocessedChildren'),
  retryFinishedJob: refuse('retryFinishedJob'),
  retryFinishedJobs: refuse('retryFinishedJobs'),
  setRateLimit: refuse('setRateLimit'),
  trimEvents: refuse('trimEvents'),
  updateData: refuse('updateData'),
  updateJobSchedulerNextMillis: refuse('updateJobSchedulerNextMillis'),
  updateProgress: refuse('updateProgress'),
} satisfies Partial<IQueueBackend>;
