/** Files moved: where to, the plan with clashes and bytes, and only then the deed, with a way back. */
import { useEffect, useState } from 'preact/hooks';
import { name } from '../actions';
import { ApiError, change, get, post } from '../api';
import { closeModal, Dialog, modal } from '../components/dialog';
import { Icon } from '../components/icons';
import { bytes, many } from '../format';
import { refresh } from '../items';
import { loadRoots, roots } from '../session';
import { done, report } from '../toasts';
import type { FolderPage, Job } from '../types';
import { ended, partOf } from './jobs';
import { Plan, type MovePlan } from './plan';
import '../styles/care.css';

/** What is moved: items, what a question finds, or single files of items. */
export type Moved = { ids: readonly string[] } | { q: string } | { files: readonly { item: string; file: number }[] };

type Destination = { folder: number } | { root: number; folder: string } | { template: string };

interface Options {
  title?: string;
  /** after it was done */
  onDone?: () => void;
}

/** As many as one request takes (docs/http.md, POST /move). */
const MOST = 10_000;
const AT_ONCE = 1000;

export function openMove(what: Moved, options: Options = {}): void {
  if ('ids' in what && !what.ids.length) return;
  modal.value = () => <Move what={what} {...options} />;
}

const sizeOf = (what: Moved) => ('ids' in what ? what.ids.length : 'files' in what ? what.files.length : undefined);

function said(what: Moved): string {
  if ('ids' in what) return name(what.ids);
  return 'files' in what ? many(what.files.length, 'file') : 'all that this finds';
}

function Move({ what, title, onDone }: { what: Moved } & Options) {
  const [to, setTo] = useState<Destination | null>(null);
  const [mode, setMode] = useState<'move' | 'copy'>('move');
  const [plan, setPlan] = useState<MovePlan | null>(null);
  const [wrong, setWrong] = useState('');
  const [job, setJob] = useState<Job | null>(null);
  const [busy, setBusy] = useState(false);
  const many_ = sizeOf(what) ?? 0;
  const body = (dry: boolean) => ({ ...what, to, mode, dry_run: dry });

  const show = async () => {
    setBusy(true);
    setWrong('');
    try {
      setPlan(await post<MovePlan>('/move', body(true)));
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setWrong(problem.message);
    } finally {
      setBusy(false);
    }
  };
  const move = async () => {
    setBusy(true);
    setWrong('');
    try {
      const begun = await change<{ job: string }>('POST', '/move', body(false));
      setJob({ id: begun.job, what: 'move', state: 'running' });
      const job = await ended(begun.job, setJob);
      closeModal();
      if (job.state === 'failed') return report(new ApiError(0, job.error?.code ?? 'internal', job.error?.message ?? 'The move failed'));
      const result = job.result as MovePlan;
      const failed = result.failed ? `, ${many(result.failed, 'step')} failed: ${result.steps.find((each) => each.problem)?.problem?.message ?? ''}` : '';
      done(`${said(what)} ${mode === 'copy' ? 'copied' : 'moved'}${failed}`, result.operation || begun.operation);
      refresh();
      onDone?.();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setWrong(problem.message);
      setJob(null);
    } finally {
      setBusy(false);
    }
  };

  const heading = title ?? `Move ${said(what)}`;
  if (many_ > AT_ONCE)
    return (
      <Dialog title={heading} onClose={closeModal}>
        <p>
          {many(many_, 'item')} are too many to be named one by one; {many(AT_ONCE, 'item')} go at once. Ask for them in the search and move them folder by folder, or use{' '}
          <code>mediactl move</code>, which takes {many(MOST, 'file')} and more.
        </p>
      </Dialog>
    );
  if (job)
    return (
      <Dialog title={heading} onClose={closeModal}>
        <p role="status">
          {job.stage || 'Begins'} · {job.total ? `${job.done ?? 0} of ${job.total} files` : ''}
          {job.bytes_total ? ` · ${bytes(job.bytes_done)} of ${bytes(job.bytes_total)}` : ''}
        </p>
        <progress max={1} value={partOf(job)} aria-label="Progress of the move" />
        <p class="faint">It goes on when this is closed.</p>
      </Dialog>
    );
  return (
    <Dialog title={heading} onClose={closeModal} form="wide">
      {plan ? (
        <>
          <Plan plan={plan} />
          {wrong && (
            <p class="wrong" role="alert">
              {wrong}
            </p>
          )}
          <p class="buttons">
            <button onClick={() => setPlan(null)}>Back</button>
            <button class="primary" disabled={busy || !plan.steps.length || Boolean(plan.fatal)} onClick={() => void move()} autofocus>
              {mode === 'copy' ? 'Copy' : 'Move'}
              {plan.steps.length ? ` ${many(plan.steps.filter((each) => each.action !== 'mkdir').length, 'file')}` : ''}
            </button>
          </p>
        </>
      ) : (
        <>
          <Where onChoose={setTo} />
          <label class="field">
            <span>What happens to the originals</span>
            <select value={mode} onChange={(event) => setMode(event.currentTarget.value as 'move' | 'copy')}>
              <option value="move">They are moved: sidecars and covers go along</option>
              <option value="copy">They stay: these are copies</option>
            </select>
          </label>
          {wrong && (
            <p class="wrong" role="alert">
              {wrong}
            </p>
          )}
          <p class="buttons">
            <button onClick={closeModal}>Cancel</button>
            <button class="primary" disabled={!to || busy} onClick={() => void show()}>
              {busy ? 'Working it out …' : 'Show the plan'}
            </button>
          </p>
        </>
      )}
    </Dialog>
  );
}

