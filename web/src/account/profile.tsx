// The account page: the profile and its facts.
import { useEffect, useState } from 'preact/hooks';
import { get, patch, type Body } from '../shell/api';
import { auth, keeper } from '../shell/auth';
import { Form, Select, TextArea, Time } from '../shell/form';
import { ago, date, isLang, lang, languages, setLang } from '../shell/i18n';
import { Failed, Skeleton, toast, useLoad } from '../shell/ui';
import { Names, Username } from './fields';
import { t } from './words';

export function Profile() {
  const { data, problem, reload } = useLoad((signal) => get('/account', { signal }), []);
  const [saved, setSaved] = useState(0);
  useEffect(() => {
    if (data) keeper().changed(data);
  }, [data]);
  const me = saved > 0 && auth.value.is === 'in' ? auth.value.account : data;
  if (problem) return <><h1>{t('account')}</h1><Failed problem={problem} retry={reload} /></>;
  if (!me) return <><h1>{t('account')}</h1><Skeleton rows={5} /></>;
  return (
    <>
      <h1>{t('account')}</h1>
      <section class="card" aria-labelledby="profile">
        <h2 id="profile">{t('profile')}</h2>
        <Form wide key={saved} submit={t('save')} onSubmit={async (v) => {
          const changed: Body<'patch', '/account'> = {};
          for (const name of ['first_name', 'last_name', 'username', 'bio', 'language'] as const) if (v[name] !== me[name]) changed[name] = v[name];
          const fresh = Object.keys(changed).length ? await patch('/account', { body: changed }) : me;
          keeper().changed(fresh);
          if (changed.language && isLang(changed.language)) setLang(changed.language);
          setSaved(saved + 1);
          toast(t('saved'));
        }}>
          <Names value={me} />
          <Username value={me.username} />
          <TextArea name="bio" label={t('bio')} hint={t('bioHint')} value={me.bio} maxLength={500} />
          <Select name="language" label={t('language')} hint={t('languageHint')} value={me.language || lang.value} options={languages} />
        </Form>
      </section>
      <section class="card" aria-labelledby="facts">
        <h2 id="facts">{t('facts')}</h2>
        <dl class="facts">
          <div><dt>{t('email')}</dt><dd>{me.email}</dd></div>
          <div><dt>{t('since')}</dt><dd><Time at={me.created_at}>{date(me.created_at)}</Time></dd></div>
          {me.sign_in_summary?.previous_at && (
            <div><dt>{t('previous')}</dt><dd><Time at={me.sign_in_summary.previous_at}>{ago(me.sign_in_summary.previous_at)}</Time></dd></div>
          )}
          {me.role === 'admin' && <div><dt>{t('role')}</dt><dd><span class="tag">{t('admin')}</span></dd></div>}
        </dl>
      </section>
    </>
  );
}
