// The question about a name that is taken where something goes.
import { useState } from 'preact/hooks';
import { ago, size } from '../shell/i18n';
import { Form } from '../shell/form';
import { useSettings } from '../shell/settings';
import { ask, Dialog } from '../shell/ui';
import type { Reply } from './taken';
import type { Entry } from './tree';
import { t } from './words';

export interface Taken {
  name: string;
  folder: boolean;
  files: number; // how many come in the folder
  size: number;
  modified?: number;
  there?: Entry; // undefined: another upload is bringing it
  replaceable: boolean;
}

// askTaken settles when the person answered. Closing the question sends nothing.
export async function askTaken(taken: Taken, left: number): Promise<Reply> {
  let reply: Reply = { answer: 'skip', all: true };
  await ask((close) => <Question taken={taken} left={left} onReply={(r) => {
    reply = r;
    close();
  }} onClose={close} />);
  return reply;
}

interface QuestionProps {
  taken: Taken;
  left: number;
  onReply: (reply: Reply) => void;
  onClose: () => void;
}

function Question({ taken, left, onReply, onClose }: QuestionProps) {
  const [all, setAll] = useState(false);
  const { there, replaceable } = taken;
  // Until the server has said how many versions it keeps, the question promises nothing of the old one.
  const versions = useSettings()?.versions;
  const gone = replaceable && versions === 0;
  return (
    <Dialog title={taken.folder ? t('takenFolder') : t('takenFile')} onClose={onClose}>
      <Form submit={replaceable ? t('replace') : t('keepBoth')} danger={gone} onSubmit={async () => onReply({ answer: replaceable ? 'replace' : 'keep', all })} extra={<>
        {replaceable && <button type="button" class="button" onClick={() => onReply({ answer: 'keep', all })}>{t('keepBoth')}</button>}
        <button type="button" class="button" onClick={() => onReply({ answer: 'skip', all })}>{t('skip')}</button>
      </>}>
        <p class="long-name">{taken.name}</p>
        <dl class="taken">
          <div><dt>{t('takenThere')}</dt><dd>{!there ? t('takenComing') : there.kind === 'folder' ? `${t('folder')} · ${ago(there.modified_at)}` : `${size(there.size)} · ${ago(there.modified_at)}`}</dd></div>
          <div><dt>{t('takenNew')}</dt><dd>{taken.folder ? t('filesInside', { count: taken.files }) : [size(taken.size), ...(taken.modified ? [ago(new Date(taken.modified).toISOString())] : [])].join(' · ')}</dd></div>
        </dl>
        <p class="hint">{replaceable && `${gone ? t('takenGone') : versions ? t('takenReplace') : t('takenPlace')} `}{t('takenText')}</p>
        {left > 1 && <label class="taken-all"><input type="checkbox" checked={all} onChange={() => setAll(!all)} /> {t('forAll', { count: left })}</label>}
      </Form>
    </Dialog>
  );
}
