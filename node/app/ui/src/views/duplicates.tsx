/** Files of the same content: which to keep is suggested, nothing is ever deleted. */
import { useEffect, useState } from 'preact/hooks';
import { ApiError, ask, change, url } from '../api';
import { ended, partOf } from '../care/jobs';
import { openMove } from '../care/movedialog';
import { within } from '../care/paths';
import { Cover } from '../components/cover';
import { Icon } from '../components/icons';
import { Loading, Problem } from '../components/states';
import { openDetails } from '../details';
import { bytes, count, day, many } from '../format';
import { item } from '../items';
import { reread } from '../list/live';
import { ask as askPlace, place } from '../router';
import { mayOrganise, mayWrite } from '../session';
import { done, report } from '../toasts';
import type { Job } from '../types';
import '../styles/care.css';

interface Copy {
  id: number;
  item: string;
  name: string;
  path: string;
  size: number;
  mtime: number;
  keep: boolean;
}

interface Group {
  kind: string;
  size: number;
  wasted: number;
  files: Copy[];
}

interface Page {
  groups: Group[];
  count: number;
  wasted: number;
  next: string | null;
  job?: string;
}

const KINDS: [string, string, string][] = [
  ['payload', 'Same sound or picture', 'the same stream, whatever the tags say'],
  ['exact', 'Same file', 'equal to the last byte'],
];

const keyOf = (group: Group) => group.files.map((each) => each.id).join(',');

export default function Duplicates() {
  const kind = place.value.query.get('kind') ?? 'payload';
  const [groups, setGroups] = useState<Group[] | null>(null);
  const [rest, setRest] = useState<Omit<Page, 'groups'> | null>(null);
  const [wrong, setWrong] = useState<ApiError | null>(null);
  const [job, setJob] = useState<Job | null>(null);
  const [turn, setTurn] = useState(0);
  const again = () => setTurn((was) => was + 1);

  const load = async (cursor: string | null, abort: AbortSignal): Promise<void> => {
    const response = await ask('GET', url('/duplicates', { kind, cursor }), { signal: abort });
    const page = (await response.json()) as Page;
    if (response.status === 202 && page.job) {
      // checksums are being computed: it is asked again when they are there
      const end = await ended(page.job, setJob);
      setJob(null);
      if (abort.aborted) return;
      if (end.state === 'failed') throw new ApiError(0, end.error?.code ?? 'internal', end.error?.message ?? 'It failed');
      return load(cursor, abort);
    }
    if (abort.aborted) return;
    setWrong(null);
    setRest(page);
    setGroups((before) => (cursor ? [...(before ?? []), ...page.groups] : page.groups));
  };
  const refuse = (problem: unknown) => {
    if (problem instanceof DOMException) return;
    if (!(problem instanceof ApiError)) throw problem;
    setWrong(problem);
  };
  useEffect(() => {
    const abort = new AbortController();
    load(null, abort.signal).catch(refuse);
    return () => abort.abort();
  }, [kind, turn, reread.value]);

  const gone = (group: Group) => {
    setGroups((before) => before?.filter((each) => each !== group) ?? null);
    setRest((before) => before && { ...before, count: before.count - 1, wasted: before.wasted - group.wasted });
  };
  const keepAll = async (group: Group) => {
    gone(group);
    try {
      const { operation } = await change('POST', '/duplicates/keep', { items: [...new Set(group.files.map((each) => each.item))], copies: group.files.length });
      done(`All ${group.files.length} of ${group.files[0]!.name} are kept`, operation);
    } catch (problem) {
      report(problem);
      again();
    }
  };

  return (
    <div class="page">
      <header class="view-head flush">
        <h1>Duplicates</h1>
        {rest && (
          <span class="faint" role="status">
            {rest.count ? `${many(rest.count, 'group')}, ${bytes(rest.wasted)} could be free` : ''}
          </span>
        )}
        <div class="chips" role="group" aria-label="What counts as the same">
          {KINDS.map(([name, label, what]) => (
            <button key={name} class="chip" title={what} aria-pressed={kind === name} onClick={() => askPlace({ kind: name === 'payload' ? null : name })}>
              {label}
            </button>
          ))}
        </div>
      </header>
      {job && (
        <div class="notice">
          <p role="status">
            Checksums are being computed{job.total ? `: ${count(job.done ?? 0)} of ${count(job.total)} files` : ''}.
          </p>
          <progress max={1} value={partOf(job)} aria-label="Progress of the checksums" />
        </div>
      )}
      {wrong ? (
        <Problem wrong={wrong} onRetry={again} />
      ) : !groups ? (
        !job && <Loading />
      ) : groups.length === 0 ? (
        <div class="empty">
          <Icon name="check" />
          <p>Nothing is here twice, but for what you said is meant.</p>
        </div>
      ) : (
        <ul class="groups-of">
          {groups.map((each) => (
            <One key={keyOf(each)} group={each} onKeep={() => void keepAll(each)} onMoved={again} />
          ))}
        </ul>
      )}
      {rest?.next && (
        <p class="middle">
          <button onClick={() => void load(rest.next, new AbortController().signal).catch(refuse)}>More groups</button>
        </p>
      )}
    </div>
  );
}

function One({ group, onKeep, onMoved }: { group: Group; onKeep: () => void; onMoved: () => void }) {
  const [keep, setKeep] = useState(() => group.files.find((each) => each.keep)?.id ?? group.files[0]!.id);
  const kept = group.files.find((each) => each.id === keep)!;
  const of = item(kept.item);
  const others = group.files.filter((each) => each.id !== keep);
  const name = `keep-${keyOf(group)}`;
  return (
    <li class="group">
      <Cover id={kept.item} size={320} of={of?.kind ?? 'other'} />
      <fieldset>
        <legend>
          {kept.name} <small>{many(group.files.length, 'copy', 'copies')}, {bytes(group.wasted)} more than needed</small>
        </legend>
        {group.files.map((each) => (
          <label key={each.id} class={each.id === keep ? 'copy kept' : 'copy'}>
            <input type="radio" name={name} checked={each.id === keep} onChange={() => setKeep(each.id)} />
            <span class="says">
              <span title={each.path}>{within(each.path)}</span>
              <small>{[each.id === keep ? 'stays' : '', each.keep ? 'suggested' : '', bytes(each.size), day(each.mtime)].filter(Boolean).join(' · ')}</small>
            </span>
          </label>
        ))}
        <p class="buttons">
          <button onClick={() => openDetails(kept.item)}>Details</button>
          {mayWrite.value && (
            <button onClick={onKeep}>
              <Icon name="check" />
              Keep all
            </button>
          )}
          {mayOrganise.value && (
            <button
              class="primary"
              onClick={() =>
                openMove({ files: others.map((each) => ({ item: each.item, file: each.id })) }, { title: `Move ${many(others.length, 'copy', 'copies')} out of the way`, onDone: onMoved })
              }
            >
              <Icon name="move" />
              Move the {others.length === 1 ? 'other' : 'others'} …
            </button>
          )}
        </p>
      </fieldset>
    </li>
  );
}
