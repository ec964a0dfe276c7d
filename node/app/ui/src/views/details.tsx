/** Everything known of one item, beside whatever is shown. */
import { useEffect, useState } from 'preact/hooks';
import { rate, setFields, star } from '../actions';
import { ApiError, get } from '../api';
import { Cover } from '../components/cover';
import { askText } from '../components/dialog';
import { Icon } from '../components/icons';
import { Loading, Problem } from '../components/states';
import { Stars } from '../components/stars';
import { ItemTags } from '../components/tags';
import { bytes, clock, instant, many, titleOf } from '../format';
import { item, version } from '../items';
import { useKeys } from '../keys';
import { href } from '../router';
import { mayWrite } from '../session';
import { report } from '../toasts';
import type { FileOfItem, FullItem, Value } from '../types';
import '../styles/player.css'; // .panel
import '../styles/details.css';

export default function Details({ id, onClose }: { id: string; onClose: () => void }) {
  const [full, setFull] = useState<FullItem | null>(null);
  const [wrong, setWrong] = useState<ApiError | null>(null);
  const [turn, setTurn] = useState(0);
  const light = item(id);
  useKeys([{ keys: 'Escape', what: 'Close the details', group: 'Details', run: onClose }]);
  useEffect(() => {
    const abort = new AbortController();
    setWrong(null);
    get<FullItem>(`/file/${id}`, {}, abort.signal).then(setFull, (problem: unknown) => {
      if (problem instanceof DOMException) return;
      if (!(problem instanceof ApiError)) throw problem;
      setWrong(problem);
    });
    return () => abort.abort();
  }, [id, turn, version.value]);
  const shown = full?.id === id || full?.files?.length ? full : null;
  return (
    <aside class="panel details" aria-label="Details">
      <header>
        <h2>{light ? titleOf(light) : 'Details'}</h2>
        <button class="icon" aria-label="Close the details" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="inside">
        {wrong ? (
          <Problem wrong={wrong} onRetry={() => setTurn(turn + 1)} />
        ) : shown && light ? (
          <Body key={id} full={shown} id={id} />
        ) : (
          <Loading />
        )}
      </div>
    </aside>
  );
}

function Body({ full, id }: { full: FullItem; id: string }) {
  const light = item(id) ?? full;
  const write = mayWrite.value;
  return (
    <>
      {(light.kind === 'audio' || light.kind === 'image' || light.kind === 'video') && <Cover id={id} size={800} of={light.kind} alt="" />}
      <div class="work">
        <button class="icon heart" aria-label="Star" aria-pressed={Boolean(light.starred)} disabled={!write} onClick={() => void star([id], !light.starred)}>
          <Icon name="heart" filled={Boolean(light.starred)} />
        </button>
        <Stars value={light.rating} disabled={!write} onRate={(value) => void rate([id], value)} />
        <span class="faint">{light.plays ? many(light.plays, 'play') : ''}</span>
      </div>
      <ItemTags id={id} tags={light.tags} disabled={!write} />
      <Fields full={full} id={id} />
      {(full.collections?.length || full.playlists?.length) ? (
        <section>
          <h3>In lists</h3>
          <p>{[...(full.playlists ?? []), ...(full.collections ?? [])].join(', ')}</p>
        </section>
      ) : null}
      <section>
        <h3>{full.files?.length === 1 ? 'File' : many(full.files?.length ?? 0, 'file')}</h3>
        {full.files?.map((each) => <FileBox key={each.id} file={each} />)}
      </section>
      <Checksums id={id} />
      {full.keys?.length ? (
        <details>
          <summary>Keys of its content</summary>
          <dl class="pairs">
            {full.keys.map((each) => (
              <div key={each.algorithm + each.value}>
                <dt>{each.algorithm}</dt>
                <dd>
                  <code>{each.value}</code>
                  <small>{each.grade}</small>
                </dd>
              </div>
            ))}
          </dl>
        </details>
      ) : null}
      <History id={id} />
    </>
  );
}

const UNITS: Record<string, (value: number) => string> = {
  duration: (value) => clock(value),
  size: (value) => bytes(value),
  bit_rate: (value) => `${Math.round(value / 1000)} kbit/s`,
  sample_rate: (value) => `${value / 1000} kHz`,
};

