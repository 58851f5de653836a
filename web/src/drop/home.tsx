// The first page's part of this room: people receive and send without an account.
import { Icon } from '../shell/icon';
import { NameForm } from './name-form';
import { t } from './words';

export function HomeReceive() {
  return (
    <section class="card drop-home" aria-labelledby="drop-home">
      <div>
        <h2 id="drop-home"><Icon name="swap" /> {t('homeTitle')}</h2>
        <p class="hint">{t('homeText')}</p>
      </div>
      <NameForm quiet hint="" />
      <p class="aside"><a href="/send">{t('homeSend')}</a></p>
    </section>
  );
}
