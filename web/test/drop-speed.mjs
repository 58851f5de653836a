// Measures a drop between two browsers and prints a line of JSON: bytes a second, and the CPU
// seconds of everything that took part. Usage: drop-speed.mjs URL FILE [ROUNDS]
import fs from 'node:fs';
import { bare } from './bare.mjs';

const [url, file, rounds = '3'] = process.argv.slice(2);
const { size } = fs.statSync(file);

// cpu sums the CPU seconds of a process and all below it.
function cpu(root) {
  const all = new Map();
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
      const rest = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      all.set(Number(pid), { parent: Number(rest[1]), seconds: (Number(rest[11]) + Number(rest[12])) / 100 });
    } catch {
      // it ended
    }
  }
  const below = (pid) => pid === root || (all.has(pid) && below(all.get(pid).parent));
  return [...all].filter(([pid]) => below(pid)).reduce((sum, [, { seconds }]) => sum + seconds, 0);
}

const [host, guest] = await Promise.all([bare(url), bare(url)]);
try {
  await host.evaluate(async () => (globalThis.drop = await drops.openDrop()) && undefined);
  await host.comes((s) => s.phase === 'in');
  const { name, code } = await host.evaluate(() => drop.state.value);
  await guest.evaluate(async (name, code) => (globalThis.drop = await drops.joinDrop(name, code)) && undefined, name, code);
  await guest.comes((s) => s.phase === 'in');
  for (let round = 0; round < Number(rounds); round++) {
    await host.offer(file);
    await guest.comes(`(s) => s.items.length === ${round + 1}`);
    const before = [cpu(host.pid), cpu(guest.pid)];
    const began = await guest.evaluate(() => {
      drop.take(drop.state.value.items.at(-1).id);
      return performance.timeOrigin + performance.now();
    });
    const ended = await guest.comes(`(s) => s.incoming.length === ${round + 1} && (s.incoming.at(-1).state === 'verified' || s.incoming.at(-1).state === 'broken')`);
    const { state, why } = await guest.evaluate(() => drop.state.value.incoming.at(-1));
    if (state !== 'verified') throw new Error(`broken: ${why}`);
    const seconds = (ended - began) / 1000;
    console.log(JSON.stringify({
      bytes: size, seconds: Number(seconds.toFixed(3)), mb_per_second: Math.round(size / seconds / 1e6),
      cpu_sender: Number((cpu(host.pid) - before[0]).toFixed(2)), cpu_receiver: Number((cpu(guest.pid) - before[1]).toFixed(2)),
    }));
  }
  await host.evaluate(() => drop.leave());
} finally {
  await Promise.all([host.close(), guest.close()]);
}
