/** What is going on: reading, jobs, and files that could not be read with the reason. */
import { useEffect, useState } from 'preact/hooks';
import { ApiError, change, get } from '../api';
import { ended, partOf } from '../care/jobs';
import { within } from '../care/paths';
import { Icon } from '../components/icons';
import { Problem } from '../components/states';
import { openDetails } from '../details';
import { jobs, status } from '../events';
import { bytes, count, instant, many } from '../format';
import { reread } from '../list/live';
import { useFetched, usePaged } from '../list/paged';
import { href } from '../router';
import { mayWrite } from '../session';
import { report, say } from '../toasts';
import type { Item, Job } from '../types';
import '../styles/care.css';
import '../styles/settings.css';

type ProblemOf = Item & { path?: string; state?: string; problem: { code: string; message: string } | null; file?: number };

interface Scan {
  running: boolean;
  stage?: string;
  files_listed?: number;
  files_done: number;
  files_total: number;
  files_failed?: number;
  pending: number;
  failed: number;
}

const WHAT: Record<Job['what'], string> = { upload: 'Upload', move: 'Move', scan: 'Scan', duplicates: 'Checksums for duplicates' };

async function rescan(quick: boolean): Promise<void> {
  try {
    const { job } = await change<{ job: string }>('POST', '/scan', { quick });
    say(quick ? 'The folders are looked through' : 'Everything is looked at anew');
    const end = await ended(job);
    if (end.state === 'failed') report(new ApiError(0, end.error?.code ?? 'internal', end.error?.message ?? 'The scan failed'));
    else {
      const found = end.result as { files_new: number; files_changed: number; files_missing: number };
      say(`Scan done: ${count(found.files_new)} new, ${count(found.files_changed)} changed, ${count(found.files_missing)} missing`);
    }
  } catch (wrong) {
    report(wrong);
  }
}

export default function Activity() {
  const now = status.value;
  const { value: scan } = useFetched<Scan>('/scan', {}, `${reread.value} ${now.pending}`);
  const problems = usePaged<ProblemOf>('/problems', 'items', { limit: 100 }, reread.value);
  const [past, setPast] = useState<Job[]>([]);
  const write = mayWrite.value;
  useEffect(() => {
    if (write) get<{ jobs: Job[] }>('/jobs').then((found) => setPast(found.jobs), report);
  }, [write]);
  // those told of by the feed are newer than what was asked for
  const known = new Map(past.map((each) => [each.id, each]));
  if (write) for (const each of Object.values(jobs.value)) known.set(each.id, each);
  const all = [...known.values()].sort((one, other) => (other.started_at ?? 0) - (one.started_at ?? 0));
  const pending = now.pending ?? scan?.pending ?? 0;
  const figures: [string, unknown][] = [
    ['files', now.files],
    ['items', now.items],
    ['to be read', pending],
    ['could not be read', now.failed],
    ['missing', now.missing],
  ];
  return (
    <div class="page">
      <div class="narrow-page">
        <header class="view-head flush">
          <h1>Activity</h1>
          {write && (
            <div class="buttons">
              <button onClick={() => void rescan(true)}>
                <Icon name="scan" />
                Look for changes
              </button>
              <button onClick={() => void rescan(false)} title="Every folder, also those whose time did not change">
                Scan all anew
              </button>
            </div>
          )}
        </header>
        <ul class="figures">
          {figures.map(([label, value]) => (
            <li key={label}>
              <b>{value === undefined ? '–' : count(Number(value))}</b>
              <span>{label}</span>
            </li>
          ))}
        </ul>
        {(scan?.running || pending > 0) && (
          <section class="notice">
            <p role="status">
              {scan?.running ? `${scan.stage || 'A scan runs'}: ${count(scan.files_done)}${scan.files_total ? ` of ${count(scan.files_total)}` : ''} files` : `${many(pending, 'file')} to be read`}
            </p>
            <progress max={1} value={scan?.running && scan.files_total ? scan.files_done / scan.files_total : undefined} aria-label="Progress of the scan" />
          </section>
        )}
        {write && (
          <section>
            <h2>Jobs</h2>
            {all.length ? (
              <ul class="jobs">
                {all.slice(0, 50).map((each) => (
                  <One key={each.id} job={each} onGone={() => setPast((before) => before.filter((other) => other.id !== each.id))} />
                ))}
              </ul>
            ) : (
              <p class="faint">None since the server was started.</p>
            )}
          </section>
        )}
        <section>
          <h2>Files that could not be read</h2>
          {problems.wrong && <Problem wrong={problems.wrong} />}
          {!problems.more && problems.all.length === 0 && !problems.wrong && <p class="faint">None.</p>}
          <ul class="problems">
            {problems.all.map((each) => (
              <li key={`${each.id} ${each.file ?? ''}`}>
                <span class="says">
                  <b title={each.path}>{each.path ? within(each.path) : each.name}</b>
                  <small>{each.problem ? `${each.problem.message} (${each.problem.code})` : each.state}</small>
                </span>
                <button onClick={() => openDetails(each.id)} aria-label={`Details of ${each.name}`}>
                  Details
                </button>
              </li>
            ))}
          </ul>
          {problems.more && problems.all.length > 0 && (
            <p class="middle">
              <button onClick={problems.next}>More</button>
            </p>
          )}
        </section>
        <p>
          <a class="link" href={href(['operations'])}>
            What was done, and taking it back
          </a>
        </p>
      </div>
    </div>
  );
}

function One({ job, onGone }: { job: Job; onGone: () => void }) {
  const stop = () => change('DELETE', `/jobs/${job.id}`).then(() => job.state !== 'running' && onGone(), report);
  const running = job.state === 'running';
  return (
    <li class={job.state}>
      <span class="says">
        <b>
          {WHAT[job.what]}
          {job.name ? `: ${job.name}` : ''}
        </b>
        <small>
          {[
            running ? job.stage || 'runs' : job.state,
            job.total ? `${count(job.done ?? 0)} of ${count(job.total)}` : '',
            job.bytes_total ? bytes(job.bytes_total) : '',
            instant(job.started_at),
          ]
            .filter(Boolean)
            .join(' · ')}
        </small>
        {job.error && <small class="wrong">{`${job.error.message} (${job.error.code})`}</small>}
        {running && <progress max={1} value={partOf(job)} aria-label={`Progress of ${WHAT[job.what]}`} />}
      </span>
      {running && <button onClick={() => void stop()}>Give up</button>}
    </li>
  );
}
