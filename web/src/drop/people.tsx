// Who is here.
import { Icon } from '../shell/icon';
import { Name } from '../shell/name';
import type { Person, State } from './drop';
import { others } from './groups';
import { clean } from './names';
import { t } from './words';

// called is what a device calls itself.
export const called = (person: Person | undefined): string => (person && clean(person.device)) || t('unnamed');

export function People({ state }: { state: State }) {
  return (
    <section class="card drop-people" aria-labelledby="drop-people">
      <h2 id="drop-people">{t('people')}</h2>
      <ul>
        {state.people.map((person) => (
          <li key={person.rid} class={person.here ? undefined : 'away'}>
            <Icon name="device" />
            <div>
              <p class="drop-called"><Name name={called(person)} read /></p>
              <p class="hint">{[person.me && t('you'), person.host && t('hostTag'), !person.here && !person.me && t('away')].filter(Boolean).join(' · ')}</p>
            </div>
          </li>
        ))}
      </ul>
      {others(state).length === 0 && <p class="hint">{t('nobody')}</p>}
    </section>
  );
}
