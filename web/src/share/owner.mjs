// For the stories of this folder: a person who shares, through the API.
import { member } from '../../test/browser.mjs';

// owner signs a person up and returns what they can do.
export async function owner(server) {
  const who = await member(server);
  const send = async (to, options = {}) => {
    const response = await fetch(server.url + '/v1' + to, options);
    if (!response.ok) throw new Error(`${to}: ${response.status} ${await response.text()}`);
    return response.status === 204 ? undefined : response.json();
  };
  const json = (body) => ({ headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  const { access_token } = await send('/auth/sign-in', { method: 'POST', ...json({ identifier: who.username, password: who.password }) });
  const authorized = (options) => ({ ...options, headers: { ...options.headers, Authorization: 'Bearer ' + access_token } });
  const act = (to, body, method = 'POST') => send(to, authorized({ method, ...(body !== undefined && json(body)) }));
  const uploads = async (files, parent = '') => {
    const form = new FormData();
    for (const [name, bytes] of files) form.append('file', new Blob([bytes]), name);
    return (await send('/files?parent=' + parent, authorized({ method: 'POST', body: form }))).items;
  };
  // until waits for what the server does by itself.
  const until = async (there) => {
    for (let tries = 0; !(await there()); tries++) {
      if (tries > 400) throw new Error('it never came');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return {
    until, who, act, uploads,
    upload: async (name, bytes, parent) => (await uploads([[name, bytes]], parent))[0].id,
    folder: async (name, parent = '') => (await act('/files/folders', { name, parent })).id,
    names: async (parent) => (await act('/files?limit=200&parent=' + parent, undefined, 'GET')).items.map((e) => e.name).sort(),
    share: (id, settings = {}) => act(`/files/${id}/shares`, { kind: 'read', ...settings }),
    stop: (link) => act('/shares/' + link.id, undefined, 'DELETE'),
    trash: (id) => act('/files/' + id, undefined, 'DELETE'),
  };
}
