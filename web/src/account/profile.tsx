// The account page: the profile, the address, the person's data, and the ways to leave.
import { useEffect, useState } from 'preact/hooks';
import { get, patch, type Body } from '../shell/api';
import { auth, keeper, type Account } from '../shell/auth';
import { Form, Select, TextArea, Time } from '../shell/form';
import { ago, date, isLang, lang, languages, setLang } from '../shell/i18n';
import { collect } from '../shell/room';
import { Failed, Skeleton, toast, useLoad } from '../shell/ui';
import { Email } from './email';
import { ExportSection } from './export';
import { Names, Username } from './fields';
import { Leave } from './leave';
import { t } from './words';

export function Profile() {
  const { data, problem, reload, set } = useLoad((signal) => get('/account', { signal }), []);
  useEffect(() => {
    if (data) keeper().changed(data);
  }, [data]);
  if (problem) return <><h1>{t('account')}</h1><Failed problem={problem} retry={reload} /></>;
  if (!data) return <><h1>{t('account')}</h1><Skeleton rows={5} /></>;
  // What changed elsewhere, such as an address that another tab confirmed, is in `auth` first.
  const me = auth.value.is === 'in' ? auth.value.account : data;
  return (
    <>
      <h1>{t('account')}</h1>
      <section class="card" aria-labelledby="profile">
        <h2 id="profile">{t('profile')}</h2>
        {collect((room) => room.profile).map(({ Part, order }) => <Part key={order} />)}
        <ProfileForm me={data} onSaved={set} />
      </section>
      <Email me={me} />
      {collect((room) => room.account).map(({ Section, order }) => <Section key={order} />)}
      <section class="card" aria-labelledby="facts">
        <h2 id="facts">{t('facts')}</h2>
        <dl class="facts">
          <div><dt>{t('since')}</dt><dd><Time at={me.created_at}>{date(me.created_at)}</Time></dd></div>
          {me.sign_in_summary?.previous_at && (
            <div><dt>{t('previous')}</dt><dd><Time at={me.sign_in_summary.previous_at}>{ago(me.sign_in_summary.previous_at)}</Time></dd></div>
          )}
          {me.role === 'admin' && <div><dt>{t('role')}</dt><dd><span class="tag">{t('admin')}</span></dd></div>}
        </dl>
      </section>
      <ExportSection />
      <Leave me={me} />
    </>
  );
}

function ProfileForm({ me, onSaved }: { me: Account; onSaved: (fresh: Account) => void }) {
  const [saved, setSaved] = useState(0);
  return (
    <Form wide key={saved} submit={t('save')} onSubmit={async (v) => {
      const changed: Body<'patch', '/account'> = {};
      for (const name of ['first_name', 'last_name', 'username', 'bio', 'language'] as const) if (v[name] !== me[name]) changed[name] = v[name];
      if (Object.keys(changed).length) onSaved(await patch('/account', { body: changed }));
      if (changed.language && isLang(changed.language)) setLang(changed.language);
      setSaved(saved + 1);
      toast(t('saved'));
    }}>
      <Names value={me} />
      <Username value={me.username} />
      <TextArea name="bio" label={t('bio')} hint={t('bioHint')} value={me.bio} maxLength={500} />
      <Select name="language" label={t('language')} hint={t('languageHint')} value={me.language || lang.value} options={languages} />
    </Form>
  );
}