function say(name: string, value: Value): string {
  if (typeof value === 'number' && UNITS[name]) return UNITS[name](value);
  if (Array.isArray(value)) return value.map((each) => say('', each)).join(', ');
  if (typeof value === 'object') return JSON.stringify(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return String(value);
}

/** Where a value is from, in a person's words. */
const fromWhere = (source: string) => (source === 'person' || source === 'user' ? 'set by a person' : source);

function Fields({ full, id }: { full: FullItem; id: string }) {
  const fields = full.fields ?? {};
  const names = Object.keys(fields).sort();
  const edit = async (name: string, value: Value) => {
    const text = await askText(`Set ${name}`, 'Value', say('', value));
    if (text !== null) await setFields(id, { [name]: text });
  };
  const add = async () => {
    const name = await askText('Set a field', 'Name, as in the list of fields', '', 'Next');
    if (name) await edit(name, fields[name] ?? '');
  };
  return (
    <section>
      <h3>Fields</h3>
      <dl class="pairs">
        {names.map((name) => {
          const source = full.sources?.[name];
          return (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <span>{say(name, fields[name]!)}</span>
                {source && <small>{fromWhere(source)}</small>}
                {mayWrite.value && (
                  <button class="icon small" aria-label={`Set ${name}`} onClick={() => void edit(name, fields[name]!)}>
                    <Icon name="edit" />
                  </button>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
      {mayWrite.value && (
        <button onClick={add}>
          <Icon name="add" />
          Set a field
        </button>
      )}
    </section>
  );
}

function FileBox({ file }: { file: FileOfItem }) {
  return (
    <div class={file.state === 'missing' ? 'file-box gone' : 'file-box'}>
      <p class="path">
        {file.folder !== undefined ? <a href={href(['folders', String(file.folder)])}>{file.path}</a> : file.path}
      </p>
      <small class="faint">
        {[
          bytes(file.size),
          instant(file.mtime),
          file.handler,
          file.state === 'missing' && `missing${file.missing_since ? ` since ${instant(file.missing_since)}` : ''}`,
        ]
          .filter(Boolean)
          .join(' · ')}
      </small>
      {file.problem && <p class="wrong">{file.problem.message}</p>}
      {file.tags && Object.keys(file.tags).length > 0 && (
        <details>
          <summary>As written in the file</summary>
          <dl class="pairs">
            {Object.entries(file.tags).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{say('', value)}</dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </div>
  );
}

function Checksums({ id }: { id: string }) {
  const [found, setFound] = useState<Record<string, string> | null>(null);
  const [busy, setBusy] = useState(false);
  const compute = async () => {
    setBusy(true);
    try {
      setFound((await get<{ checksums: Record<string, string> }>(`/file/${id}/checksum`, { kind: 'file' })).checksums);
    } catch (wrong) {
      report(wrong);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section>
      <h3>Checksums</h3>
      {found ? (
        <dl class="pairs">
          {Object.entries(found).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                <code>{value}</code>
              </dd>
            </div>
          ))}
        </dl>
      ) : (
        <button onClick={compute} disabled={busy}>
          {busy ? 'Reading the file …' : 'Compute'}
        </button>
      )}
    </section>
  );
}

interface HistoryReply {
  changes?: { at?: number; action?: string; actor?: string; value?: unknown; name?: string }[];
  revisions?: { at?: number; what?: string; [name: string]: unknown }[];
  lineage?: unknown[];
}

function History({ id }: { id: string }) {
  const [open, setOpen] = useState(false);
  const [found, setFound] = useState<HistoryReply | null>(null);
  const turn = version.value;
  useEffect(() => {
    if (open) get<HistoryReply>(`/file/${id}/history`).then(setFound, report);
  }, [open, id, turn]);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>History</summary>
      {found ? (
        <ol class="history">
          {[...(found.changes ?? [])].reverse().map((each, place) => (
            <li key={place}>
              <span>
                {each.action} {each.name ?? ''} {each.value === undefined || each.value === null ? '' : say('', each.value as Value)}
              </span>
              <small class="faint">{[instant(each.at), each.actor].filter(Boolean).join(', ')}</small>
            </li>
          ))}
          {!found.changes?.length && <li class="faint">Nothing was done to it yet.</li>}
        </ol>
      ) : (
        <Loading />
      )}
    </details>
  );
}
