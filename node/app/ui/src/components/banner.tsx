/** Says when the server or the daemon behind it is away. Both come back by themselves. */
import { useEffect, useState } from 'preact/hooks';
import { live, status } from '../events';
import { Icon } from './icons';

export function Banner({ reachable }: { reachable: boolean }) {
  const away = !reachable || !live.value ? 'server' : status.value.connected ? '' : 'daemon';
  const [shown, setShown] = useState('');
  useEffect(() => {
    // a feed that is opened anew at once is nothing to speak of
    const timer = setTimeout(() => setShown(away), away === 'server' ? 1500 : 300);
    return () => clearTimeout(timer);
  }, [away]);
  return (
    <div class="banner" role="status" hidden={!shown}>
      {shown && <Icon name="warning" />}
      {shown === 'server' && 'The server cannot be reached. What is here stays; it goes on by itself.'}
      {shown === 'daemon' && 'mediad is not running, or is just starting. It goes on by itself.'}
    </div>
  );
}
