// Reads a zip by a program that is not ours: Go's archive/zip.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { web } from './load.mjs';

const program = `package main
import ("archive/zip"; "encoding/json"; "io"; "os")
func main() {
	r, err := zip.OpenReader(os.Args[1])
	if err != nil { panic(err) }
	all := map[string][]byte{}
	for _, f := range r.File {
		c, err := f.Open()
		if err != nil { panic(err) }
		if all[f.Name], err = io.ReadAll(c); err != nil { panic(err) }
	}
	if json.NewEncoder(os.Stdout).Encode(all) != nil { panic("write") }
}`;

// unzipped answers the contents of a zip by name, checked by their checksums.
export function unzipped(file) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'coffer-unzip-'));
  try {
    fs.writeFileSync(path.join(dir, 'main.go'), program);
    const all = JSON.parse(execFileSync('go', ['run', path.join(dir, 'main.go'), file], { cwd: web, encoding: 'utf8', maxBuffer: 64 << 20 }));
    return Object.fromEntries(Object.entries(all).map(([name, content]) => [name, Buffer.from(content ?? '', 'base64')]));
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
