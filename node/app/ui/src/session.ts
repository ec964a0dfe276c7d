/** Who asks, and what that person may. */
import { computed, signal } from '@preact/signals';
import { ApiError, change, get } from './api';
import type { Role, Root, Session } from './types';

export const session = signal<Session | null>(null);
/** null: not asked yet */
export const roots = signal<Root[] | null>(null);

const RANK: Record<Role, number> = { read: 1, write: 2, organise: 3, admin: 4 };
const rank = computed(() => (session.value?.role ? RANK[session.value.role] : 0));

export const mayRead = computed(() => rank.value >= 1);
export const mayWrite = computed(() => rank.value >= 2);
export const mayOrganise = computed(() => rank.value >= 3 && session.value?.features.organise !== false);
export const mayUpload = computed(() => mayWrite.value && session.value?.features.upload === true);
export const isAdmin = computed(() => rank.value >= 4);

/** Asks anew who this is. Throws ApiError. */
export async function loadSession(): Promise<void> {
  const found = await get<Session>('/session');
  session.value = found;
  if (rank.value >= 1) await loadRoots();
}

/** The roots, for the first-run page and the settings. While the daemon is away they stay as they were known. */
export async function loadRoots(): Promise<void> {
  try {
    roots.value = (await get<{ roots: Root[] }>('/roots')).roots;
  } catch (wrong) {
    if (!(wrong instanceof ApiError)) throw wrong;
    if (wrong.status !== 503 && wrong.status !== 0) throw wrong;
  }
}

export async function login(name: string, password: string): Promise<void> {
  await change('POST', '/login', { name, password });
  await loadSession();
}

export async function logout(): Promise<void> {
  await change('POST', '/logout');
  session.value = null;
  roots.value = null;
  await loadSession();
}
