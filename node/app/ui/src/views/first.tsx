/** Shown while no root exists: what mediadb is, and the first folder. */
import { useState } from 'preact/hooks';
import { ApiError, change, get } from '../api';
import { loadRoots, roots } from '../session';
import { say } from '../toasts';
import type { Job } from '../types';

/** Waits until the folder is a root, which is soon, or was refused; reading it goes on. Throws ApiError. */
async function begun(id: string): Promise<void> {
  for (;;) {
    const job = await get<Job>(`/jobs/${id}`);
    if (job.error) throw new ApiError(422, job.error.code, job.error.message);
    await loadRoots();
    if (roots.peek()?.length || job.state !== 'running') return;
    await new Promise((done) => setTimeout(done, 400));
  }
}

export default function First() {
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const path = String(new FormData(event.currentTarget as HTMLFormElement).get('path')).trim();
    setBusy(true);
    setWrong('');
    try {
      const { job } = await change<{ job: string }>('POST', '/roots', { path });
      await begun(job);
      say('The folder is being read: what is found shows as it comes');
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
