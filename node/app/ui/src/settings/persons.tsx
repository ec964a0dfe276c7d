/** Who may log in and what each may do; one's own password. */
import { useState } from 'preact/hooks';
import { ApiError, change } from '../api';
import { confirm } from '../components/dialog';
import { Icon } from '../components/icons';
import { Loading, Problem } from '../components/states';
import { instant } from '../format';
import { useFetched } from '../list/paged';
import { loadSession, session } from '../session';
import { report, say } from '../toasts';
import type { Role } from '../types';

interface User {
  name: string;
  role: Role;
  created_at: number;
  seen_at: number | null;
}

const ROLES: [Role, string][] = [
  ['read', 'See and play'],
  ['write', 'Also tag, rate, make lists, upload'],
  ['organise', 'Also move and rename files'],
  ['admin', 'Everything, also persons and folders'],
];

/** Sends a form; what the server refuses is said in it. */
function useForm(send: (data: Record<string, string>) => Promise<void>) {
  const [wrong, setWrong] = useState('');
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const data = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, String(value)]));
    setBusy(true);
    setWrong('');
    try {
      await send(data);
      form.reset();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setWrong(problem.message);
    } finally {
      setBusy(false);
    }
  };
  const Wrong = () => (
    <p class="wrong" role="alert">
      {wrong}
    </p>
  );
  return { submit, busy, Wrong };
}

export function Password() {
  const name = session.value?.user?.name ?? '';
  const { submit, busy, Wrong } = useForm(async ({ current, password, again }) => {
    if (password !== again) throw new ApiError(0, 'invalid_argument', 'The new passwords are not the same');
    await change('PATCH', `/users/${encodeURIComponent(name)}`, { current, password });
    say('The password is changed');
  });
  return (
    <form class="fields" onSubmit={submit}>
      <p class="faint">You are {name}. Players on other devices take app passwords, not this one.</p>
      <input type="hidden" name="username" autocomplete="username" value={name} />
      <label class="field">
        <span>Password until now</span>
        <input name="current" type="password" required autocomplete="current-password" />
      </label>
      <label class="field">
        <span>New password, 8 characters at least</span>
        <input name="password" type="password" required minLength={8} maxLength={1024} autocomplete="new-password" />
      </label>
      <label class="field">
        <span>The same again</span>
        <input name="again" type="password" required autocomplete="new-password" />
      </label>
      <Wrong />
      <p>
        <button class="primary" disabled={busy}>
          Change it
        </button>
      </p>
    </form>
  );
}

export function Persons() {
  const { value, wrong, again } = useFetched<{ users: User[] }>('/users');
  const me = session.value?.user?.name;
  const nobody = session.value?.open && value?.users.length === 0;
  const { submit, busy, Wrong } = useForm(async ({ name, role, password }) => {
    await change('POST', '/users', { name, role, password });
    say(`${name} can log in now`);
    if (session.peek()?.open) await loadSession(); // the first person closes the open house
    else again();
  });
  if (wrong && !value) return <Problem wrong={wrong} onRetry={again} />;
  if (!value) return <Loading />;
  const setRole = async (user: User, role: Role) => {
    try {
      await change('PATCH', `/users/${encodeURIComponent(user.name)}`, { role });
      say(`${user.name}: ${ROLES.find((each) => each[0] === role)?.[1]}`);
      if (user.name === me) await loadSession();
    } catch (problem) {
      report(problem);
    }
    again();
  };
  const remove = async (user: User) => {
    if (!(await confirm(`Remove ${user.name}?`, 'Sessions and app passwords end at once. What this person rated and tagged stays.', 'Remove'))) return;
    try {
      await change('DELETE', `/users/${encodeURIComponent(user.name)}`);
      say(`${user.name} is removed`);
    } catch (problem) {
      report(problem);
    }
    again();
  };
  return (
    <>
      {nobody && (
        <p class="notice">
          Nobody has an account yet: whoever reaches this server on this machine may do everything. The first person should be an admin; from then on everybody logs in.
        </p>
      )}
      <ul class="rows-of">
        {value.users.map((each) => (
          <li key={each.name}>
            <span class="says">
              <b>
                {each.name}
                {each.name === me ? ' (you)' : ''}
              </b>
              <small>{each.seen_at ? `last here ${instant(each.seen_at)}` : 'never here yet'}</small>
            </span>
            <label>
              <span class="hidden">Role of {each.name}</span>
              <select value={each.role} onChange={(event) => void setRole(each, event.currentTarget.value as Role)}>
                {ROLES.map(([role]) => (
                  <option key={role} value={role}>
                    {role}
                  </option>
                ))}
              </select>
            </label>
            <button class="icon" aria-label={`Remove ${each.name}`} onClick={() => void remove(each)}>
              <Icon name="trash" />
            </button>
          </li>
        ))}
      </ul>
      <form class="fields" onSubmit={submit}>
        <h3>{nobody ? 'The first person' : 'A person more'}</h3>
        <label class="field">
          <span>Name</span>
          <input name="name" required maxLength={64} autocomplete="off" autocapitalize="off" spellcheck={false} />
        </label>
        <label class="field">
          <span>Role</span>
          <select name="role" key={nobody ? 'first' : 'more'}>
            {ROLES.map(([role, what]) => (
              <option key={role} value={role} selected={role === (nobody ? 'admin' : 'write')}>
                {role}: {what}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Password, 8 characters at least</span>
          <input name="password" type="password" required minLength={8} maxLength={1024} autocomplete="new-password" />
        </label>
        <Wrong />
        <p>
          <button class="primary" disabled={busy}>
            Add
          </button>
        </p>
      </form>
    </>
  );
}
