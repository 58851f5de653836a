// The drop that this tab is in. It outlives the pages: bytes flow on while a person moves in the app.
import { computed, effect, signal } from '@preact/signals';
import { percent } from '../shell/pace';
import { toast, toastProblem } from '../shell/ui';
import { offeredFrom, openDrop, resumeDrop, type Drop, type Offered, type State } from './drop';
import { t } from './words';

export const current = signal<Drop | undefined>(undefined);
export const opening = signal(false);

// names are those that the current drop has had: the host may rename it.
const names = new Set<string>();

export function be(drop: Drop | undefined): void {
  names.clear();
  current.value = drop;
}

export const isCalled = (name: string): boolean => names.has(name);

const alive = (): boolean => current.peek() !== undefined && current.peek()!.state.peek().phase !== 'closed';

// resume goes on with what this browser was in before the page was loaded anew.
export async function resume(want: { name?: string; host?: boolean }): Promise<void> {
  if (current.peek()) return;
  const drop = await resumeDrop(want);
  if (drop && !current.peek()) be(drop);
}

// settled answers the state in which opening or joining has ended.
export function settled(drop: Drop, tell?: (phase: State['phase']) => void): Promise<State> {
  return new Promise((resolve) => {
    const stop = effect(() => {
      const state = drop.state.value;
      tell?.(state.phase);
      if (state.phase !== 'in' && state.phase !== 'closed') return;
      resolve(state);
      queueMicrotask(() => stop());
    });
  });
}

// send offers files: in the drop that is open, else in a new one. Without files it only opens.
export async function send(files?: Promise<Offered[]>): Promise<void> {
  if (opening.peek()) return;
  opening.value = true;
  try {
    const offered = await files?.catch((err: unknown) => {
      console.error(err);
      toast(t('unreadable'), true);
    });
    if (files && !offered) return;
    if (offered?.length === 0) return toast(t('nothingFound'), true);
    if (!alive()) {
      be(await openDrop());
      if ((await settled(current.peek()!)).phase === 'closed') return;
    }
    if (offered) await current.peek()!.offer(offered);
  } catch (err) {
    toastProblem(err);
  } finally {
    opening.value = false;
  }
}

export const dropped = (transfer: DataTransfer): void => void send(offeredFrom(transfer));

// forget leaves a drop that is over behind.
export async function forget(): Promise<void> {
  const drop = current.peek();
  be(undefined);
  await drop?.stop();
}

const flows = ({ outgoing, incoming }: State) => ({
  out: outgoing.filter((o) => o.state === 'running'),
  in: incoming.filter((i) => i.state === 'running' || i.state === 'retrying' || i.state === 'checking'),
});

// flowing: leaving the page now breaks something off.
export const flowing = computed(() => {
  if (!current.value) return false;
  const moving = flows(current.value.state.value);
  return moving.out.length + moving.in.length > 0;
});

// titled puts the progress before the title of a page.
const share = computed(() => {
  if (!current.value) return undefined;
  const moving = flows(current.value.state.value);
  const parts = [...moving.out.map((o) => [o.confirmed, o.total] as const), ...moving.in.map((i) => [i.done, i.total] as const)];
  if (parts.length === 0) return undefined;
  const whole = parts.reduce((sum, [, total]) => sum + total, 0);
  return whole === 0 ? undefined : percent(parts.reduce((sum, [done]) => sum + done, 0), whole);
});

export const titled = (title: string): string => (share.value === undefined ? title : `${share.value} · ${title}`);

export function startDrops(): void {
  addEventListener('beforeunload', (event) => {
    if (flowing.peek()) event.preventDefault();
  });
  effect(() => {
    const name = current.value?.state.value.name;
    if (name) names.add(name);
  });
}
