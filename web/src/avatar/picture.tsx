// The picture on the account page: choose one or drop one, change it, remove it.
import { useRef, useState } from 'preact/hooks';
import { del } from '../shell/api';
import { keeper, me, type Account } from '../shell/auth';
import { DropZone } from '../shell/drop-zone';
import { Face } from '../shell/face';
import { Icon } from '../shell/icon';
import { Confirm, toast } from '../shell/ui';
import { CropDialog } from './crop-dialog';
import { t } from './words';

// The kinds that the server reads. A phone turns its own kind of picture into one of these.
export const kinds = 'image/jpeg,image/png,image/gif,image/webp';

export function Picture() {
  const account = me();
  const [wish, setWish] = useState<File | 'remove'>();
  const field = useRef<HTMLInputElement>(null);
  if (!account) return null;
  const close = () => setWish(undefined);
  const now = (avatar: Account['avatar']) => keeper().changed({ ...me()!, avatar });
  return (
    <div class="portrait" role="group" aria-label={t('picture')}>
      <div class="portrait-face"><Face account={account} size="large" /></div>
      <div class="portrait-text">
        <div class="card-buttons">
          <button type="button" class="button" onClick={() => field.current!.click()}><Icon name="image" /> {account.avatar ? t('change') : t('choose')}</button>
          {account.avatar && <button type="button" class="button danger-text" onClick={() => setWish('remove')}>{t('remove')}</button>}
        </div>
        <p class="hint">{t('hint')}</p>
      </div>
      <input ref={field} type="file" accept={kinds} hidden onChange={({ currentTarget: input }) => {
        if (input.files![0]) setWish(input.files![0]);
        input.value = ''; // the same file may be chosen again
      }} />
      <DropZone label={t('drop')} onDrop={({ files }) => files[0] && setWish(files[0])} />
      {wish === 'remove' ? (
        <Confirm title={t('removeTitle')} action={t('remove')} onClose={close} onConfirm={async () => {
          await del('/account/avatar');
          now(null);
          toast(t('removed'));
        }}>
          <p>{t('removeText')}</p>
        </Confirm>
      ) : wish && <CropDialog key={wish.name + wish.lastModified} file={wish} onOther={() => field.current!.click()} onClose={close} onSaved={(avatar) => {
        now(avatar);
        close();
        toast(t('saved'));
      }} />}
    </div>
  );
}
