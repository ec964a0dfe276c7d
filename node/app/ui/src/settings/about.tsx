/** What runs here: versions, figures, notes of the daemon, what reads which files. */
import { Loading, Problem } from '../components/states';
import { bytes, count, span } from '../format';
import { useFetched } from '../list/paged';
import { session } from '../session';

interface Status {
  version: string;
  host_name?: string;
  uptime?: number;
  rss_bytes?: number | string;
  database?: string;
  database_version?: string;
  database_problem?: string;
  files?: number | string;
  items?: number | string;
  lag_p99_ms?: number;
  notes?: string[];
}

export interface Handler {
  name: string;
  version: number;
  application?: string;
  summary?: string;
  kinds?: string[];
  extensions?: string[];
  operations?: string[];
  fields?: string[];
  sandbox?: string;
}

export function About() {
  const { value: status, wrong, again } = useFetched<Status>('/status');
  const { value: found } = useFetched<{ handlers: Handler[] }>('/handlers');
  if (wrong && !status) return <Problem wrong={wrong} onRetry={again} />;
  if (!status) return <Loading />;
  const facts: [string, string][] = [
    ['Page and web server', session.value?.server.version ?? ''],
    ['Daemon (mediad)', `${status.version}${status.host_name ? ` on ${status.host_name}` : ''}`],
    ['Runs since', status.uptime === undefined ? '' : `${span(Number(status.uptime))}`],
    ['Database', [status.database_version && `PostgreSQL ${status.database_version.replace(/^PostgreSQL /, '')}`, status.database, status.database_problem].filter(Boolean).join(', ')],
    ['Files, items', `${count(Number(status.files ?? 0))}, ${count(Number(status.items ?? 0))}`],
    ['Memory of the daemon', bytes(Number(status.rss_bytes ?? 0))],
    ['Its loop waits at most (99 %)', status.lag_p99_ms === undefined ? '' : `${Number(status.lag_p99_ms).toFixed(1)} ms`],
  ];
  return (
    <>
      <dl class="about">
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      {status.notes && status.notes.length > 0 && (
        <div class="notice">
          <p>What the daemon wants to be known:</p>
          <ul>
            {status.notes.map((each) => (
              <li key={each}>{each}</li>
            ))}
          </ul>
        </div>
      )}
      <p>
        <a class="link" href="#/docs">
          The HTTP interface, for programs
        </a>
      </p>
      <h3>Handlers: what reads which files</h3>
      {found ? <Handlers handlers={found.handlers} /> : <Loading />}
    </>
  );
}

export function Handlers({ handlers }: { handlers: readonly Handler[] }) {
  return (
    <ul class="handlers">
      {handlers.map((each) => (
        <li key={each.name}>
          <details>
            <summary>
              <b>{each.name}</b> <small>{[each.kinds?.join(', '), each.operations?.join(', ')].filter(Boolean).join(' · ')}</small>
            </summary>
            {each.summary && <p>{each.summary}</p>}
            <dl class="about">
              <div>
                <dt>Version</dt>
                <dd>{each.version}</dd>
              </div>
              {each.extensions?.length ? (
                <div>
                  <dt>Extensions</dt>
                  <dd>{each.extensions.join(' ')}</dd>
                </div>
              ) : null}
              {each.fields?.length ? (
                <div>
                  <dt>Fields</dt>
                  <dd>{each.fields.join(', ')}</dd>
                </div>
              ) : null}
              {each.sandbox && (
                <div>
                  <dt>Locked into</dt>
                  <dd>{each.sandbox}</dd>
                </div>
              )}
            </dl>
          </details>
        </li>
      ))}
    </ul>
  );
}
