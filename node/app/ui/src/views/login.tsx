import { useState } from 'preact/hooks';
import { ApiError } from '../api';
import { login } from '../session';
import { follow } from '../events';

export default function Login() {
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setWrong('');
    try {
      await login(String(data.get('name')), String(data.get('password')));
      follow();
      const { resume } = await import('../player/saved');
      await resume();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setWrong(problem.status === 401 ? 'This name and password do not belong together' : problem.message);
      setBusy(false);
    }
  };
  return (
    <main class="login">
      <form class="card" onSubmit={submit}>
        <img src="./icon.svg" alt="" width="56" height="56" />
        <h1>mediadb</h1>
        <label class="field">
          <span>Name</span>
          <input name="name" required autofocus autocomplete="username" autocapitalize="off" spellcheck={false} />
        </label>
        <label class="field">
          <span>Password</span>
          <input name="password" type="password" required autocomplete="current-password" />
        </label>
        <p class="wrong" role="alert">
          {wrong}
        </p>
        <button class="primary" disabled={busy}>
          Log in
        </button>
      </form>
    </main>
  );
}
