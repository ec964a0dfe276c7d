/** The sheet of shortcuts: those that hold right now. */
import { shortcuts } from '../keys';
import { Dialog } from './dialog';

const SHOWN: Record<string, string> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
};

const IN_LISTS: [string, string][] = [
  ['↑ ↓', 'Move; with Shift choose'],
  ['x', 'Choose'],
  ['Enter', 'Open or play'],
  ['Ctrl+A', 'Choose all'],
  ['Shift+F10', 'Menu'],
  ['Alt+↑ Alt+↓', 'Move it within its list'],
  ['Delete', 'Take it out of its list'],
  ['Esc', 'Choose nothing, close'],
];

const spell = (keys: string) => keys.replace(/Arrow\w+/g, (each) => SHOWN[each] ?? each);

export function HelpSheet({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keyboard shortcuts" onClose={onClose} form="wide">
      <div class="shortcuts">
        {[...shortcuts()].map(([group, all]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {all.map((each) => (
                <div key={each.keys}>
                  <dt>
                    {spell(each.keys)
                      .split(' ')
                      .map((key) => (
                        <kbd key={key}>{key}</kbd>
                      ))}
                  </dt>
                  <dd>{each.what}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h3>In lists</h3>
          <dl>
            {IN_LISTS.map(([keys, what]) => (
              <div key={keys}>
                <dt>
                  {keys.split(' ').map((key) => (
                    <kbd key={key}>{key}</kbd>
                  ))}
                </dt>
                <dd>{what}</dd>
              </div>
            ))}
          </dl>
        </section>
      </div>
    </Dialog>
  );
}
