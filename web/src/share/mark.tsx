// The mark beside the name of an entry that is shared.
import { Icon } from '../shell/icon';
import type { MarkProps } from '../shell/room';
import { askSharing } from './sharing';
import { t } from './words';

export function Mark({ entry, tab }: MarkProps) {
  if (!entry.shared) return null;
  const label = t('isShared', { name: entry.name });
  return (
    <button type="button" class="icon-button share-mark" tabIndex={tab} aria-label={label} title={t('isSharedShort')} onClick={(event) => {
      event.stopPropagation();
      void askSharing(entry);
    }}><Icon name="share" /></button>
  );
}

// LinksGo is what the page that deletes the account says of links.
export function LinksGo() {
  return <li>{t('goLinks')}</li>;
}
