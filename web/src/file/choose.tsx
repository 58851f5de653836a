// The tree of folders in which a person chooses one: radio buttons, which every screen reader knows.
import { useState } from 'preact/hooks';
import { Icon } from '../shell/icon';
import { Name } from '../shell/name';
import type { Folders, Target } from '../shell/room';
import { Failed, useLoad } from '../shell/ui';
import { everyFolder, path as pathOf } from './tree';
import { t } from './words';

interface ChooserProps {
  here: string | undefined; // the folder that is shown, to begin at
  stuck: ReadonlySet<string>; // the folders that can take nothing
  barred?: string; // where everything lies already
  below?: boolean; // the top takes nothing
  target: Target | undefined;
  pick: (to: Target) => void;
}

export function Chooser({ here = '', stuck, barred, below, target, pick }: ChooserProps) {
  const { data: above, problem } = useLoad(() => pathOf(here), [here]);
  const opened = new Set(['', ...(above ?? []).map((e) => e.id)]);
  return (
    <fieldset class="tree">
      <legend>{t('where')}</legend>
      {problem ? <Failed problem={problem} /> : above && (
        <ul><Branch id="" name={t('files')} opened={opened} stuck={stuck} barred={barred} below={below} target={target?.id} pick={pick} /></ul>
      )}
    </fieldset>
  );
}

const none: ReadonlySet<string> = new Set();

// Choose is the tree for other rooms.
export const Choose: Folders['Choose'] = (props) => <Chooser here={undefined} stuck={none} {...props} />;

interface BranchProps {
  id: string;
  name: string;
  opened: ReadonlySet<string>;
  stuck: ReadonlySet<string>;
  barred: string | undefined;
  below: boolean | undefined;
  target: string | undefined;
  pick: (to: Target) => void;
}

function Branch({ id, name, opened, stuck: all, barred, below, target, pick }: BranchProps) {
  const [open, setOpen] = useState(opened.has(id));
  const stuck = all.has(id);
  return (
    <li>
      <div class="branch">
        <button type="button" class="icon-button small" aria-expanded={open && !stuck} disabled={stuck} aria-label={t('foldersIn', { name })} onClick={() => setOpen(!open)}>
          <Icon name="chevron" class={open && !stuck ? 'down' : undefined} />
        </button>
        <label class={target === id ? 'chosen' : undefined}>
          <input type="radio" name="target" value={id} required checked={target === id} disabled={stuck || id === barred || (below && id === '')} onChange={() => pick({ id, name })} />
          <Icon name="folder" /> <Name name={name} read /> {id === barred && <span class="hint">{t('isHere')}</span>}
        </label>
      </div>
      {open && !stuck && <Twigs id={id} opened={opened} stuck={all} barred={barred} below={below} target={target} pick={pick} />}
    </li>
  );
}

function Twigs(props: Omit<BranchProps, 'name'>) {
  const { data, problem, reload } = useLoad((signal) => everyFolder(props.id, signal), [props.id]);
  if (problem) return <Failed problem={problem} retry={reload} />;
  if (data?.length === 0) return props.id === '' ? <p class="hint">{t('noFolders')}</p> : null;
  return <ul>{data?.map((f) => <Branch {...props} key={f.id} id={f.id} name={f.name} />)}</ul>;
}
