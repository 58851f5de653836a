// What the page that deletes the account says of pins.
import { placed } from './pins';
import { t } from './words';

export function PinsGo() {
  return placed() ? <li>{t('goPins')}</li> : null;
}
