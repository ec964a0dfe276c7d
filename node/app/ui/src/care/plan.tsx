/** The plan of a move, as the daemon worked it out: what goes where, what is in the way. */
import { bytes, count, many } from '../format';

interface Step {
  action: string;
  method?: string;
  source?: string;
  destination: string;
  size?: number;
  state?: string;
  problem?: { code: string; message: string };
}

interface Pair {
  source: string;
  wanted: string;
  got: string;
}

/** docs/http.md, POST /move */
export interface MovePlan {
  steps: Step[];
  problems: { code: string; message: string; input?: string }[];
  already: Pair[];
  clashes: Pair[];
  notes: string[];
  unchanged?: number;
  bytes: number;
  done?: number;
  failed?: number;
  operation: string;
  fatal?: { code: string; message: string } | null;
}

/** Rows of the table; more are counted. */
const SHOWN = 200;

/** The part of two paths that differs: what stays the same at the front is said once above. */
function common(paths: readonly string[]): string {
  let shared = paths[0]?.slice(0, paths[0].lastIndexOf('/') + 1) ?? '';
  for (const each of paths) while (!each.startsWith(shared)) shared = shared.slice(0, shared.lastIndexOf('/', shared.length - 2) + 1);
  return shared.length > 1 ? shared : '';
}

export function Plan({ plan }: { plan: MovePlan }) {
  const files = plan.steps.filter((each) => each.action !== 'mkdir' && each.destination);
  const shared = common(files.flatMap((each) => [each.source ?? each.destination, each.destination]));
  const short = (path: string | undefined) => (path ?? '').slice(shared.length);
  return (
    <div class="plan">
      <p>
        <b>{many(files.length, 'file')}</b>, {bytes(files.reduce((sum, each) => sum + (each.size ?? 0), 0))}
        {files.length > 0 && (plan.bytes ? `, ${bytes(plan.bytes)} of them are copied` : ', on the same disk: at once')}
        {plan.unchanged ? `; ${many(plan.unchanged, 'is', 'are')} where they belong already` : ''}.
        {shared && (
          <>
            {' '}
            Within <code>{shared}</code>
          </>
        )}
      </p>
      {plan.fatal && (
        <p class="wrong" role="alert">
          {plan.fatal.message}
        </p>
      )}
      {plan.problems.length > 0 && (
        <div class="notice wrong" role="alert">
          <p>{many(plan.problems.length, 'file')} cannot be moved:</p>
          <ul>
            {plan.problems.slice(0, 20).map((each, at) => (
              <li key={at}>{[each.message, each.input].filter(Boolean).join(' · ')}</li>
            ))}
          </ul>
        </div>
      )}
      {plan.clashes.length > 0 && (
        <div class="notice">
          <p>{many(plan.clashes.length, 'name is', 'names are')} taken: these get another, nothing is overwritten.</p>
          <ul>
            {plan.clashes.slice(0, 20).map((each) => (
              <li key={each.source}>
                {short(each.wanted)} → {short(each.got)}
              </li>
            ))}
          </ul>
        </div>
      )}
      {plan.already.length > 0 && (
        <div class="notice">
          <p>{many(plan.already.length, 'file is', 'files are')} there already with the same content:</p>
          <ul>
            {plan.already.slice(0, 20).map((each) => (
              <li key={each.source}>
                {short(each.source)} = {short(each.got)}
              </li>
            ))}
          </ul>
        </div>
      )}
      {plan.notes.map((each) => (
        <p key={each} class="faint">
          {each}
        </p>
      ))}
      {files.length > 0 ? (
        <div class="table" role="region" aria-label="The plan" tabIndex={0}>
          <table>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col">How</th>
                <th scope="col" class="number">
                  Size
                </th>
              </tr>
            </thead>
            <tbody>
              {files.slice(0, SHOWN).map((each, at) => (
                <tr key={at}>
                  <td>{short(each.source)}</td>
                  <td>{short(each.destination)}</td>
                  <td>{each.method || each.action}</td>
                  <td class="number">{bytes(each.size)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p class="empty">Nothing is to be moved.</p>
      )}
      {files.length > SHOWN && <p class="faint">And {count(files.length - SHOWN)} more.</p>}
    </div>
  );
}
