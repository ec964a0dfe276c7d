/** What was done, newest first, and the way back. */
import { Icon } from '../components/icons';
import { Loading, Problem } from '../components/states';
import { instant, many } from '../format';
import { reread } from '../list/live';
import { useFetched } from '../list/paged';
import { mayWrite } from '../session';
import { undo, undoable } from '../toasts';
import '../styles/care.css';

interface Operation {
  id: string;
  at: number;
  actor: string;
  command: string;
  summary: string;
  events: number;
  files: number;
  undone: boolean;
}

export default function Operations() {
  // what was done here shows at once, what others do with the next change
  const turn = `${reread.value} ${undoable.value?.operation ?? ''}`;
  const { value, wrong, again } = useFetched<{ operations: Operation[] }>('/operations', { limit: 100 }, turn);
  if (wrong && !value) return <Problem wrong={wrong} onRetry={again} />;
  if (!value) return <Loading />;
  return (
    <div class="page">
      <div class="narrow-page">
        <header class="view-head flush">
          <h1>What was done</h1>
        </header>
        {value.operations.length === 0 && <p class="empty">Nothing yet. Moves, tags, ratings and lists show here, and can be taken back.</p>}
        <ol class="operations">
          {value.operations.map((each) => (
            <li key={each.id} class={each.undone ? 'undone' : ''}>
              <span class="says">
                <b>{each.summary || each.command}</b>
                <small>
                  {[instant(each.at), each.actor, each.files && many(each.files, 'file'), each.events && many(each.events, 'event'), each.undone && 'undone'].filter(Boolean).join(' · ')}
                </small>
              </span>
              {mayWrite.value && !each.undone && (
                <button
                  aria-label={`Undo ${each.summary || each.command}`}
                  onClick={() => void undo(each.id, each.summary || each.command).then(again)}
                >
                  <Icon name="undo" />
                  Undo
                </button>
              )}
            </li>
          ))}
        </ol>
      </div>
    </div>
  );
}
