// The first page, for people who are not signed in; the others go where they begin.
import { useEffect } from 'preact/hooks';
import { auth, me } from './auth';
import { Icon, Mark } from './icon';
import { collect, doors, firstPlace, repairPath } from './room';
import { go } from './router';
import { Skeleton } from './ui';
import { t } from './words';

export function Home() {
  const signedIn = me() !== undefined;
  const begin = auth.value.is === 'repair' ? repairPath() : firstPlace();
  useEffect(() => {
    if (signedIn) go(begin, { replace: true });
  }, [signedIn, begin]);
  if (signedIn || auth.value.is === 'starting') return <Skeleton />;
  return (
    <div class="hero">
      <Mark />
      <h1>{t('heroTitle')}</h1>
      <p class="lead">{t('heroText')}</p>
      <div class="hero-actions">
        {doors().map(({ href, label }, i) => <a key={href} class={i === 0 ? 'button primary big' : 'button big'} href={href}>{label()}</a>)}
      </div>
      {collect((room) => room.home).map(({ Part, order }) => <Part key={order} />)}
      <ul class="points">
        {collect((room) => room.points).map(({ icon, title, text, order }) => (
          <li key={order}><Icon name={icon} /><div><h2>{title()}</h2><p>{text()}</p></div></li>
        ))}
      </ul>
    </div>
  );
}
