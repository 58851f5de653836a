// Providers that stand in for Google, GitHub and others: real ones, on this machine, at a host
// of their own. A person types who they are and presses a button, as at the real ones.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { after } from 'node:test';

const secret = 'a secret that only the two servers know';

// providers gives a file of stories Google, GitHub and two more by configuration alone, one of
// which is away until it comes. `env` is what the server needs, once they run.
export function providers(more) {
  const at = { people: new Map() };
  const all = () => [at.google, at.github, at.village, at.evening];
  at.origins = () => all().map(({ url }) => url);
  at.env = (async () => {
    at.google = await oidc(at.people, false);
    at.github = await github(at.people);
    at.village = await oidc(at.people, true);
    at.evening = await later(at.people);
    const client = (name) => ({ [`COFFER_${name}_CLIENT_ID`]: 'coffer', [`COFFER_${name}_CLIENT_SECRET`]: secret });
    return {
      COFFER_GOOGLE_ISSUER: at.google.url, ...client('GOOGLE'),
      COFFER_GITHUB_URL: at.github.url, COFFER_GITHUB_API_URL: at.github.url + '/api', ...client('GITHUB'),
      COFFER_OIDC_VILLAGE_ISSUER: at.village.url, COFFER_OIDC_VILLAGE_LABEL: 'Village library of Lower Tadfield', ...client('OIDC_VILLAGE'),
      COFFER_OIDC_EVENING_ISSUER: at.evening.url, COFFER_OIDC_EVENING_LABEL: 'Evening school', ...client('OIDC_EVENING'),
      ...more,
    };
  })();
  after(() => Promise.all(all().map((p) => p?.stop())));
  return at;
}

let born = 0;

// somebody is a person whom the providers know.
export function somebody(at, more = {}) {
  const login = `grace${++born}x${crypto.randomBytes(3).toString('hex')}`;
  const known = { login, email: `${login}@example.org`, email_verified: true, given_name: 'Grace', family_name: 'Hopper', number: 1000 + born, ...more };
  at.people.set(login, known);
  return known;
}

function listen(handler, port = 0) {
  const server = http.createServer(handler);
  return new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(server)));
}

// later is a provider that is away until it comes.
async function later(people) {
  const probe = await listen();
  const { port } = probe.address();
  await stopped(probe);
  let there;
  return {
    url: `http://127.0.0.1:${port}`,
    come: async () => (there = await oidc(people, false, port)),
    stop: () => there?.stop(),
  };
}

async function stopped(server) {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

const page = (res, heading, action) => {
  res.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  res.end(`<!doctype html><html lang="en"><title>${heading}</title><link rel="icon" href="data:,"><h1>${heading}</h1><form method="post" action="${action}">
    <label>Who are you? <input name="login" autofocus></label> <button name="go" value="yes">Allow</button> <button name="go" value="no">Cancel</button></form></html>`);
};

async function form(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return new URLSearchParams(Buffer.concat(parts).toString());
}

// oidc is the npm package oidc-provider. Claims stand in the id_token, as Google has them, or
// at the userinfo endpoint alone.
async function oidc(people, userinfo, port) {
  const warn = console.warn;
  console.warn = () => {}; // of quick-start keys and of the version of Node
  const info = console.info;
  console.info = () => {};
  const { default: Provider } = await import('oidc-provider');
  let handler;
  const server = await listen((req, res) => handler(req, res), port);
  const url = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(url, {
    clients: [{ client_id: 'coffer', client_secret: secret, redirect_uris: ['http://localhost/v1/auth/social/any/callback'], grant_types: ['authorization_code'], response_types: ['code'] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['given_name', 'family_name', 'name'] },
    conformIdTokenClaims: userinfo,
    cookies: { keys: [secret] },
    ttl: Object.fromEntries(['AccessToken', 'AuthorizationCode', 'Grant', 'IdToken', 'Interaction', 'Session'].map((what) => [what, 600])),
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => '/who/' + interaction.uid },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => {
        const { email, email_verified, given_name, family_name } = people.get(id);
        return { sub: id, email, email_verified, ...(given_name && { given_name, family_name }) };
      },
    }),
    loadExistingGrant: async (ctx) => {
      const grant = new provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  console.warn = warn;
  console.info = info;
  // The port of the server under test is not known yet: its path alone is checked.
  provider.Client.prototype.redirectUriAllowed = (uri) => /^http:\/\/localhost:\d+\/v1\/auth\/social\/\w+\/callback$/.test(uri);
  const inner = provider.callback();
  handler = async (req, res) => {
    const uid = /^\/who\/([\w-]+)$/.exec(req.url)?.[1];
    if (!uid) return inner(req, res);
    if (req.method === 'GET') return page(res, 'Sign in at the provider', req.url);
    const said = await form(req);
    const result = said.get('go') === 'yes' && people.has(said.get('login'))
      ? { login: { accountId: said.get('login') } } : { error: 'access_denied', error_description: 'the person said no' };
    await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: false });
  };
  return { url, stop: () => stopped(server) };
}

