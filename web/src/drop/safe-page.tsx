// How this is safe: what the server sees, what it cannot see, and what the page cannot promise.
import { useParent } from '../shell/frame';
import { ask, Dialog } from '../shell/ui';
import { t } from './words';

function Text({ Heading }: { Heading: 'h2' | 'h3' }) {
  return (
    <div class="drop-safe">
      <p class="drop-safe-lead">{t('safeLead')}</p>
      <div class="drop-safe-pair">
        <section>
          <Heading>{t('safeNot')}</Heading>
          <ul><li>{t('safeNot1')}</li><li>{t('safeNot2')}</li><li>{t('safeNot3')}</li></ul>
        </section>
        <section>
          <Heading>{t('safeSees')}</Heading>
          <ul><li>{t('safeSees1')}</li><li>{t('safeSees2')}</li><li>{t('safeSees3')}</li></ul>
        </section>
      </div>
      <section>
        <Heading>{t('safeTrust')}</Heading>
        <p>{t('safeTrust1')}</p>
        <p>{t('safeTrust2')}</p>
        <p>{t('safeTrust3')}</p>
      </section>
      <section>
        <Heading>{t('safeCode')}</Heading>
        <p>{t('safeCodeText')}</p>
      </section>
      <section>
        <Heading>{t('safeVerified')}</Heading>
        <p>{t('safeVerifiedText')}</p>
      </section>
    </div>
  );
}

// Safe is the page, for links from elsewhere.
export function Safe() {
  useParent('/send', t('place'));
  return (
    <>
      <h1>{t('safeTitle')}</h1>
      <Text Heading="h2" />
      <p><a class="button" href="/send">{t('startOver')}</a></p>
    </>
  );
}

// SafeLink opens the same over the page, so that nothing on it is lost.
export function SafeLink() {
  return (
    <button type="button" class="link drop-safe-link" onClick={() => void ask((close) => <Dialog title={t('safeTitle')} onClose={close} sheet={matchMedia('(max-width: 40rem)').matches}><Text Heading="h3" /></Dialog>)}>
      {t('safeLink')}
    </button>
  );
}