/** A folder of the library, one that is to be made in it, or a template of names. */
function Where({ onChoose }: { onChoose: (to: Destination | null) => void }) {
  const [kind, setKind] = useState<'folder' | 'template'>('folder');
  const [templates, setTemplates] = useState<{ name: string; text: string }[]>([]);
  useEffect(() => {
    get<{ templates: { name: string; text: string }[] }>('/templates').then((found) => setTemplates(found.templates), report);
    if (!roots.peek()) void loadRoots();
  }, []);
  const choose = (next: 'folder' | 'template') => {
    setKind(next);
    onChoose(null);
  };
  return (
    <div class="where">
      <div class="chips" role="group" aria-label="How the place is named">
        <button class="chip" aria-pressed={kind === 'folder'} onClick={() => choose('folder')}>
          Into a folder
        </button>
        <button class="chip" aria-pressed={kind === 'template'} onClick={() => choose('template')}>
          By a template of names
        </button>
      </div>
      {kind === 'folder' ? <PickFolder onChoose={onChoose} /> : <PickTemplate templates={templates} onChoose={onChoose} />}
    </div>
  );
}

function PickTemplate({ templates, onChoose }: { templates: { name: string; text: string }[]; onChoose: (to: Destination | null) => void }) {
  const [text, setText] = useState('');
  const set = (value: string) => {
    setText(value);
    onChoose(value.trim() ? { template: value.trim() } : null);
  };
  return (
    <>
      <ul class="choices">
        {templates.map((each) => (
          <li key={each.name}>
            <button aria-pressed={text === each.name} class={text === each.name ? 'taken' : ''} onClick={() => set(each.name)}>
              <Icon name={text === each.name ? 'check' : 'tag'} />
              <span>{each.name}</span>
              <small>
                <code>{each.text}</code>
              </small>
            </button>
          </li>
        ))}
      </ul>
      <label class="field">
        <span>Or one of your own</span>
        <input value={text} onInput={(event) => set(event.currentTarget.value)} placeholder="{artist}/{album}/{track:02} {title}" maxLength={2000} spellcheck={false} autocomplete="off" />
      </label>
      <p class="faint">Each file stays in its root; the names are made of what is known of it.</p>
    </>
  );
}

function PickFolder({ onChoose }: { onChoose: (to: Destination | null) => void }) {
  const [at, setAt] = useState<string | null>(null);
  const [page, setPage] = useState<FolderPage | null>(null);
  const [more, setMore] = useState('');
  useEffect(() => {
    const abort = new AbortController();
    get<FolderPage>(at ? `/folders/${at}` : '/folders', { limit: 200 }, abort.signal).then(setPage, (wrong: unknown) => {
      if (!(wrong instanceof DOMException)) report(wrong);
    });
    return () => abort.abort();
  }, [at]);
  useEffect(() => {
    if (!page?.folder) return onChoose(null);
    const path = more.split('/').map((each) => each.trim()).filter(Boolean);
    if (!path.length) return onChoose({ folder: Number(page.folder.id) });
    // what is to be made is named from its root on
    const above = [...page.above, page.folder];
    const root = roots.peek()?.find((each) => each.path === above[0]!.name);
    onChoose(root ? { root: Number(root.id), folder: [...above.slice(1).map((each) => each.name), ...path].join('/') } : null);
  }, [page, more]);
  const short = (path: string) => (page?.folder ? path.slice(path.lastIndexOf('/') + 1) || path : path);
  return (
    <div class="pick">
      <nav class="crumbs" aria-label="Folders above">
        <button class="link" onClick={() => setAt(null)}>
          Library
        </button>
        {[...(page?.above ?? []), ...(page?.folder ? [page.folder] : [])].map((each) => (
          <span key={each.id}>
            {' / '}
            <button class="link" onClick={() => setAt(each.id)}>
              {short(each.name)}
            </button>
          </span>
        ))}
      </nav>
      <ul class="choices" aria-label="Folders">
        {page?.folders.map((each) => (
          <li key={each.id}>
            <button
              onClick={() => {
                setMore('');
                setAt(each.id);
              }}
            >
              <Icon name="folder" />
              <span>{each.name}</span>
              <small>{each.files ? many(each.files, 'file') : ''}</small>
            </button>
          </li>
        ))}
        {page && !page.folders.length && <li class="faint">No folders in this one.</li>}
      </ul>
      {page?.folder && (
        <label class="field">
          <span>A new folder in it (optional)</span>
          <input value={more} onInput={(event) => setMore(event.currentTarget.value)} maxLength={1000} placeholder="2024/Summer" autocomplete="off" spellcheck={false} />
        </label>
      )}
      <p class="faint" role="status">
        {page?.folder ? `Into ${[...page.above, page.folder].map((each) => short(each.name)).join(' / ')}${more.trim() ? ` / ${more.trim()}` : ''}` : 'Choose where to.'}
      </p>
    </div>
  );
}