// github speaks what GitHub does: OAuth with PKCE, and an API that names the person and their
// addresses.
async function github(people) {
  const codes = new Map();
  const tokens = new Map();
  // deaf: answers people, and no server.
  const at = { deaf: false };
  const server = await listen(async (req, res) => {
    const { pathname, searchParams: asked } = new URL(req.url, 'http://here');
    const json = (status, body) => {
      res.writeHead(status, { 'Content-Type': 'application/json' });
      res.end(JSON.stringify(body));
    };
    if (pathname === '/login/oauth/authorize' && req.method === 'GET') return page(res, 'Sign in at the forge', req.url.replaceAll('&', '&amp;'));
    if (pathname === '/login/oauth/authorize') {
      const said = await form(req);
      const back = new URL(asked.get('redirect_uri'));
      back.searchParams.set('state', asked.get('state'));
      assert.equal(asked.get('code_challenge_method'), 'S256');
      if (said.get('go') === 'yes' && people.has(said.get('login'))) {
        const code = crypto.randomBytes(10).toString('hex');
        codes.set(code, { login: said.get('login'), challenge: asked.get('code_challenge') });
        back.searchParams.set('code', code);
      } else {
        back.searchParams.set('error', 'access_denied');
      }
      res.writeHead(302, { Location: String(back) });
      return res.end();
    }
    if (at.deaf) return req.socket.destroy();
    if (pathname === '/login/oauth/access_token') {
      const given = await form(req);
      const known = codes.get(given.get('code'));
      codes.delete(given.get('code'));
      const basic = Buffer.from((req.headers.authorization ?? '').replace(/^Basic /, ''), 'base64').toString();
      const said = given.get('client_secret') ?? decodeURIComponent(basic.slice(basic.indexOf(':') + 1)).replaceAll('+', ' ');
      const right = known && said === secret && known.challenge === crypto.createHash('sha256').update(given.get('code_verifier') ?? '').digest('base64url');
      if (!right) return json(200, { error: 'bad_verification_code' });
      const token = 'gho_' + crypto.randomBytes(18).toString('hex');
      tokens.set(token, known.login);
      return json(200, { access_token: token, token_type: 'bearer', scope: 'read:user,user:email' });
    }
    const login = tokens.get((req.headers.authorization ?? '').replace(/^(Bearer|token) /i, ''));
    const known = login && people.get(login);
    if (!known) return json(401, { message: 'Bad credentials' });
    if (pathname === '/api/user') return json(200, { id: known.number, login, name: `${known.given_name} ${known.family_name}` });
    if (pathname === '/api/user/emails') return json(200, [{ email: 'other@example.net', primary: false, verified: true }, { email: known.email, primary: true, verified: known.email_verified }]);
    return json(404, { message: 'Not Found' });
  });
  at.url = `http://127.0.0.1:${server.address().port}`;
  at.stop = () => stopped(server);
  return at;
}

// sayWho answers the page of a provider.
export async function sayWho(page, who, button = 'Allow') {
  await page.getByLabel('Who are you?').fill(who?.login ?? '');
  await page.getByRole('button', { name: button }).click();
}
