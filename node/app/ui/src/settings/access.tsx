/** App passwords for players on other devices, and where one is logged in. */
import { useRef, useState } from 'preact/hooks';
import { ApiError, change } from '../api';
import { confirm } from '../components/dialog';
import { Icon } from '../components/icons';
import { Loading, Problem } from '../components/states';
import { instant } from '../format';
import { useFetched } from '../list/paged';
import { loadSession, session } from '../session';
import { report, say } from '../toasts';

interface Key {
  id: string;
  name: string;
  created_at: number;
  used_at: number | null;
}

interface Login {
  id: string;
  client: string;
  created_at: number;
  used_at: number | null;
  current: boolean;
}

/** Copies what is selected in a field: navigator.clipboard is missing on a plain HTTP origin. */
function copy(field: HTMLInputElement): void {
  field.focus();
  field.select();
  if (document.execCommand('copy')) say('Copied');
  else say('It is selected: copy it with Ctrl+C');
}

export function Keys() {
  const { value, wrong, again } = useFetched<{ keys: Key[] }>('/keys');
  const [made, setMade] = useState<{ name: string; secret: string } | null>(null);
  const [refusal, setRefusal] = useState('');
  const secret = useRef<HTMLInputElement>(null);
  if (wrong && !value) return <Problem wrong={wrong} onRetry={again} />;
  if (!value) return <Loading />;
  const make = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    setRefusal('');
    try {
      setMade(await change<{ name: string; secret: string }>('POST', '/keys', { name: String(new FormData(form).get('name')).trim() }));
      form.reset();
    } catch (problem) {
      if (!(problem instanceof ApiError)) throw problem;
      setRefusal(problem.message);
    }
    again();
  };
  const remove = async (key: Key) => {
    if (!(await confirm(`Remove the app password ${key.name}?`, 'Whatever uses it is locked out at once.', 'Remove'))) return;
    await change('DELETE', `/keys/${key.id}`).catch(report);
    again();
  };
  const name = session.value?.user?.name ?? '';
  return (
    <>
      <p class="faint">
        One for each player or program: music players that speak Subsonic (Symfonium, DSub, Amperfy, play:Sub), scripts. Its address is <code>{location.origin}</code>, the user <code>{name}</code>.
      </p>
      {made && (
        <div class="notice secret">
          <p>
            <b>{made.name}</b>: this is shown once. Put it where the password is asked for.
          </p>
          <span class="copy-line">
            <input ref={secret} readOnly value={made.secret} aria-label={`App password ${made.name}`} onFocus={(event) => event.currentTarget.select()} />
            <button onClick={() => secret.current && copy(secret.current)}>
              <Icon name="copy" />
              Copy
            </button>
          </span>
          <button class="link" onClick={() => setMade(null)}>
            I have it
          </button>
        </div>
      )}
      <ul class="rows-of">
        {value.keys.map((each) => (
          <li key={each.id}>
            <Icon name="key" />
            <span class="says">
              <b>{each.name}</b>
              <small>
                made {instant(each.created_at)}, {each.used_at ? `last used ${instant(each.used_at)}` : 'never used'}
              </small>
            </span>
            <button class="icon" aria-label={`Remove ${each.name}`} onClick={() => void remove(each)}>
              <Icon name="trash" />
            </button>
          </li>
        ))}
      </ul>
      <form class="fields line" onSubmit={make}>
        <label class="field">
          <span>Name of the device or program</span>
          <input name="name" required maxLength={64} placeholder="Phone" autocomplete="off" />
        </label>
        <button class="primary">Make one</button>
      </form>
      {refusal && (
        <p class="wrong" role="alert">
          {refusal}
        </p>
      )}
    </>
  );
}

export function Sessions() {
  const { value, wrong, again } = useFetched<{ sessions: Login[] }>('/sessions');
  if (wrong && !value) return <Problem wrong={wrong} onRetry={again} />;
  if (!value) return <Loading />;
  const end = async (login: Login) => {
    try {
      await change('DELETE', `/sessions/${login.id}`);
      say('The session is ended');
      if (login.current) return await loadSession();
    } catch (problem) {
      report(problem);
    }
    again();
  };
  return (
    <ul class="rows-of">
      {value.sessions.map((each) => (
        <li key={each.id}>
          <span class="says">
            <b>
              {browser(each.client)}
              {each.current ? ' (this one)' : ''}
            </b>
            <small>
              since {instant(each.created_at)}
              {each.used_at ? `, last used ${instant(each.used_at)}` : ''}
            </small>
          </span>
          <button aria-label={`End the session of ${browser(each.client)}${each.current ? ', this one' : ''}`} onClick={() => void end(each)}>
            End
          </button>
        </li>
      ))}
    </ul>
  );
}

/** A browser and system in two words, from its User-Agent; else that itself. */
function browser(agent: string): string {
  const name = /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(agent)?.[1];
  const system = /(Windows|Android|iPhone|iPad|Mac OS X|Linux)/.exec(agent)?.[1];
  const called: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', 'Mac OS X': 'macOS' };
  return name ? [called[name] ?? name, system && `on ${called[system] ?? system}`].filter(Boolean).join(' ') : agent || 'A program';
}
