// Work on many entries: how far it is, how it ended, and a way to stop it.
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { asProblem, say } from '../shell/problem';
import { ask, Dialog, toast, toastProblem, type Act } from '../shell/ui';
import { each, type Outcome } from './batch';
import { t } from './words';

interface Working {
  tried: number;
  count: number;
}

export type Work = ReturnType<typeof useWork>;

// useWork runs work on entries, tells how far it is, and can be stopped.
export function useWork() {
  const [working, setWorking] = useState<Working>();
  const stop = useRef<AbortController | undefined>(undefined);
  return {
    working,
    stop: () => stop.current?.abort(),
    async run<T>(items: readonly T[], work: (item: T, signal: AbortSignal) => Promise<unknown>): Promise<Outcome<T>> {
      const { signal } = (stop.current = new AbortController());
      setWorking({ tried: 0, count: items.length });
      try {
        return await each(items, (item) => work(item, signal), { signal, progress: (tried) => setWorking({ tried, count: items.length }) });
      } finally {
        setWorking(undefined);
      }
    },
  };
}

export function Progress({ working }: { working: Working | undefined }) {
  if (!working || working.count < 2) return null;
  return (
    <div class="working">
      <progress value={working.tried} max={working.count} aria-label={t('progress')} />
      <p class="hint">{t('triedOf', { tried: working.tried, count: working.count })}</p>
    </div>
  );
}

// report says how it ended; a single one that failed says so where it was asked for. What was done
// of the others can be undone where there is an `undo`.
export function report<T>(out: Outcome<T>, count: number, done: () => void, undo?: Act): void {
  const { failed, left } = out;
  if (failed.length === 0 && left.length === 0) return done();
  if (count === 1 && failed[0]) throw failed[0].problem;
  const act = out.done.length > 0 ? undo : undefined;
  if (failed.length === 0) return toast(t('stopped', { done: out.done.length, count }), true, act);
  toast(t('someFailed', { done: out.done.length, count, reason: say(failed[0]!.problem) }), true, act);
}

// workNow works without a question. A dialog tells how far it is, and shows only when there is
// something to tell.
export async function workNow(title: string, count: number, run: (work: Work) => Promise<void>): Promise<void> {
  await ask((close): ComponentChildren => <Now title={title} count={count} run={run} onClose={close} />);
}

function Now({ title, count, run, onClose }: { title: string; count: number; run: (work: Work) => Promise<void>; onClose: () => void }) {
  const work = useWork();
  const [slow, setSlow] = useState(false);
  useLayoutEffect(() => {
    const timer = setTimeout(() => setSlow(true), 600);
    run(work).catch((err) => toastProblem(asProblem(err))).finally(onClose);
    return () => clearTimeout(timer);
  }, []);
  if (!slow || count < 2) return null;
  return (
    <Dialog title={title} onClose={work.stop}>
      <Progress working={work.working} />
      <button type="button" class="button" onClick={work.stop}>{t('stop')}</button>
    </Dialog>
  );
}
