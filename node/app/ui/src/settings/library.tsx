/** The folders of the library: how each is, more of them, fewer. */
import { useState } from 'preact/hooks';
import { ApiError, change } from '../api';
import { confirm } from '../components/dialog';
import { Icon } from '../components/icons';
import { Loading } from '../components/states';
import { bytes, instant, many } from '../format';
import { loadRoots, isAdmin, mayWrite, roots } from '../session';
import { status } from '../events';
import { report, say } from '../toasts';
import { useEffect } from 'preact/hooks';
import type { Root } from '../types';

const STATES: Record<string, string> = {
  active: '',
  frozen: 'Frozen: much was gone at once. Nothing is forgotten until somebody says that the loss is real.',
  away: 'Away: the disk or share is not there. What was in it is kept.',
};

export function Library() {
  const [wrong, setWrong] = useState('');
  // numbers change while it is being read
  useEffect(() => void loadRoots().catch(report), [status.value.files, status.value.pending]);
  const all = roots.value;
  if (!all) return <Loading />;
  const scan = async (root: Root) => {
    try {
      await change('POST', '/scan', { root: Number(root.id) });
      say(`${root.path} is looked through`);
    } catch (problem) {
      report(problem);
    }
  };
  const accept = async (root: Root) => {
    if (!(await confirm('Is the loss real?', `What is gone from ${root.path} is then missing; ratings and tags stay and come back with the files.`, 'It is gone'))) return;
    await change('POST', `/roots/${root.id}/accept`).catch(report);
    await loadRoots().catch(report);
  };
  const remove = async (root: Root) => {
    if (!(await confirm(`Take ${root.path} out of the library?`, 'No file is touched. What is known of its files goes; ratings and tags come back when it is added again.', 'Take it out'))) return;
    try {
      await change('DELETE', `/roots/${root.id}`);
      say(`${root.path} is no longer in the library`);
    } catch (problem) {
      report(problem);
    }
    await loadRoots().catch(report);
  };
  const add = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setWrong('');
    try {
      await change('POST', '/roots', { path: String(new FormData(form).get('path')).trim() });
      say('The folder is being read: what is found shows as it comes');
      form.reset();
      await loadRoots();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setWrong(problem.message);
    }
  };
  return (
    <>
      <ul class="rows-of">
        {all.map((each) => (
          <li key={each.id} class={each.state}>
            <Icon name={each.state === 'active' ? 'folder' : 'warning'} />
            <span class="says">
              <b>{each.path}</b>
              <small>
                {[
                  many(each.files ?? 0, 'file'),
                  bytes(each.bytes),
                  each.pending ? `${each.pending} to be read` : '',
                  each.failed ? `${each.failed} could not be read` : '',
                  each.missing ? `${each.missing} missing` : '',
                  each.scanned_at ? `looked through ${instant(each.scanned_at)}` : '',
                  each.watched ? '' : 'not watched',
                ]
                  .filter(Boolean)
                  .join(' · ')}
              </small>
              {STATES[each.state ?? ''] && <small class="wrong">{STATES[each.state ?? '']}</small>}
            </span>
            {each.state === 'frozen' && isAdmin.value && <button onClick={() => void accept(each)}>The loss is real …</button>}
            {mayWrite.value && each.state !== 'away' && (
              <button class="icon" aria-label={`Look through ${each.path}`} title="Look through it" onClick={() => void scan(each)}>
                <Icon name="scan" />
              </button>
            )}
            {isAdmin.value && (
              <button class="icon" aria-label={`Take ${each.path} out of the library`} title="Take it out of the library" onClick={() => void remove(each)}>
                <Icon name="trash" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {isAdmin.value && (
        <form class="fields line" onSubmit={add}>
          <label class="field">
            <span>Another folder on the server</span>
            <input name="path" required pattern="/.*" placeholder="/srv/media" maxLength={4096} autocomplete="off" autocapitalize="off" spellcheck={false} />
          </label>
          <button class="primary">Add it</button>
        </form>
      )}
      {wrong && (
        <p class="wrong" role="alert">
          {wrong}
        </p>
      )}
    </>
  );
}
