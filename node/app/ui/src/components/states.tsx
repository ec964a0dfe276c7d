/** Waiting, and what went wrong, where a view would be. */
import type { ApiError } from '../api';
import { Icon } from './icons';

export function Loading() {
  return (
    <div class="loading" role="status">
      <span class="hidden">Loading</span>
    </div>
  );
}

export function Problem({ wrong, onRetry }: { wrong: ApiError; onRetry?: () => void }) {
  return (
    <div class="empty" role="alert">
      <Icon name="warning" />
      <h1>{wrong.message}</h1>
      <p class="faint">{wrong.status === 0 || wrong.status === 503 ? 'It is tried again by itself.' : wrong.code}</p>
      {onRetry && <button onClick={onRetry}>Try again</button>}
    </div>
  );
}
