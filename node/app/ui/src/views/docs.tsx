/** The HTTP interface for people: /openapi.json as a page, and the handlers' own descriptions. */
import { useState } from 'preact/hooks';
import { Loading, Problem } from '../components/states';
import { count } from '../format';
import { useFetched } from '../list/paged';
import { Handlers, type Handler } from '../settings/about';
import '../styles/care.css';
import '../styles/settings.css';

interface Schema {
  type?: string | string[];
  enum?: unknown[];
  description?: string;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  default?: unknown;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  anyOf?: Schema[];
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
  responses?: Record<string, { description?: string; content?: Record<string, unknown> }>;
}

interface Description {
  info: { title: string; version: string; description?: string };
  tags?: { name: string; description?: string }[];
  paths: Record<string, Record<string, Operation>>;
}

/** A schema in a few words. */
function words(schema: Schema | undefined): string {
  if (!schema) return '';
  if (schema.enum) return schema.enum.map(String).join(' | ');
  if (schema.anyOf) return schema.anyOf.map(words).join(' or ');
  const type = Array.isArray(schema.type) ? schema.type.join(' or ') : (schema.type ?? '');
  const of = schema.items ? ` of ${words(schema.items)}` : '';
  const range = schema.minimum !== undefined || schema.maximum !== undefined ? ` ${schema.minimum ?? ''}…${schema.maximum ?? ''}` : '';
  const usual = schema.default === undefined ? '' : `, default ${JSON.stringify(schema.default)}`;
  return `${type}${of}${range}${usual}`;
}

export default function Docs() {
  const { value, wrong, again } = useFetched<Description>('/openapi.json');
  const { value: found } = useFetched<{ handlers: Handler[] }>('/handlers');
  const [filter, setFilter] = useState('');
  if (wrong && !value) return <Problem wrong={wrong} onRetry={again} />;
  if (!value) return <Loading />;
  const all = Object.entries(value.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })));
  const asked = filter.trim().toLowerCase();
  const shown = all.filter((each) => !asked || `${each.method} ${each.path} ${each.summary ?? ''}`.toLowerCase().includes(asked));
  const groups = (value.tags ?? []).map((tag) => ({ ...tag, inside: shown.filter((each) => each.tags?.includes(tag.name)) })).filter((each) => each.inside.length);
  return (
    <div class="page">
      <div class="narrow-page docs">
        <header class="view-head flush">
          <h1>
            Interface of {value.info.title} <small class="faint">{value.info.version}</small>
          </h1>
          <a class="button" href="./openapi.json" target="_blank" rel="noopener">
            openapi.json
          </a>
        </header>
        <p class="faint">
          {value.info.description} Programs send <code>Authorization: Bearer</code> and an app password of the settings. {count(all.length)} operations.
        </p>
        <label class="field">
          <span>Find one</span>
          <input type="search" value={filter} onInput={(event) => setFilter(event.currentTarget.value)} placeholder="tags, /file, upload" />
        </label>
        {groups.map((group) => (
          <section key={group.name}>
            <h2>{group.name}</h2>
            <p class="faint">{group.description}</p>
            <ul class="operations-of">
              {group.inside.map((each) => (
                <li key={`${each.method} ${each.path}`}>
                  <details>
                    <summary>
                      <code class={`method ${each.method}`}>{each.method.toUpperCase()}</code> <code>{each.path}</code>
                      <span>{each.summary}</span>
                    </summary>
                    <One of={each} />
                  </details>
                </li>
              ))}
            </ul>
          </section>
        ))}
        {!shown.length && <p class="empty">None like that.</p>}
        {found && !asked && (
          <section>
            <h2>handlers</h2>
            <p class="faint">What reads and writes files, each in a process of its own.</p>
            <Handlers handlers={found.handlers} />
          </section>
        )}
      </div>
    </div>
  );
}

function One({ of }: { of: Operation }) {
  const body = Object.entries(of.requestBody?.content ?? {});
  const answers = Object.entries(of.responses ?? {}).filter(([status]) => status !== 'default');
  return (
    <div class="operation">
      {of.description && <p>{of.description}</p>}
      {of.parameters && of.parameters.length > 0 && (
        <div class="table" role="region" aria-label="Parameters" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">Parameter</th>
                <th scope="col">In</th>
                <th scope="col">What</th>
              </tr>
            </thead>
            <tbody>
              {of.parameters.map((each) => (
                <tr key={each.in + each.name}>
                  <td>
                    <code>{each.name || '(none)'}</code>
                    {each.required ? ' *' : ''}
                  </td>
                  <td>{each.in}</td>
                  <td>{[words(each.schema), each.description ?? each.schema?.description].filter(Boolean).join(' · ')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {body.map(([type, { schema }]) => (
        <div key={type}>
          <p>
            Body, <code>{type}</code>
          </p>
          {schema?.properties && (
            <dl class="about">
              {Object.entries(schema.properties).map(([name, each]) => (
                <div key={name}>
                  <dt>
                    <code>{name}</code>
                    {schema.required?.includes(name) ? ' *' : ''}
                  </dt>
                  <dd>{[words(each), each.description].filter(Boolean).join(' · ')}</dd>
                </div>
              ))}
            </dl>
          )}
        </div>
      ))}
      {answers.map(([status, each]) => (
        <p key={status}>
          <code>{status}</code> {[Object.keys(each.content ?? {}).join(', '), each.description].filter(Boolean).join(' · ')}
        </p>
      ))}
    </div>
  );
}
