// Loads TypeScript modules of src for a test: bundled in memory by the tool that
// builds the app, so that tests need no compiler of their own.
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const web = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

export const src = path.join(web, 'src');

// load returns the exports of src/<file>.
export const load = (file) => loadText(`export * from './${file}';`);

// loadText returns the exports of a module that stands in src.
export async function loadText(text) {
  const code = execFileSync('go', ['tool', 'esbuild', '--bundle', '--format=esm', '--platform=browser',
    '--loader=ts', '--loader:.css=empty', '--jsx=automatic', '--jsx-import-source=preact', '--log-level=error'], { cwd: src, input: text, maxBuffer: 32 << 20 });
  return import('data:text/javascript;base64,' + code.toString('base64'));
}

// A browser's worth of globals that modules touch while they load.
export function browser(overrides = {}) {
  const store = new Map();
  const globals = {
    localStorage: { getItem: (k) => store.get(k) ?? null, setItem: (k, v) => store.set(k, v) },
    document: { documentElement: { dataset: {} }, addEventListener() {} },
    location: { pathname: '/', search: '', hash: '', origin: 'https://coffer.test' },
    history: { pushState() {}, replaceState() {} },
    addEventListener() {},
    BroadcastChannel: class { postMessage() {} },
    ...overrides,
  };
  for (const [name, value] of Object.entries(globals)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
