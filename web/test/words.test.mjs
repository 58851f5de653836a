// The words of the shell and of every room, in every language.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { browser, loadText, src } from './load.mjs';

browser();

const folders = fs.readdirSync(src, { withFileTypes: true }).filter((f) => f.isDirectory()).map((f) => f.name);
const { languages, fill, ...words } = await loadText(folders.map((f) => `export * as ${f} from './${f}/words';`).join('') + `export { fill, languages } from './shell/i18n';`);
const catalogs = Object.entries(words).flatMap(([folder, all]) => Object.entries(all).map(([name, { catalog }]) => ({ name: `${folder} ${name}`, catalog })));

const forms = (message) => (typeof message === 'string' ? [message] : Object.values(message));
const names = (message) => [...new Set(forms(message).flatMap((text) => [...text.matchAll(/\{(\w+)\}/g)].map((m) => m[1])))].sort();

test('all languages have the same messages with the same values', () => {
  assert.ok(catalogs.length >= 7, `only ${catalogs.length} catalogs were found`);
  for (const { name, catalog } of catalogs) {
    assert.deepEqual(Object.keys(catalog).sort(), Object.keys(languages).sort(), name);
    for (const tag of Object.keys(languages)) {
      assert.deepEqual(Object.keys(catalog[tag]).sort(), Object.keys(catalog.en).sort(), `${name} ${tag}`);
      for (const [key, message] of Object.entries(catalog[tag])) {
        assert.deepEqual(names(message), names(catalog.en[key]), `${name} ${tag} ${key}`);
        assert.equal(typeof message, typeof catalog.en[key], `${name} ${tag} ${key}`);
        for (const text of forms(message)) assert.ok(text.trim(), `${name} ${tag} ${key} is empty`);
      }
    }
  }
});

test('every message is used', () => {
  for (const { name, catalog } of catalogs) {
    const [folder, kind] = name.split(' ');
    if (kind === 'problems' || kind === 'kinds') continue; // their keys are names of the server
    const dir = path.join(src, folder);
    const text = fs.readdirSync(dir).filter((f) => /\.tsx?$/.test(f) && !/\bwords\.ts$/.test(f)).map((f) => fs.readFileSync(path.join(dir, f), 'utf8')).join('\n');
    for (const key of Object.keys(catalog.en)) {
      const family = key.replace(/_.*/, '_'); // `theme_${name}`
      assert.ok(new RegExp(`\\b${key}\\b`).test(text) || (family !== key && text.includes('`' + family + '${')), `${name} ${key} is never shown`);
    }
  }
});

test('each kind of the history is one that the server names', () => {
  const internal = path.join(src, '../../internal');
  const code = fs.readdirSync(internal, { recursive: true }).filter((f) => f.endsWith('.go') && !f.endsWith('_test.go')).map((f) => fs.readFileSync(path.join(internal, f), 'utf8')).join('\n');
  const { catalog } = catalogs.find(({ name }) => name === 'guard kinds');
  for (const key of Object.keys(catalog.en)) assert.ok(code.includes(`"${key}"`), `the server knows no ${key}`);
});

test('each reason of a pin that the server names has its words, and no other has', () => {
  const internal = path.join(src, '../../internal');
  const named = (folder, pattern) => fs.readdirSync(path.join(internal, folder)).filter((f) => f.endsWith('.go') && !f.endsWith('_test.go')).flatMap((f) => [...fs.readFileSync(path.join(internal, folder, f), 'utf8').matchAll(pattern)].map((m) => 'reason_' + m[1]));
  const pins = named('pin', /^\treason[A-Z]\w* += "(\w+)"/gm);
  const providers = named('pinning', /^\t[A-Z]\w* +Reason += "(\w+)"/gm);
  assert.ok(pins.length >= 11 && providers.length >= 11, `${pins.length} and ${providers.length} reasons were read`);
  const { catalog } = catalogs.find(({ name }) => name === 'pin t');
  for (const tag of Object.keys(languages)) {
    assert.deepEqual(Object.keys(catalog[tag]).filter((key) => key.startsWith('reason_')).sort(), ['reason_other', ...pins, ...providers].sort(), tag);
  }
});

