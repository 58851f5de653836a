// The page that deletes the account says this of pins.
import { placed } from './pins';
import { t } from './words';

export function PinsGo() {
  return placed() ? <li>{t('goPins')}</li> : null;
}
