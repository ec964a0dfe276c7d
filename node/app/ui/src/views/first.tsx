/** Shown while no root exists: what mediadb is, and the first folder. */
import { useState } from 'preact/hooks';
import { ApiError, change } from '../api';
import { loadRoots } from '../session';
import { say } from '../toasts';

export default function First() {
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const path = String(new FormData(event.currentTarget as HTMLFormElement).get('path')).trim();
    setBusy(true);
    setWrong('');
    try {
      await change('POST', '/roots', { path });
      say('The folder is being read: what is found shows as it comes');
      await loadRoots();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setWrong(problem.message);
      setBusy(false);
    }
  };
  return (
    <div class="first">
      <form class="card" onSubmit={submit}>
        <h1>Nothing here yet</h1>
        <p>
          Name a folder of this server: music, photos, films, documents, all mixed if you like. mediadb reads what is in
          it and in the folders below and follows what changes. It never changes a file unless you ask for it.
        </p>
        <label class="field">
          <span>Folder on the server</span>
          <input name="path" required placeholder="/srv/media" autofocus autocomplete="off" autocapitalize="off" spellcheck={false} />
        </label>
        <p class="wrong" role="alert">
          {wrong}
        </p>
        <button class="primary" disabled={busy}>
          Add this folder
        </button>
        <p class="faint">
          The same on the command line: <code>mediactl add FOLDER</code>
        </p>
      </form>
    </div>
  );
}