test('words are the person\'s: devices and links, not sessions and tokens', () => {
  const ours = { en: /\b(sessions?|layers?|factors?|tokens?|credentials?|authenticate)\b/i, de: /\b(sitzung|token|faktor|ebene|sicherheitsschicht)/i };
  for (const { name, catalog } of catalogs) {
    for (const [tag, pattern] of Object.entries(ours)) {
      for (const [key, message] of Object.entries(catalog[tag])) for (const text of forms(message)) assert.doesNotMatch(text, pattern, `${name} ${tag} ${key}`);
    }
  }
});

test('what a newcomer stumbled over says what it means', () => {
  const said = catalogs.flatMap(({ catalog }) => Object.values(catalog.en).flatMap(forms));
  for (const text of [
    'Stored encrypted', 'Easy to use', 'Your files are stored encrypted. You see every device that is signed in, and can sign any of them out.',
    'If {email} is new here, we have sent it a code and a link. If it already has an account, the mail says so.', 'Press the button to finish.', 'Please check the marked fields.',
    'For your safety, enter your password again.', 'Sign out all others', 'Continue', 'Authenticator app is on.', 'Too many wrong codes, or too late. Please sign in again.',
    'Account details', 'Previous sign-in', 'Remove invisible characters from this text.', 'Choose a folder', 'Page not found', 'Go to home page', 'Same as system', 'Wrong password.',
  ]) assert.ok(said.includes(text), `nothing says “${text}”`);
  for (const part of ['Sign out any you don’t recognise.', 'With this on, a stolen password is not enough.', 'Scan this QR code', 'setup key']) assert.ok(said.some((text) => text.includes(part)), `nothing says “${part}”`);
});

test('each problem is worded once, under a code that the server knows', () => {
  const [codes, fields] = fs.readFileSync(path.join(src, '../../docs/errors.md'), 'utf8').split('## Codes of fields');
  const ours = ['offline', 'cancelled', 'app_error', 'other', 'field_other', 'field_wrong_sign_up', 'field_wrong_password', 'field_other_username', 'field_username_taken', 'wrong_password', 'proof_over', 'wrong_totp', 'wrong_mailed_code', 'confirmation_over', 'no_more_codes', 'download_broken', 'file_changed', 'not_in_trash', 'passkey_unused', 'passkey_address', 'passkey_unfit', 'passkey_failed', 'field_share_number', 'field_share_password', 'field_share_ending', 'field_drop_name', 'field_drop_code', 'drop_wrong_code', 'drop_burnt', 'drop_not_the_host', 'pin_block_gone', 'pin_damaged', 'field_pin_target', 'field_admin_bytes', 'field_admin_files']; // made by the app itself
  const seen = new Map();
  for (const [folder, { problems }] of Object.entries(words)) {
    for (const key of Object.keys(problems?.catalog.en ?? {})) {
      if (key.endsWith('_count')) assert.ok(Object.hasOwn(problems.catalog.en, key.slice(0, -'_count'.length)), `${folder} ${key} has no text without the number`);
      const code = key.replace(/_count$/, '');
      if (code !== key) continue;
      assert.equal(seen.get(code), undefined, `${folder} words ${code} again`);
      seen.set(code, folder);
      const known = code.startsWith('field_') ? fields.includes('\n| `' + code.slice(6) + '` |') : codes.includes('\n| `' + code + '` |');
      assert.ok(known || ours.includes(code), `${folder}: the server never answers ${code}`);
    }
  }
  // Nothing is left to the English of the server.
  const listed = (part, prefix = '') => [...part.matchAll(/^\| `(\w+)` \|/gm)].map((m) => prefix + m[1]);
  const all = [...listed(codes), ...listed(fields, 'field_')];
  assert.ok(all.length > 40, `only ${all.length} codes were read`);
  assert.deepEqual(all.filter((code) => !seen.has(code)), [], 'codes without words');
});

test('a message takes its values and its plural form', () => {
  const message = { one: '{count} file', other: '{count} files' };
  assert.equal(fill(message, { count: 1 }, 'en'), '1 file');
  assert.equal(fill(message, { count: 1200 }, 'en'), '1,200 files');
  assert.equal(fill('Hello {name}, {missing}', { name: '$& Ada' }, 'en'), 'Hello $& Ada, {missing}');
});
