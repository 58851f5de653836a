// What the page that deletes the account says of the ways back that are on.
import { get } from '../shell/api';
import { useLoad } from '../shell/ui';
import { t } from './words';

export function WaysGo() {
  const { data } = useLoad((signal) => get('/account/security', { signal }), []);
  const codes = data?.backup_codes?.enabled;
  const trusted = data?.trusted_email?.enabled;
  if (!codes && !trusted) return null;
  return <li>{codes && trusted ? t('goWays') : codes ? t('goCodes') : t('goTrusted')}</li>;
}
