// What a server says that sends no text messages.
import { Icon } from '../shell/icon';
import { useSettings } from '../shell/settings';
import { t } from './words';

export function Unsent() {
  const settings = useSettings();
  if (!settings || settings.sms) return null;
  return <div class="notice small"><Icon name="warning" /><p>{t('unsent')}</p></div>;
}
