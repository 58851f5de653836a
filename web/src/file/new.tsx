// The file room's entries of "New". They work on every page: beside the list they mean the
// folder that is shown, elsewhere the top.
import { go, path } from '../shell/router';
import { ask, toast } from '../shell/ui';
import { NewFolder } from './dialogs';
import { pick } from './pick';
import { refreshFolder } from './refresh';
import { add } from './upload';
import { chosen, type Tree } from './walk';
import { t } from './words';

// shown is the folder whose page is shown; "" is the top, and any other page.
export const shown = () => /^\/files\/([^/]+)/.exec(path.value)?.[1] ?? '';

export function newFolder(): void {
  const parent = shown();
  void ask((close) => <NewFolder parent={parent} onClose={close} onDone={async () => arrive(parent)} />);
}

export const chooseFiles = () => choose(false);
export const chooseFolder = () => choose(true);

function choose(folder: boolean): void {
  const parent = shown();
  pick({ folder }, (files) => {
    void upload(Promise.resolve(chosen(files)), parent);
    if (!path.value.startsWith('/files')) go('/files');
  });
}

export async function upload(tree: Promise<Tree>, parent: string): Promise<void> {
  try {
    add(await tree, parent);
  } catch (err) {
    console.error(err);
    toast(t('unreadable'), true);
  }
}

// arrive shows what was made in a folder.
function arrive(parent: string): void {
  refreshFolder(parent);
  if (!path.value.startsWith('/files')) go('/files');
}
