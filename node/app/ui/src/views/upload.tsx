/** Files brought in: chosen or dropped, how far each is, and what became of it. */
import { useRef } from 'preact/hooks';
import { Icon } from '../components/icons';
import { bytes, count, many, span } from '../format';
import { item } from '../items';
import { Ids } from '../list/source';
import { openItem } from '../open';
import { mayUpload } from '../session';
import { forgetEnded, giveUp, rate, retry, type Upload, upload, uploads } from '../upload/uploads';
import '../styles/care.css';

/** Rows drawn at once: whoever drops a thousand files sees the numbers of all and these. */
const SHOWN = 200;

const SAYS: Record<Upload['state'], string> = {
  waiting: 'Waits for its turn',
  sending: 'On the way',
  paused: 'Tried again by itself',
  reading: 'Is being read',
  done: 'In the library',
  failed: 'Not taken',
  'given up': 'Given up',
};

export default function UploadPage() {
  const input = useRef<HTMLInputElement>(null);
  const all = uploads.value;
  const open = all.filter((each) => ['waiting', 'sending', 'paused'].includes(each.state));
  const left = open.reduce((sum, each) => sum + each.size - each.sent, 0);
  const total = open.reduce((sum, each) => sum + each.size, 0);
  const ended = all.filter((each) => ['done', 'failed', 'given up'].includes(each.state));
  if (!mayUpload.value)
    return (
      <div class="empty">
        <Icon name="upload" />
        <h1>Upload</h1>
        <p>
          This server takes no uploads: <code>staging</code> and <code>incoming</code> are not set in its <code>mediadb-app.toml</code>.
        </p>
      </div>
    );
  return (
    <div class="page">
      <div class="narrow-page">
        <header class="view-head flush">
          <h1>Upload</h1>
          {ended.length > 0 && <button onClick={forgetEnded}>Clear what has ended</button>}
        </header>
        <div class="drop-here">
          <Icon name="upload" />
          <p>Drop files or folders anywhere on the page, or</p>
          <button class="primary" onClick={() => input.current?.click()}>
            Choose files
          </button>
          <input
            ref={input}
            class="hidden"
            type="file"
            multiple
            aria-label="Files to upload"
            tabIndex={-1}
            onChange={(event) => {
              upload([...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = '';
            }}
          />
          <small class="faint">They come into the folder for what is new; nothing is overwritten. A lost connection is gone on with.</small>
        </div>
        {open.length > 0 && (
          <section class="upload-all" aria-label="On the way">
            <p role="status">
              {many(open.length, 'file')} on the way: {bytes(left)} of {bytes(total)} left
              {rate.value > 0 && `, ${bytes(rate.value)}/s, about ${span(Math.max(1, left / rate.value))}`}
            </p>
            <progress max={Math.max(1, total)} value={total - left} aria-label="All files" />
          </section>
        )}
        <ul class="uploads">
          {all.slice(0, SHOWN).map((each) => (
            <Row key={each.key} of={each} />
          ))}
        </ul>
        {all.length > SHOWN && <p class="faint">And {count(all.length - SHOWN)} more.</p>}
      </div>
    </div>
  );
}

function Row({ of }: { of: Upload }) {
  const id = of.placed?.item;
  const here = id ? item(id) : undefined;
  const busy = ['waiting', 'sending', 'paused'].includes(of.state);
  return (
    <li class={of.state}>
      <span class="says">
        <b>{of.name}</b>
        <small>
          {busy || of.state === 'reading' ? `${SAYS[of.state]} · ${of.state === 'sending' ? `${bytes(of.sent)} of ` : ''}${bytes(of.size)}` : SAYS[of.state]}
          {of.placed?.renamed && ` as ${of.placed.name}`}
          {of.placed?.already?.length ? `, and it was there already: ${of.placed.already[0]}` : ''}
        </small>
        {of.problem && (
          <small class="wrong" role="alert">
            {of.problem.message} ({of.problem.code})
          </small>
        )}
        {(of.state === 'sending' || of.state === 'paused') && <progress max={Math.max(1, of.size)} value={of.sent} aria-label={`Progress of ${of.name}`} />}
        {of.state === 'reading' && <progress aria-label={`${of.name} is being read`} />}
      </span>
      {id && here && (
        <button aria-label={`Show ${of.name}`} onClick={() => openItem(new Ids([id]), 0)}>
          Show
        </button>
      )}
      {of.state === 'failed' && (
        <button aria-label={`Try ${of.name} again`} onClick={() => retry(of.key)}>
          Try again
        </button>
      )}
      {busy && (
        <button class="icon" aria-label={`Give up ${of.name}`} onClick={() => giveUp(of.key)}>
          <Icon name="close" />
        </button>
      )}
    </li>
  );
}
