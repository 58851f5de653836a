// The question before what has come of an upload is thrown away.
import { ask, Confirm } from '../shell/ui';
import { t } from './words';

export function askDiscard(name: string, discard: () => Promise<void>): Promise<void> {
  return ask((close) => (
    <Confirm title={t('discardTitle')} action={t('discard')} onConfirm={discard} onClose={close}>
      <p class="long-name">{name}</p>
      <p>{t('discardText')}</p>
    </Confirm>
  ));
}
