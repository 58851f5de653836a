// The calls of a link's pages. A guest has no account, so no call carries a session.
import { useEffect, useRef, useState } from 'preact/hooks';
import { get, post, type Answer } from '../shell/api';
import { asProblem, Problem } from '../shell/problem';
import { toastProblem } from '../shell/ui';

type Visit = Answer<'get', '/public/shares/{token}'>;
type Seen = Visit['items'][number];

// An Item's id is its way below the shared folder: the server names no other.
export interface Item extends Seen {
  id: string;
}

export type ReadLink = Omit<Visit, 'kind' | 'entry'> & { kind: 'read'; entry: Seen };
export type RequestLink = Omit<Visit, 'kind' | 'entry'> & { kind: 'request' };
export type Link = ReadLink | RequestLink;

export const below = (folder: string, name: string): string => (folder ? `${folder}/${name}` : name);

// page is the address of a folder below a link.
export const page = (token: string, path: string): string => `/s/${encodeURIComponent(token)}${path && '?path=' + encodeURIComponent(path)}`;

async function look(token: string, path: string, signal: AbortSignal, cursor?: string): Promise<Link> {
  const { entry, ...link } = await get('/public/shares/{token}', { open: true, path: { token }, query: { path, limit: 100, cursor }, signal });
  return link.kind === 'read' ? { ...link, kind: 'read', entry: entry! } : { ...link, kind: 'request' };
}

export const unlock = (token: string, password: string): Promise<unknown> => post('/public/shares/{token}/unlock', { open: true, path: { token }, body: { password } });

// A Door is what stands between a person and what is shared. `over`: the last download was theirs.
export type Door =
  | { is: 'loading' | 'locked' | 'gone' }
  | { is: 'astray'; name: string } // the link works, but has no such folder
  | { is: 'failed'; problem: Problem }
  | { is: 'open'; path: string; link: Link; items: Item[]; next: string; over?: true };

type Open = Extract<Door, { is: 'open' }>;

export interface Way {
  door: Door;
  load: () => Promise<void>;
  // more reads on in the folder.
  more: () => Promise<void>;
  stuck: Problem | undefined; // why it did not
  // used looks again at a link that the person has used; had: with success.
  used: (had: boolean) => Promise<void>;
}

// useWay follows a link to a path below it. Folders that were read stay, for the way back.
export function useWay(token: string, path: string): Way {
  const kept = useRef(new Map<string, Open>());
  const [door, set] = useState<Door>({ is: 'loading' });
  const [stuck, setStuck] = useState<Problem>();
  const asking = useRef<AbortController>(undefined);
  const reading = useRef(false);

  function show(open: Open): void {
    kept.current.set(open.path, open);
    set(open);
  }

  // instead shows a door in place of an open one, unless the person went on to another folder meanwhile.
  const instead = (of: Open, to: (shown: Open) => Door): void => set((shown) => (shown.is === 'open' && shown.path === of.path ? to(shown) : shown));

  async function load(): Promise<void> {
    asking.current?.abort();
    const mine = (asking.current = new AbortController());
    const was = kept.current.get(path);
    setStuck(undefined);
    if (was) set(was);
    try {
      const link = await look(token, path, mine.signal);
      if (!mine.signal.aborted) show(was ? { ...was, link } : { is: 'open', path, link, ...listed(link, path) });
    } catch (err) {
      if (mine.signal.aborted) return;
      const next = refused(asProblem(err));
      if (next.is === 'failed' && was) return toastProblem(next.problem);
      if (next.is !== 'gone' || !path) return set(next);
      // The folder alone may be gone.
      const root = await look(token, '', mine.signal).then((link): Door => ({ is: 'astray', name: link.name }), (failed) => refused(asProblem(failed)));
      if (!mine.signal.aborted) set(root);
    }
  }
  useEffect(() => {
    void load();
    return () => asking.current?.abort();
  }, [path]);

  return {
    door, load, stuck,
    async more() {
      if (door.is !== 'open' || !door.next || reading.current) return;
      reading.current = true;
      setStuck(undefined);
      try {
        const link = await look(token, door.path, asking.current!.signal, door.next);
        const { items, next } = listed(link, door.path);
        const now = kept.current.get(door.path) ?? door;
        const longer: Open = { ...now, items: [...now.items, ...items], next };
        kept.current.set(door.path, longer);
        instead(door, () => longer);
      } catch (err) {
        const problem = asProblem(err);
        if (asking.current!.signal.aborted) return;
        const to = refused(problem);
        if (to.is === 'failed') setStuck(problem);
        else set(to);
      } finally {
        reading.current = false;
      }
    },
    async used(had) {
      if (door.is !== 'open') return;
      try {
        const link = await look(token, door.path, new AbortController().signal);
        const now: Open = { ...(kept.current.get(door.path) ?? door), link };
        kept.current.set(door.path, now);
        instead(door, () => now);
      } catch (err) {
        const to = refused(asProblem(err));
        const limited = door.link.downloads_left !== null;
        if (to.is === 'gone' && limited && had) set((shown) => (shown.is === 'open' ? { ...shown, over: true } : shown));
        else if (to.is !== 'failed') instead(door, () => to);
      }
    },
  };
}

function listed(link: Link, path: string): Pick<Open, 'items' | 'next'> {
  if (link.kind !== 'read') return { items: [], next: '' };
  return { items: link.items.map((item) => ({ ...item, id: below(path, item.name) })), next: link.next_cursor ?? '' };
}

export function refused(problem: Problem): Door {
  if (problem.code === 'share_password_required') return { is: 'locked' };
  return problem.status === 404 ? { is: 'gone' } : { is: 'failed', problem };
}
