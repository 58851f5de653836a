// For the stories of this folder: the first admin, and a mail server that refuses.
import net from 'node:net';
import { as, person } from '../../test/browser.mjs';

// first makes the first admin with the link that the server prints, and returns what they can do
// through the API.
export async function first(server) {
  const who = person();
  const [, token] = server.printed().match(/first-admin#token=(\S+)/);
  const made = await fetch(server.url + '/v1/auth/first-admin', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token, ...who }) });
  if (made.status !== 204) throw new Error(`first-admin: ${made.status} ${await made.text()}`);
  return { who, act: await as(server, who) };
}

// until waits for what the server does by itself.
export async function until(there) {
  for (let tries = 0; tries < 400; tries++) {
    const found = await there();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it never came');
}

// mailServer takes mail by SMTP; while `refuses` is set it refuses each receiver for good.
export async function mailServer() {
  const at = { refuses: true, taken: 0, url: '', stop: () => server.close() };
  const server = net.createServer((socket) => {
    let data = false;
    let rest = '';
    socket.on('error', () => undefined);
    socket.write('220 story ESMTP\r\n');
    socket.on('data', (chunk) => {
      const lines = (rest + chunk).split('\r\n');
      rest = lines.pop();
      for (const line of lines) {
        if (data) {
          if (line !== '.') continue;
          data = false;
          at.taken++;
          socket.write('250 taken\r\n');
        } else if (/^(EHLO|HELO)/i.test(line)) socket.write('250 story\r\n');
        else if (/^RCPT/i.test(line)) socket.write(at.refuses ? '550 no such mailbox\r\n' : '250 ok\r\n');
        else if (/^DATA/i.test(line)) socket.write((data = true) && '354 go on\r\n');
        else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
        else socket.write('250 ok\r\n');
      }
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  at.url = `smtp://127.0.0.1:${server.address().port}?tls=none`;
  return at;
}
