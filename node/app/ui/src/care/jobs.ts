/** What takes longer than a request: followed by the feed, and asked for where the feed is away. */
import { effect } from '@preact/signals';
import { ApiError, get } from '../api';
import { jobs } from '../events';
import type { Job } from '../types';

const ASK_MS = 2000;

/**
 * Waits until a job has ended, whichever way.
 * @throws ApiError not_found: the server does not know it any more, it was restarted
 */
export function ended(id: string, onProgress: (job: Job) => void = () => undefined): Promise<Job> {
  return new Promise((resolve, reject) => {
    let over = false;
    const take = (job: Job) => {
      if (over) return;
      onProgress(job);
      if (job.state === 'running') return;
      over = true;
      clearInterval(timer);
      // not within the effect that told of it
      queueMicrotask(() => stop());
      resolve(job);
    };
    const look = () =>
      get<Job>(`/jobs/${id}`).then(take, (wrong: unknown) => {
        if (!(wrong instanceof ApiError)) throw wrong;
        if (over || wrong.status !== 404) return; // away for a while: it is asked for again
        over = true;
        clearInterval(timer);
        stop();
        reject(wrong);
      });
    const timer = setInterval(look, ASK_MS);
    const stop = effect(() => {
      const job = jobs.value[id];
      if (job) take(job);
    });
    void look();
  });
}

/** How far a job is, from 0 to 1, or undefined where that is not known yet. */
export function partOf(job: Job): number | undefined {
  if (job.bytes_total) return Math.min(1, (job.bytes_done ?? 0) / job.bytes_total);
  return job.total ? Math.min(1, (job.done ?? 0) / job.total) : undefined;
}
