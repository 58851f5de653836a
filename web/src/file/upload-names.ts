// Taken names: what is asked before an upload begins.
import { asProblem } from '../shell/problem';
import { toast, toastProblem } from '../shell/ui';
import { askTaken } from './question';
import { inTurn, same, settle, type Reply } from './taken';
import { everything, type Entry } from './tree';
import { fail, release, runs, uploads, type Folders, type Upload } from './upload-model';
import { t } from './words';

const questions = inTurn();

interface Clash {
  top: string;
  there?: Entry; // undefined: it is on its way there
  files: Upload[];
}

const inFolder = (c: Clash): boolean => c.files.length === 0 || c.files[0]!.path.length > 0;

// A folder is not replaced, and replaces nothing.
const replaceable = (c: Clash): boolean => !inFolder(c) && c.there?.kind === 'file';

// check looks for taken names, asks what to do with them, and lets the rest go; `work` sends
// what may go.
export async function check(fresh: readonly Upload[], root: string, work: () => void, paths: readonly string[][] = [], folders?: Folders): Promise<void> {
  let there: Map<string, Entry>;
  try {
    there = new Map((await everything(root)).map((e) => [same(e.name), e]));
  } catch (err) {
    const problem = asProblem(err);
    for (const u of fresh) if (u.state.peek() === 'asking') fail(u, problem);
    if (fresh.length === 0) toastProblem(problem);
    return;
  }
  // Of two drops with the same name the later one asks.
  const coming = new Set(uploads.peek().filter((u) => runs(u) && u.root === root && !fresh.includes(u) && (u.settled || u.id < (fresh[0]?.id ?? 0))).map((u) => same(u.top)));
  const clashes = new Map<string, Clash>();
  const free: Upload[] = [];
  for (const u of fresh) {
    const name = same(u.top);
    // The folder that an earlier try of the same drop has made is no other.
    const begun = u.path.length > 0 && uploads.peek().some((o) => o.settled && o.folders === u.folders && o.top === u.top);
    if (begun) {
      free.push(u);
    } else if (there.has(name) || coming.has(name)) {
      if (!clashes.has(name)) clashes.set(name, { top: u.top, there: there.get(name), files: [] });
      clashes.get(name)!.files.push(u);
    } else {
      free.push(u);
    }
  }
  // A folder without files has no upload, yet its name may be taken too.
  for (const [top] of paths) {
    const name = same(top!);
    if (there.has(name) && !clashes.has(name)) clashes.set(name, { top: top!, there: there.get(name), files: [] });
  }
  for (const u of free) release(u);
  // Made even when nothing lies in them.
  const make = (of: (top: string) => boolean) => {
    for (const path of paths.filter(([top]) => of(same(top!)))) {
      folders?.id(path).catch((err) => {
        // Where files go into the folder, each of them tells it.
        if (!fresh.some((u) => u.top === path[0])) toastProblem(err);
      });
    }
  };
  make((top) => !clashes.has(top));
  work();
  if (clashes.size > 0) await questions(() => decide([...clashes.values()], make, work));
}

async function decide(clashes: readonly Clash[], make: (of: (top: string) => boolean) => void, work: () => void): Promise<void> {
  // Those that were cancelled meanwhile are no question any more.
  const open = clashes.filter((c) => c.files.length === 0 || c.files.some((u) => u.state.peek() === 'asking'));
  for (const { files } of open) for (const u of files) u.held.value = 'answer';
  const answers = await settle(open, (c, left): Promise<Reply> => askTaken({
    name: c.top, folder: inFolder(c), files: c.files.length, size: c.files[0]?.size ?? 0, modified: c.files[0]?.file?.lastModified, there: c.there, replaceable: replaceable(c),
  }, left), replaceable);
  let skipped = 0;
  for (const [at, { top, files }] of open.entries()) {
    const answer = answers[at];
    if (answer === 'skip') {
      skipped++;
      uploads.value = uploads.peek().filter((u) => !files.includes(u));
      continue;
    }
    for (const u of files) {
      u.replace = answer === 'replace';
      release(u);
    }
    make((name) => name === same(top));
  }
  if (skipped > 0) toast(t('skipped', { count: skipped }));
  work();
}
