// src/drop/bytes.ts
var utf8 = (s) => new TextEncoder().encode(s);
function joined(...parts2) {
  const all = new Uint8Array(parts2.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts2) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
function u32(n) {
  const b = new Uint8Array(4);
  new DataView(b.buffer).setUint32(0, n);
  return b;
}
function u64(n) {
  const b = new Uint8Array(8);
  new DataView(b.buffer).setBigUint64(0, BigInt(n));
  return b;
}
function lv(...parts2) {
  const all = [];
  for (const part of parts2) {
    const bytes = typeof part === "string" ? utf8(part) : part;
    const length = [];
    let rest = bytes.length;
    do {
      length.push(rest > 127 ? rest & 127 | 128 : rest);
      rest >>>= 7;
    } while (rest > 0);
    all.push(new Uint8Array(length), bytes);
  }
  return joined(...all);
}
function b64(b) {
  let text = "";
  for (let at = 0; at < b.length; at += 32768) text += String.fromCharCode(...b.subarray(at, at + 32768));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
function unb64(s, length) {
  if (typeof s !== "string" || !/^[\w-]*$/.test(s) || s.length % 4 === 1) throw new Malformed("base64url");
  const bytes = Uint8Array.from(atob(s.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
  if (b64(bytes) !== s || length !== void 0 && bytes.length !== length) throw new Malformed("base64url");
  return bytes;
}
function equal(a, b) {
  if (a.length !== b.length) return false;
  let differ = 0;
  for (let i = 0; i < a.length; i++) differ |= a[i] ^ b[i];
  return differ === 0;
}
var random = (n) => crypto.getRandomValues(new Uint8Array(n));
var Malformed = class extends Error {
  constructor(what) {
    super("malformed " + what);
    this.name = "Malformed";
  }
};

// src/drop/keys.ts
var { subtle } = crypto;
async function sha256(...parts2) {
  return new Uint8Array(await subtle.digest("SHA-256", joined(...parts2)));
}
async function hkdf(ikm, salt, info, length) {
  const key2 = await subtle.importKey("raw", ikm, "HKDF", false, ["deriveBits"]);
  return new Uint8Array(await subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info }, key2, length * 8));
}
var aes = (raw) => subtle.importKey("raw", raw, "AES-GCM", false, ["encrypt", "decrypt"]);
var hmac = (raw) => subtle.importKey("raw", raw, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
async function mac(key2, ...parts2) {
  return new Uint8Array(await subtle.sign("HMAC", key2, joined(...parts2)));
}
async function joinKeys(isk, sid, mode, name, Ya, Yb) {
  const th = await sha256(lv("coffer/drop/v1 join", sid, mode, name, Ya, Yb));
  const key2 = (what) => hkdf(isk, th, utf8("coffer/drop/v1 " + what), 32);
  return {
    th,
    tagGuest: await mac(await hmac(await key2("confirm guest")), th),
    tagHost: await mac(await hmac(await key2("confirm host")), th),
    admit: await aes(await key2("admit"))
  };
}
var zeroNonce = new Uint8Array(12);
async function sealGroupKey({ admit, th }, group) {
  return new Uint8Array(await subtle.encrypt({ name: "AES-GCM", iv: zeroNonce, additionalData: th }, admit, group));
}
async function openGroupKey({ admit, th }, sealed) {
  const group = new Uint8Array(await subtle.decrypt({ name: "AES-GCM", iv: zeroNonce, additionalData: th }, admit, sealed));
  if (group.length !== 32) throw new Error("the group key has another length");
  return group;
}
async function messageKey(group, from, to) {
  return aes(await hkdf(group, new Uint8Array(0), lv("coffer/drop/v1 message", from, to), 32));
}
var drawKey = () => subtle.generateKey({ name: "ECDH", namedCurve: "P-521" }, false, ["deriveBits"]);
async function jwkOf(key2) {
  const { x, y } = await subtle.exportKey("jwk", key2);
  return { kty: "EC", crv: "P-521", x, y };
}
async function publicKey(jwk) {
  const { kty, crv, x, y } = jwk ?? {};
  return subtle.importKey("jwk", { kty, crv, x, y }, { name: "ECDH", namedCurve: "P-521" }, true, []);
}
async function pointOf(key2) {
  return new Uint8Array(await subtle.exportKey("raw", key2));
}
async function agreed(own, other) {
  return new Uint8Array(await subtle.deriveBits({ name: "ECDH", public: other }, own, 528));
}
async function transferKeys(Z, group, t) {
  const T = await sha256(lv("coffer/drop/v1 transfer", t.transfer, t.file, t.receiver, t.sender, t.pkR, t.pkS, u64(t.size), u32(t.chunk), u64(t.from)));
  const ikm = joined(Z, group);
  const okm = await hkdf(ikm, T, utf8("coffer/drop/v1 file"), 39);
  return { T, file: await aes(okm.slice(0, 32)), prefix: okm.slice(32), ack: await hmac(await hkdf(ikm, T, utf8("coffer/drop/v1 ack"), 32)) };
}
var ackTag = (key2, chunks) => mac(key2, utf8("ack"), u64(chunks));
var doneTag = (key2, file, size, digest) => mac(key2, utf8("done"), lv(file), u64(size), digest);
var verifiedTag = (key2, digest) => mac(key2, utf8("verified"), digest);

// src/drop/chunk.ts
var smallestChunk = 65536;
var largestChunk = 1048576;
var mostChunks = 2 ** 32 - 1;
var tagSize = 16;
var chunkFor = (size) => size < 16 * 2 ** 20 ? smallestChunk : size < 64 * 2 ** 20 ? 262144 : largestChunk;
var isChunk = (n) => typeof n === "number" && n >= smallestChunk && n <= largestChunk && Number.isInteger(Math.log2(n));
var chunksOf = (size, chunk) => Math.max(1, Math.ceil(size / chunk));
var lengthOf = (i, size, chunk) => Math.min(chunk, size - i * chunk);
function params({ T, prefix }, i, last, size) {
  const flag = new Uint8Array([last ? 1 : 0]);
  return { name: "AES-GCM", iv: joined(prefix, u32(i), flag), additionalData: joined(T, u64(i), flag, u64(size)) };
}
function sealChunk(keys, i, last, size, plain) {
  return crypto.subtle.encrypt(params(keys, i, last, size), keys.file, plain);
}
function openChunk(keys, i, last, size, sealed) {
  return crypto.subtle.decrypt(params(keys, i, last, size), keys.file, sealed);
}
var firstDigest = (chunk) => sha256(utf8("coffer/drop/v1 content"), u32(chunk));
function nextDigest(digest, plain) {
  const length = digest.length + plain.length;
  if (scratch.length < length) scratch = new Uint8Array(length);
  scratch.set(digest);
  scratch.set(plain, digest.length);
  return crypto.subtle.digest("SHA-256", scratch.subarray(0, length)).then((next) => new Uint8Array(next));
}
var scratch = new Uint8Array(0);

// src/drop/names.ts
var partSuffix = ".coffer-part";
var maxName = 255;
var maxPath = 4096;
var Unsafe = class extends Error {
  constructor(what) {
    super("unsafe name: " + clean(what).slice(0, 200));
    this.name = "Unsafe";
  }
};
var clean = (s) => s.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\uFFFD]/gu, "_");
function safeName(name, windows2 = false) {
  if (name === "" || name === "." || name === ".." || utf8(name).length > maxName || /[/\\\0]/.test(name)) throw new Unsafe(name);
  let safe = clean(name);
  if (windows2) safe = windowsName(safe);
  if (safe.toLowerCase().endsWith(partSuffix)) safe = shorten(safe, maxName - 1) + "_";
  return safe;
}
function windowsName(name) {
  let safe = name.replace(/[<>:"|?*]/g, "_").replace(/[. ]$/, "_");
  if (/^(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])$/i.test(safe.split(".")[0].trimEnd())) safe = shorten("_" + safe, maxName);
  return safe;
}
function shorten(s, n) {
  let bytes = 0;
  let end = 0;
  for (const char of s) {
    bytes += utf8(char).length;
    if (bytes > n) return s.slice(0, end);
    end += char.length;
  }
  return s;
}
function numbered(name, n) {
  const dot = name.lastIndexOf(".");
  let ext = dot > 0 ? name.slice(dot) : "";
  if (utf8(ext).length > 16) ext = "";
  const number2 = ` (${n})`;
  return shorten(name.slice(0, name.length - ext.length), maxName - number2.length - utf8(ext).length) + number2 + ext;
}
var key = (name) => name.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC");
var mostCost = 128 * 2 ** 20;
var nodeCost = 256;
var Places = class {
  constructor(windows2) {
    this.windows = windows2;
  }
  windows;
  cost = 0;
  root = { path: "", dir: true, listed: true, children: /* @__PURE__ */ new Map(), taken: /* @__PURE__ */ new Map() };
  // place answers where a sender's path is stored. A path that occurred before, or that is a file
  // and a folder at once, throws Unsafe.
  place(path, dir) {
    if (utf8(path).length > maxPath) throw new Unsafe(path);
    let at = this.root;
    const parts2 = path.split("/");
    parts2.forEach((part, i) => {
      const more = i < parts2.length - 1;
      let child = at.children.get(part);
      if (!child) child = this.add(at, part, dir || more);
      else if (!child.dir || !more && (!dir || child.listed)) throw new Unsafe(path);
      if (!more) child.listed = true;
      at = child;
    });
    return at.path;
  }
  add(to, part, dir) {
    const safe = safeName(part, this.windows);
    const base = key(safe);
    let free2 = safe;
    while ((to.taken.get(key(free2)) ?? 0) > 0) {
      to.taken.set(base, to.taken.get(base) + 1);
      free2 = numbered(safe, to.taken.get(base));
    }
    const node = { path: to.path ? `${to.path}/${free2}` : free2, dir, listed: false, children: /* @__PURE__ */ new Map(), taken: /* @__PURE__ */ new Map() };
    if ((this.cost += node.path.length + nodeCost) > mostCost) throw new Unsafe(node.path);
    to.taken.set(key(free2), Math.max(1, to.taken.get(key(free2)) ?? 0));
    to.children.set(part, node);
    return node;
  }
};

// src/drop/bundle.ts
var mostEntries = 1e5;
var longestHeader = 16 * 2 ** 20;
function bundle({ kind, files, dirs = [] }) {
  if (kind === "file") return files[0].file;
  if (files.length + dirs.length > mostEntries) throw new Malformed("folder: too many entries");
  const header = utf8(JSON.stringify({ files: files.map(({ path, file }) => [path, file.size, file.lastModified]), dirs }));
  if (header.length > longestHeader) throw new Malformed("folder: too long a list");
  return new Blob([u32(header.length), header, ...files.map(({ file }) => file)]);
}
async function stamp({ files, dirs = [] }) {
  const list = utf8(JSON.stringify([files.map(({ path, file }) => [path, file.size, file.lastModified]), dirs]));
  return b64(new Uint8Array(await crypto.subtle.digest("SHA-256", list)));
}
function contents(header, size, windows2) {
  let read;
  try {
    read = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(header));
  } catch {
    throw new Malformed("list of a folder");
  }
  const { files, dirs = [] } = read ?? {};
  if (!Array.isArray(files) || !Array.isArray(dirs) || files.length + dirs.length > mostEntries) throw new Malformed("list of a folder");
  const places = new Places(windows2);
  const found = { files: [], dirs: [] };
  let at = 4 + header.length;
  for (const entry of files) {
    if (!Array.isArray(entry)) throw new Malformed("list of a folder");
    const [path, length, modified] = entry;
    if (typeof path !== "string" || !whole(length) || typeof modified !== "number" || !Number.isSafeInteger(modified)) throw new Malformed("list of a folder");
    found.files.push({ path: places.place(path, false), size: length, modified, at });
    at += length;
  }
  for (const path of dirs) {
    if (typeof path !== "string") throw new Malformed("list of a folder");
    found.dirs.push(places.place(path, true));
  }
  if (at !== size) throw new Malformed("folder: the list and the size differ");
  return found;
}
var whole = (n) => typeof n === "number" && Number.isSafeInteger(n) && n >= 0;

// src/drop/store.ts
var database = "coffer-drop";
var memberLock = (id) => "coffer-drop:" + id;
var members = {
  all: () => within("members", "readonly", (store) => store.getAll()),
  put: (kept) => within("members", "readwrite", (store) => store.put(kept)),
  delete: (id) => within("members", "readwrite", (store) => store.delete(id))
};
var parts = {
  of: async (member2) => (await within("parts", "readonly", (store) => store.getAll())).filter((part) => part.member === member2),
  all: () => within("parts", "readonly", (store) => store.getAll()),
  put: (part) => within("parts", "readwrite", (store) => store.put(part)),
  delete: (id) => within("parts", "readwrite", (store) => store.delete(id))
};
async function within(name, mode, work) {
  const opening = indexedDB.open(database, 1);
  opening.onupgradeneeded = () => {
    opening.result.createObjectStore("members", { keyPath: "id" });
    opening.result.createObjectStore("parts", { keyPath: "id" });
  };
  const db = await settled(opening);
  try {
    return await settled(work(db.transaction(name, mode).objectStore(name)));
  } finally {
    db.close();
  }
}
function settled(request2) {
  return new Promise((resolve, reject) => {
    request2.onsuccess = () => resolve(request2.result);
    request2.onerror = () => reject(request2.error);
  });
}
async function folder(member2) {
  const top = await (await navigator.storage.getDirectory()).getDirectoryHandle("drop", { create: true });
  return top.getDirectoryHandle(member2, { create: true });
}
var fileName = (item) => item.replace(".", "_") + ".coffer-part";
var Silent = class extends Error {
};
var storageTime = 2e4;
async function answer(call, late = () => void 0) {
  let timer2;
  const silence2 = new Promise((_, reject) => {
    timer2 = setTimeout(() => {
      reject(new Silent());
      call.then(late, () => void 0);
    }, storageTime);
  });
  try {
    return await Promise.race([call, silence2]);
  } finally {
    clearTimeout(timer2);
  }
}
async function openPart(member2, item) {
  const open2 = async () => {
    const file = await (await folder(member2)).getFileHandle(fileName(item), { create: true });
    return file.createSyncAccessHandle();
  };
  return answer(open2(), (handle) => handle.close());
}
async function readPart(member2, item) {
  return (await (await folder(member2)).getFileHandle(fileName(item))).getFile();
}
async function removePart(member2, item) {
  await (await folder(member2)).removeEntry(fileName(item)).catch(() => void 0);
}
async function room() {
  const { quota, usage } = await answer(navigator.storage.estimate());
  return quota === void 0 ? Infinity : quota - (usage ?? 0);
}
async function forget(member2, whole2 = /* @__PURE__ */ new Set()) {
  await members.delete(member2);
  for (const part of await parts.of(member2)) if (!whole2.has(part.item.id)) await parts.delete(part.id);
}
async function sweep(own, dead) {
  const held = new Set((await navigator.locks.query()).held?.map((lock) => lock.name));
  const idle = (id) => id !== own && !held.has(memberLock(id));
  for (const kept of await members.all()) if (idle(kept.id) && await dead(kept)) await forget(kept.id);
  const live = new Set((await members.all()).map((kept) => kept.id));
  for (const part of await parts.all()) if (!live.has(part.member) && idle(part.member)) await parts.delete(part.id);
  const top = await (await navigator.storage.getDirectory()).getDirectoryHandle("drop", { create: true });
  const names = [];
  for await (const name of top.keys()) names.push(name);
  for (const name of names) if (!live.has(name) && idle(name)) await top.removeEntry(name, { recursive: true }).catch(() => void 0);
}

// src/shell/zip.ts
var most32 = 4294967295;
function fields(...all) {
  const b = new Uint8Array(all.reduce((n, [size]) => n + size, 0));
  const view = new DataView(b.buffer);
  let at = 0;
  for (const [size, value] of all) {
    if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value, true);
    else view.setBigUint64(at, BigInt(value), true);
    at += size;
  }
  return b;
}
function dosTime(ms) {
  const d = new Date(Math.min(Math.max(ms, Date.UTC(1980, 0, 2)), Date.UTC(2107, 11, 30)));
  return [d.getHours() << 11 | d.getMinutes() << 5 | d.getSeconds() >> 1, d.getFullYear() - 1980 << 9 | d.getMonth() + 1 << 5 | d.getDate()];
}
var tables = Array.from({ length: 8 }, () => new Int32Array(256));
for (let n = 0; n < 256; n++) {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? c >>> 1 ^ 3988292384 : c >>> 1;
  tables[0][n] = c;
}
for (let n = 0; n < 256; n++) for (let t = 1; t < 8; t++) tables[t][n] = tables[t - 1][n] >>> 8 ^ tables[0][tables[t - 1][n] & 255];
function crc32(b, before = 0) {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables;
  let c = ~before;
  let i = 0;
  for (const end = b.length - 7; i < end; i += 8) {
    c ^= b[i] | b[i + 1] << 8 | b[i + 2] << 16 | b[i + 3] << 24;
    c = t7[c & 255] ^ t6[c >>> 8 & 255] ^ t5[c >>> 16 & 255] ^ t4[c >>> 24] ^ t3[b[i + 4]] ^ t2[b[i + 5]] ^ t1[b[i + 6]] ^ t0[b[i + 7]];
  }
  for (; i < b.length; i++) c = c >>> 8 ^ t0[(c ^ b[i]) & 255];
  return ~c >>> 0;
}

// src/drop/part.ts
var NoSpace = class extends Error {
};
var Held = class _Held {
  constructor(item, sink) {
    this.item = item;
    this.sink = sink;
  }
  item;
  sink;
  chunks = 0;
  digest;
  // stored opens the item's part and reads what an earlier visit stored. Whole chunks count; the
  // sender compares their digest with its own.
  static async stored(member2, item, checked) {
    const sink = new Stored(await openPart(member2, item.id));
    const held = new _Held(item, sink);
    const size = sink.handle.getSize();
    const whole2 = size >= item.size ? item.size === 0 ? 0 : chunksOf(item.size, item.chunk) : Math.floor(size / item.chunk);
    held.digest = await firstDigest(item.chunk);
    for (; held.chunks < whole2; held.chunks++) {
      const plain = new Uint8Array(lengthOf(held.chunks, item.size, item.chunk));
      if (sink.read(plain, held.chunks * item.chunk) !== plain.length) break;
      held.digest = await nextDigest(held.digest, plain);
      checked(held.chunks * item.chunk);
    }
    return held;
  }
  static async picked(item, to) {
    const held = new _Held(item, new Picked(await to.createWritable()));
    held.digest = await firstDigest(item.chunk);
    return held;
  }
  async restart() {
    await this.sink.truncate(0);
    this.chunks = 0;
    this.digest = await firstDigest(this.item.chunk);
  }
  get complete() {
    return this.chunks === chunksOf(this.item.size, this.item.chunk);
  }
  get bytes() {
    return Math.min(this.chunks * this.item.chunk, this.item.size);
  }
  async add(plain) {
    const next = nextDigest(this.digest, plain);
    await this.sink.write(plain, this.chunks * this.item.chunk);
    this.digest = await next;
    this.chunks++;
  }
};
var Stored = class {
  constructor(handle) {
    this.handle = handle;
  }
  handle;
  write(plain, at) {
    try {
      for (let done = 0; done < plain.length; ) {
        const some = this.handle.write(done === 0 ? plain : plain.subarray(done), { at: at + done });
        if (some <= 0) throw new NoSpace();
        done += some;
      }
    } catch (err) {
      if (err.name === "QuotaExceededError") throw new NoSpace();
      throw err;
    }
  }
  read(into, at) {
    let done = 0;
    while (done < into.length) {
      const some = this.handle.read(done === 0 ? into : into.subarray(done), { at: at + done });
      if (some <= 0) break;
      done += some;
    }
    return done;
  }
  truncate(size) {
    this.handle.truncate(size);
  }
  whole() {
    this.handle.flush();
  }
  close() {
    this.handle.flush();
    this.handle.close();
  }
};
var Picked = class {
  constructor(to) {
    this.to = to;
  }
  to;
  over = false;
  async write(data, position) {
    try {
      await this.to.write({ type: "write", position, data });
    } catch (err) {
      if (err.name === "QuotaExceededError") throw new NoSpace();
      throw err;
    }
  }
  async truncate(size) {
    await this.to.truncate(size);
  }
  async whole() {
    this.over = true;
    await this.to.close();
  }
  async close() {
    if (!this.over) await this.to.abort().catch(() => void 0);
    this.over = true;
  }
};
async function inspect(file, windows2, checked) {
  const list = await listOf(file, windows2);
  const crcs = [];
  for (const { at, size } of list.files) {
    let crc = 0;
    for (let done = 0; done < size; ) {
      const some = Math.min(4 * 2 ** 20, size - done);
      crc = crc32(new Uint8Array(await file.slice(at + done, at + done + some).arrayBuffer()), crc);
      done += some;
    }
    crcs.push(crc);
    checked(at + size);
  }
  return { list, crcs };
}
async function listOf(file, windows2) {
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const length = head.length === 4 ? new DataView(head.buffer).getUint32(0) : Infinity;
  if (length > longestHeader || 4 + length > file.size) throw new Malformed("folder");
  return contents(new Uint8Array(await file.slice(4, 4 + length).arrayBuffer()), file.size, windows2);
}

// node_modules/@noble/hashes/utils.js
function isBytes(a) {
  return a instanceof Uint8Array || ArrayBuffer.isView(a) && a.constructor.name === "Uint8Array" && "BYTES_PER_ELEMENT" in a && a.BYTES_PER_ELEMENT === 1;
}
var atitle = (title) => title ? `"${title}" ` : "";
function anumber(n, title = "") {
  if (typeof n !== "number")
    throw new TypeError(atitle(title) + "expected number, got " + typeof n);
  if (!Number.isSafeInteger(n) || n < 0)
    throw new RangeError(atitle(title) + "expected integer >= 0, got " + n);
  return n;
}
function abytes(value, length, title = "") {
  if (isBytes(value) && (length === void 0 || value.length === length))
    return value;
  if (length !== void 0)
    anumber(length, "length");
  const bytes = isBytes(value);
  const ofLen = length !== void 0 ? ` of length ${length}` : "";
  const got = bytes ? `length=${value.length}` : `type=${typeof value}`;
  const message = atitle(title) + "expected Uint8Array" + ofLen + ", got " + got;
  if (!bytes)
    throw new TypeError(message);
  throw new RangeError(message);
}
var hasHexBuiltin = /* @__PURE__ */ (() => (
  // @ts-ignore
  typeof Uint8Array.from([]).toHex === "function" && typeof Uint8Array.fromHex === "function"
))();
var hexes = /* @__PURE__ */ Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
function bytesToHex(bytes) {
  abytes(bytes);
  if (hasHexBuiltin)
    return bytes.toHex();
  let hex = "";
  for (let i = 0; i < bytes.length; i++) {
    hex += hexes[bytes[i]];
  }
  return hex;
}
function asciiToBase16(ch) {
  return ch >= 48 && ch <= 57 ? ch - 48 : ch >= 65 && ch <= 70 ? ch - (65 - 10) : ch >= 97 && ch <= 102 ? ch - (97 - 10) : void 0;
}
function hexToBytes(hex) {
  if (typeof hex !== "string")
    throw new TypeError("hex string expected, got " + typeof hex);
  if (hasHexBuiltin) {
    try {
      return Uint8Array.fromHex(hex);
    } catch (error) {
      if (error instanceof SyntaxError)
        throw new RangeError(error.message);
      throw error;
    }
  }
  const hl = hex.length;
  const al = hl / 2;
  if (hl % 2)
    throw new RangeError("hex string expected, got unpadded hex of length " + hl);
  const array = new Uint8Array(al);
  for (let ai = 0, hi = 0; ai < al; ai++, hi += 2) {
    const n1 = asciiToBase16(hex.charCodeAt(hi));
    const n2 = asciiToBase16(hex.charCodeAt(hi + 1));
    if (n1 === void 0 || n2 === void 0) {
      const char = hex[hi] + hex[hi + 1];
      throw new RangeError('hex string expected, got non-hex character "' + char + '" at index ' + hi);
    }
    array[ai] = n1 * 16 + n2;
  }
  return array;
}
function randomBytes(bytesLength = 32) {
  anumber(bytesLength, "bytesLength");
  const cr = typeof globalThis === "object" ? globalThis.crypto : null;
  if (typeof cr?.getRandomValues !== "function")
    throw new Error("crypto.getRandomValues must be defined");
  if (bytesLength > 65536)
    throw new RangeError(`"bytesLength" expected <= 65536, got ${bytesLength}`);
  return cr.getRandomValues(new Uint8Array(bytesLength));
}

// node_modules/@noble/curves/utils.js
function aarray(item, title, inner = () => {
}) {
  if (!Array.isArray(item))
    throw new TypeError(`"${title}" expected array, got type=${typeof item}`);
  for (let i = 0; i < item.length; i++)
    inner(item[i], `${title}[${i}]`);
  return item;
}
var abytes2 = (value, length, title) => abytes(value, length, title);
var anumber2 = anumber;
function aobject(value, title = "object") {
  if (value === null || typeof value !== "object" || Array.isArray(value))
    throw new TypeError(title === "object" ? "expected valid options object" : `"${title}" expected object, got type=${typeof value}`);
  return value;
}
function afunction(value, title) {
  if (typeof value !== "function")
    throw new TypeError(`"${title}" is invalid: expected function, got ${typeof value}`);
  return value;
}
var bytesToHex2 = bytesToHex;
var hexToBytes2 = (hex) => hexToBytes(hex);
var isBytes2 = isBytes;
var randomBytes2 = (bytesLength) => randomBytes(bytesLength);
var _0n = /* @__PURE__ */ BigInt(0);
var _1n = /* @__PURE__ */ BigInt(1);
var atitle2 = (title) => title ? `"${title}" ` : "";
function abool(value, title = "") {
  if (typeof value !== "boolean")
    throw new TypeError(atitle2(title) + "expected boolean, got type=" + typeof value);
  return value;
}
function abignumber(n) {
  if (typeof n === "bigint") {
    if (!isPosBig(n))
      throw new RangeError("positive bigint expected, got " + n);
  } else
    anumber2(n);
  return n;
}
function asafenumber(value, title = "") {
  if (typeof value !== "number") {
    const prefix = title && `"${title}" `;
    throw new TypeError(prefix + "expected number, got type=" + typeof value);
  }
  if (!Number.isSafeInteger(value)) {
    const prefix = title && `"${title}" `;
    throw new RangeError(prefix + "expected safe integer, got " + value);
  }
}
function hexToNumber(hex) {
  if (typeof hex !== "string")
    throw new TypeError("hex string expected, got " + typeof hex);
  return hex === "" ? _0n : BigInt("0x" + hex);
}
function bytesToNumberBE(bytes) {
  return hexToNumber(bytesToHex(bytes));
}
function bytesToNumberLE(bytes) {
  return hexToNumber(bytesToHex(copyBytes(abytes(bytes)).reverse()));
}
function numberToBytesBE(n, len) {
  anumber(len);
  if (len === 0)
    throw new Error("zero output length is invalid");
  n = abignumber(n);
  const expectedLen = len * 2;
  const hex = n.toString(16);
  if (hex.length > expectedLen)
    throw new RangeError("number is too large");
  return hexToBytes(hex.padStart(expectedLen, "0"));
}
function numberToBytesLE(n, len) {
  return numberToBytesBE(n, len).reverse();
}
function copyBytes(bytes) {
  return Uint8Array.from(abytes2(bytes));
}
function isPosBig(n) {
  return typeof n === "bigint" && _0n <= n;
}
function inRange(n, min, max) {
  return isPosBig(n) && isPosBig(min) && isPosBig(max) && min <= n && n < max;
}
function aInRange(title, n, min, max) {
  if (!inRange(n, min, max))
    throw new RangeError("expected valid " + title + ": " + min + " <= n < " + max + ", got " + n);
}
function bitLen(n) {
  if (n < _0n)
    throw new Error("expected non-negative bigint, got " + n);
  return n === _0n ? 0 : n.toString(2).length;
}
var bitMask = (n) => {
  asafenumber(n, "n");
  return (_1n << BigInt(n)) - _1n;
};
function validateObject(object, fields2 = {}, optFields = {}, title = "object") {
  aobject(object, title);
  aobject(fields2, "fields");
  aobject(optFields, "optFields");
  function checkField(fieldName, expectedType, isOpt) {
    const label = title === "object" ? `param "${String(fieldName)}"` : `"${title}.${String(fieldName)}"`;
    const val = object[fieldName];
    if (!Object.hasOwn(object, fieldName) && (isOpt ? val !== void 0 : expectedType !== "function")) {
      throw new TypeError(`${label} is invalid: expected own property`);
    }
    if (isOpt && val === void 0)
      return;
    const current = typeof val;
    if (current !== expectedType || val === null)
      throw new TypeError(`${label} is invalid: expected ${expectedType}, got ${current}`);
  }
  const iter = (f, isOpt) => Object.entries(f).forEach(([k, v]) => checkField(k, v, isOpt));
  iter(fields2, false);
  iter(optFields, true);
}

// node_modules/@noble/curves/abstract/modular.js
var _0n2 = /* @__PURE__ */ BigInt(0);
var _1n2 = /* @__PURE__ */ BigInt(1);
var _2n = /* @__PURE__ */ BigInt(2);
var _3n = /* @__PURE__ */ BigInt(3);
var _4n = /* @__PURE__ */ BigInt(4);
var _5n = /* @__PURE__ */ BigInt(5);
var _7n = /* @__PURE__ */ BigInt(7);
var _8n = /* @__PURE__ */ BigInt(8);
var _9n = /* @__PURE__ */ BigInt(9);
var _15n = /* @__PURE__ */ BigInt(15);
var _16n = /* @__PURE__ */ BigInt(16);
var POW_WINDOWED_MIN = /* @__PURE__ */ BigInt("0x10000000000000000");
function mod(a, b) {
  if (b <= _0n2)
    throw new Error("mod: expected positive modulus, got " + b);
  const result = a % b;
  return result >= _0n2 ? result : b + result;
}
function pow(num, power, modulo) {
  if (modulo <= _1n2)
    throw new Error("pow: expected modulus > 1, got " + modulo);
  if (typeof power !== "bigint")
    throw new TypeError("invalid exponent: expected bigint, got " + typeof power);
  if (power < _0n2)
    throw new Error("invalid exponent, negatives unsupported");
  if (power === _0n2)
    return _1n2;
  if (power === _1n2)
    return num;
  let d = num % modulo;
  if (d < _0n2)
    d += modulo;
  if (power < POW_WINDOWED_MIN) {
    let p2 = _1n2;
    while (power > _0n2) {
      if (power & _1n2)
        p2 = p2 * d % modulo;
      d = d * d % modulo;
      power >>= _1n2;
    }
    return p2;
  }
  const digits = [];
  while (power > _0n2) {
    digits.push(Number(power & _15n));
    power >>= _4n;
  }
  const table = new Array(16);
  table[0] = _1n2;
  table[1] = d;
  for (let i = 2; i < 16; i++)
    table[i] = table[i - 1] * d % modulo;
  let p = table[digits[digits.length - 1]];
  for (let w = digits.length - 2; w >= 0; w--) {
    p = p * p % modulo;
    p = p * p % modulo;
    p = p * p % modulo;
    p = p * p % modulo;
    const digit = digits[w];
    if (digit !== 0)
      p = p * table[digit] % modulo;
  }
  return p;
}
function pow2(x, power, modulo) {
  if (modulo <= _1n2)
    throw new Error("pow2: expected modulus > 1, got " + modulo);
  if (power < _0n2)
    throw new Error("pow2: expected non-negative exponent, got " + power);
  let res = x;
  while (power-- > _0n2) {
    res *= res;
    res %= modulo;
  }
  return res;
}
function invert(number2, modulo) {
  if (number2 === _0n2)
    throw new Error("invert: expected non-zero number");
  if (modulo <= _1n2)
    throw new Error("invert: expected modulus > 1, got " + modulo);
  let a = mod(number2, modulo);
  let b = modulo;
  let x = _0n2, u = _1n2;
  while (a !== _0n2) {
    const q = b / a;
    const r = b - a * q;
    const m = x - u * q;
    b = a, a = r, x = u, u = m;
  }
  const gcd = b;
  if (gcd !== _1n2)
    throw new Error("invert: does not exist");
  return mod(x, modulo);
}
function assertIsSquare(Fp, root, n) {
  const F = Fp;
  if (!F.eql(F.sqr(root), n))
    throw new Error("Cannot find square root");
}
function aoddModulus(order, fnName) {
  if ((order & _1n2) === _0n2)
    throw new Error(fnName + ": expected odd modulus, got " + order);
}
function sqrt3mod4(Fp, n) {
  const F = Fp;
  const p1div4 = (F.ORDER + _1n2) / _4n;
  const root = F.pow(n, p1div4);
  assertIsSquare(F, root, n);
  return root;
}
function sqrt5mod8(Fp, n) {
  const F = Fp;
  const p5div8 = (F.ORDER - _5n) / _8n;
  const n2 = F.mul(n, _2n);
  const v = F.pow(n2, p5div8);
  const nv = F.mul(n, v);
  const i = F.mul(F.mul(nv, _2n), v);
  const root = F.mul(nv, F.sub(i, F.ONE));
  assertIsSquare(F, root, n);
  return root;
}
function sqrt9mod16(P) {
  const Fp_ = Field(P);
  const tn = tonelliShanks(P);
  const c1 = tn(Fp_, Fp_.neg(Fp_.ONE));
  const c2 = tn(Fp_, c1);
  const c3 = tn(Fp_, Fp_.neg(c1));
  const c4 = (P + _7n) / _16n;
  return ((Fp, n) => {
    const F = Fp;
    let tv1 = F.pow(n, c4);
    let tv2 = F.mul(tv1, c1);
    const tv3 = F.mul(tv1, c2);
    const tv4 = F.mul(tv1, c3);
    const e1 = F.eql(F.sqr(tv2), n);
    const e2 = F.eql(F.sqr(tv3), n);
    tv1 = F.cmov(tv1, tv2, e1);
    tv2 = F.cmov(tv4, tv3, e2);
    const e3 = F.eql(F.sqr(tv2), n);
    const root = F.cmov(tv1, tv2, e3);
    assertIsSquare(F, root, n);
    return root;
  });
}
function tonelliShanks(P) {
  if (P < _3n)
    throw new Error("sqrt is not defined for small field");
  aoddModulus(P, "tonelliShanks");
  let Q = P - _1n2;
  let S = 0;
  while (Q % _2n === _0n2) {
    Q /= _2n;
    S++;
  }
  let Z = _2n;
  const _Fp = Field(P);
  while (FpLegendre(_Fp, Z) === 1) {
    if (Z++ > 1e3)
      throw new Error("Cannot find square root: probably non-prime P");
  }
  if (S === 1)
    return sqrt3mod4;
  let cc = _Fp.pow(Z, Q);
  const Q1div2 = (Q + _1n2) / _2n;
  return function tonelliSlow(Fp, n) {
    const F = Fp;
    if (F.is0(n))
      return n;
    if (FpLegendre(F, n) !== 1)
      throw new Error("Cannot find square root");
    let M = S;
    let c = F.mul(F.ONE, cc);
    let t = F.pow(n, Q);
    let R = F.pow(n, Q1div2);
    while (!F.eql(t, F.ONE)) {
      if (F.is0(t))
        throw new Error("Cannot find square root: probably non-prime P");
      let i = 1;
      let t_tmp = F.sqr(t);
      while (!F.eql(t_tmp, F.ONE)) {
        i++;
        t_tmp = F.sqr(t_tmp);
        if (i === M)
          throw new Error("Cannot find square root");
      }
      const exponent = _1n2 << BigInt(M - i - 1);
      const b = F.pow(c, exponent);
      M = i;
      c = F.sqr(b);
      t = F.mul(t, c);
      R = F.mul(R, b);
    }
    return R;
  };
}
function FpSqrt(P) {
  aoddModulus(P, "Fp.sqrt");
  if (P % _4n === _3n)
    return sqrt3mod4;
  if (P % _8n === _5n)
    return sqrt5mod8;
  if (P % _16n === _9n)
    return sqrt9mod16(P);
  return tonelliShanks(P);
}
var isNegativeLE = (num, modulo) => (mod(num, modulo) & _1n2) === _1n2;
var FIELD_FIELDS = [
  "create",
  "isValid",
  "is0",
  "neg",
  "inv",
  "sqrt",
  "sqr",
  "eql",
  "add",
  "sub",
  "mul",
  "pow",
  "div",
  "addN",
  "subN",
  "mulN",
  "sqrN"
];
function validateField(field2) {
  aobject(field2, "field");
  if (typeof field2.ORDER !== "bigint")
    throw new TypeError('param "ORDER" is invalid: expected bigint, got ' + typeof field2.ORDER);
  asafenumber(field2.BYTES, "BYTES");
  asafenumber(field2.BITS, "BITS");
  for (const name of FIELD_FIELDS)
    afunction(field2[name], "field." + name);
  if (field2.BYTES < 1 || field2.BITS < 1)
    throw new Error("invalid field: expected BYTES/BITS > 0");
  if (field2.ORDER <= _1n2)
    throw new Error("invalid field: expected ORDER > 1, got " + field2.ORDER);
  return field2;
}
function FpInvertBatch(Fp, nums, passZero = false) {
  validateField(Fp);
  aarray(nums, "nums");
  abool(passZero, "passZero");
  const F = Fp;
  const inverted = new Array(nums.length).fill(passZero ? F.ZERO : void 0);
  const multipliedAcc = nums.reduce((acc, num, i) => {
    if (F.is0(num))
      return acc;
    inverted[i] = acc;
    return F.mul(acc, num);
  }, F.ONE);
  const invertedAcc = F.inv(multipliedAcc);
  nums.reduceRight((acc, num, i) => {
    if (F.is0(num))
      return acc;
    inverted[i] = F.mul(acc, inverted[i]);
    return F.mul(acc, num);
  }, invertedAcc);
  return inverted;
}
function FpLegendre(Fp, n) {
  validateField(Fp);
  const F = Fp;
  aoddModulus(F.ORDER, "FpLegendre");
  const p1mod2 = (F.ORDER - _1n2) / _2n;
  const powered = F.pow(n, p1mod2);
  const yes = F.eql(powered, F.ONE);
  const zero = F.eql(powered, F.ZERO);
  const no = F.eql(powered, F.neg(F.ONE));
  if (!yes && !zero && !no)
    throw new Error("invalid Legendre symbol result");
  return yes ? 1 : zero ? 0 : -1;
}
function nLength(n, nBitLength) {
  if (nBitLength !== void 0)
    anumber2(nBitLength);
  if (n <= _0n2)
    throw new Error("invalid n length: expected positive n, got " + n);
  if (nBitLength !== void 0 && nBitLength < 1)
    throw new Error("invalid n length: expected positive bit length, got " + nBitLength);
  const bits = bitLen(n);
  if (nBitLength !== void 0 && nBitLength < bits)
    throw new Error(`invalid n length: expected nBitLength (${nBitLength}) >= bitLen(n) (${bits})`);
  const _nBitLength = nBitLength !== void 0 ? nBitLength : bits;
  const nByteLength = Math.ceil(_nBitLength / 8);
  return { nBitLength: _nBitLength, nByteLength };
}
var FIELD_SQRT = /* @__PURE__ */ new WeakMap();
var _Field = class {
  ORDER;
  BITS;
  BYTES;
  isLE;
  ZERO = _0n2;
  ONE = _1n2;
  _lengths;
  _mod;
  constructor(ORDER, opts = {}) {
    if (ORDER <= _1n2)
      throw new Error("invalid field: expected ORDER > 1, got " + ORDER);
    let _nbitLength = void 0;
    this.isLE = false;
    if (opts != null && typeof opts === "object") {
      if (typeof opts.BITS === "number")
        _nbitLength = opts.BITS;
      if (typeof opts.sqrt === "function")
        Object.defineProperty(this, "sqrt", { value: opts.sqrt, enumerable: true });
      if (typeof opts.isLE === "boolean")
        this.isLE = opts.isLE;
      if (opts.allowedLengths)
        this._lengths = Object.freeze(opts.allowedLengths.slice());
      if (typeof opts.modFromBytes === "boolean")
        this._mod = opts.modFromBytes;
    }
    const { nBitLength, nByteLength } = nLength(ORDER, _nbitLength);
    if (nByteLength > 2048)
      throw new Error("invalid field: expected ORDER of <= 2048 bytes");
    this.ORDER = ORDER;
    this.BITS = nBitLength;
    this.BYTES = nByteLength;
    Object.freeze(this);
  }
  create(num) {
    return mod(num, this.ORDER);
  }
  isValid(num) {
    if (typeof num !== "bigint")
      throw new TypeError("invalid field element: expected bigint, got " + typeof num);
    return _0n2 <= num && num < this.ORDER;
  }
  is0(num) {
    return num === _0n2;
  }
  // is valid and invertible
  isValidNot0(num) {
    return !this.is0(num) && this.isValid(num);
  }
  isOdd(num) {
    return (num & _1n2) === _1n2;
  }
  neg(num) {
    return mod(-num, this.ORDER);
  }
  eql(lhs, rhs) {
    return lhs === rhs;
  }
  sqr(num) {
    return mod(num * num, this.ORDER);
  }
  add(lhs, rhs) {
    return mod(lhs + rhs, this.ORDER);
  }
  sub(lhs, rhs) {
    return mod(lhs - rhs, this.ORDER);
  }
  mul(lhs, rhs) {
    return mod(lhs * rhs, this.ORDER);
  }
  pow(num, power) {
    return pow(num, power, this.ORDER);
  }
  div(lhs, rhs) {
    return mod(lhs * invert(rhs, this.ORDER), this.ORDER);
  }
  // Same as above, but doesn't normalize
  sqrN(num) {
    return num * num;
  }
  addN(lhs, rhs) {
    return lhs + rhs;
  }
  subN(lhs, rhs) {
    return lhs - rhs;
  }
  mulN(lhs, rhs) {
    return lhs * rhs;
  }
  inv(num) {
    return invert(num, this.ORDER);
  }
  sqrt(num) {
    let sqrt = FIELD_SQRT.get(this);
    if (!sqrt)
      FIELD_SQRT.set(this, sqrt = FpSqrt(this.ORDER));
    return sqrt(this, num);
  }
  toBytes(num) {
    return this.isLE ? numberToBytesLE(num, this.BYTES) : numberToBytesBE(num, this.BYTES);
  }
  fromBytes(bytes, skipValidation = false) {
    abytes2(bytes);
    const { _lengths: allowedLengths, BYTES, isLE, ORDER, _mod: modFromBytes } = this;
    if (allowedLengths) {
      if (bytes.length < 1 || !allowedLengths.includes(bytes.length) || bytes.length > BYTES) {
        throw new Error("Field.fromBytes: expected " + allowedLengths + " bytes, got " + bytes.length);
      }
      const padded = new Uint8Array(BYTES);
      padded.set(bytes, isLE ? 0 : padded.length - bytes.length);
      bytes = padded;
    }
    if (bytes.length !== BYTES)
      throw new Error("Field.fromBytes: expected " + BYTES + " bytes, got " + bytes.length);
    let scalar = isLE ? bytesToNumberLE(bytes) : bytesToNumberBE(bytes);
    if (modFromBytes)
      scalar = mod(scalar, ORDER);
    if (!skipValidation) {
      if (!this.isValid(scalar))
        throw new Error("invalid field element: outside of range 0..ORDER");
    }
    return scalar;
  }
  // TODO: we don't need it here, move out to separate fn
  invertBatch(lst) {
    return FpInvertBatch(this, lst, true);
  }
  // We can't move this out because Fp6, Fp12 implement it
  // and it's unclear what to return in there.
  cmov(a, b, condition) {
    abool(condition, "condition");
    return condition ? b : a;
  }
};
function Field(ORDER, opts = {}) {
  Object.freeze(_Field.prototype);
  return new _Field(ORDER, opts);
}

// node_modules/@noble/curves/abstract/curve.js
var _0n3 = /* @__PURE__ */ BigInt(0);
var _1n3 = /* @__PURE__ */ BigInt(1);
var _4n2 = /* @__PURE__ */ BigInt(4);
var BLIND_BYTES = 16;
var BLIND_BITS = 128;
var FW_WINDOW = 5;
var TABLE_BYTES_MAX = /* @__PURE__ */ (() => 2 ** 31)();
function validatePointCons(Point) {
  const pc = Point;
  if (typeof pc !== "function")
    throw new TypeError('"Point" expected constructor, got type=' + typeof Point);
  afunction(pc.fromAffine, "Point.fromAffine");
  afunction(pc.fromBytes, "Point.fromBytes");
  afunction(pc.fromHex, "Point.fromHex");
  aobject(pc.BASE, "Point.BASE");
  aobject(pc.ZERO, "Point.ZERO");
  validateField(pc.Fp);
  validateField(pc.Fn);
}
function normalizeZ(c, points) {
  validatePointCons(c);
  validateMSMPoints(points, c);
  const invertedZs = FpInvertBatch(c.Fp, points.map((p) => p.Z));
  return points.map((p, i) => c.fromAffine(p.toAffine(invertedZs[i])));
}
function validateW(W, bits, min = 1) {
  if (!Number.isSafeInteger(W) || W < min || W > bits)
    throw new Error("invalid window size, expected [" + min + ".." + bits + "], got W=" + W);
}
function validateTableBytes(numPoints, fpBytes) {
  const bytes = numPoints * (4 * fpBytes + 128);
  if (bytes > TABLE_BYTES_MAX)
    throw new Error("invalid window size: table would need ~" + Math.ceil(bytes / 2 ** 20) + " MiB, max " + TABLE_BYTES_MAX / 2 ** 20 + " MiB");
}
function probeRandomBytes(randomBytes3, length) {
  if (randomBytes3 === void 0)
    return void 0;
  afunction(randomBytes3, "randomBytes");
  try {
    const probe = randomBytes3(length);
    if (!isBytes2(probe) || probe.length !== length)
      return void 0;
  } catch {
    return void 0;
  }
  return randomBytes3;
}
function validateMSMPoints(points, c) {
  aarray(points, "points");
  points.forEach((p, i) => {
    if (!(p instanceof c))
      throw new Error("invalid point at index " + i);
  });
}
function validateMSMScalars(scalars, field2, maxScalar) {
  if (!Array.isArray(scalars))
    throw new Error("array of scalars expected");
  scalars.forEach((s, i) => {
    const ok = maxScalar === void 0 ? field2.isValid(s) : isPosBig(s) && s < maxScalar;
    if (!ok)
      throw new Error("invalid scalar at index " + i);
  });
}
var pointWindowSizes = /* @__PURE__ */ new WeakMap();
function getWindowSize(P) {
  return pointWindowSizes.get(P) || 1;
}
function oddMultiples(p, size) {
  const dbl = p.double();
  const t = [p];
  for (let j = 1; j < size; j++)
    t.push(t[j - 1].add(dbl));
  return t;
}
function wnafDigits(n, W) {
  const size = 2 ** W;
  const half = size / 2;
  const mask = BigInt(size - 1);
  const d = [];
  while (n > _0n3) {
    let w = 0;
    if (n & _1n3) {
      w = Number(n & mask);
      if (w >= half)
        w -= size;
      n -= BigInt(w);
    }
    d.push(w);
    n >>= _1n3;
  }
  return d;
}
function signedWindowDigits(n, W, windows2) {
  const size = 2 ** W;
  const half = size / 2;
  const mask = BigInt(size - 1);
  const shiftBy = BigInt(W);
  const d = [];
  for (let w = 0; w < windows2; w++) {
    let v = Number(n & mask);
    n >>= shiftBy;
    if (v > half) {
      v -= size;
      n += _1n3;
    }
    d.push(v);
  }
  if (n !== _0n3)
    throw new Error("invalid wnaf");
  return d;
}
function wnafWalk(zero, tables2, digits) {
  let max = 0;
  for (const d of digits)
    max = Math.max(max, d.length);
  let acc = zero;
  for (let bit = max - 1; bit >= 0; bit--) {
    if (bit !== max - 1)
      acc = acc.double();
    for (let i = 0; i < digits.length; i++) {
      const w = digits[i][bit];
      if (w) {
        const item = tables2[i][Math.abs(w) - 1 >> 1];
        acc = acc.add(w < 0 ? item.negate() : item);
      }
    }
  }
  return acc;
}
var ScalarMultiplier = class {
  Point;
  BASE;
  ZERO;
  randomBytes;
  wnafPrecomputes = /* @__PURE__ */ new WeakMap();
  baseCanBeBlinded;
  bits;
  // Parametrized with a given Point class (not individual point)
  constructor(Point, randomBytes3) {
    validatePointCons(Point);
    this.randomBytes = probeRandomBytes(randomBytes3, BLIND_BYTES);
    this.Point = Point;
    this.BASE = Point.BASE;
    this.ZERO = Point.ZERO;
    this.bits = Point.Fn.BITS;
  }
  /**
   * Creates a signed fixed-window wNAF precomputation table: for every window w, the
   * multiples `[1..2^(W−1)]⋅2^(w⋅W)⋅P`, flattened. All doublings are baked into the table,
   * so cached multiplication is additions-only. `windows = ceil(bits/W) + 1`: the extra
   * window absorbs the final carry of signed-digit recoding.
   * For a 256-bit curve and W=6, the table is 44⋅32 = 1408 points.
   * @param point - Point instance
   * @param W - window size
   * @param bits - scalar bitlength the table must cover
   */
  buildWnafTable(point2, W, bits) {
    const windows2 = Math.ceil(bits / W) + 1;
    const half = 2 ** (W - 1);
    const comp = [];
    let base = point2;
    for (let w = 0; w < windows2; w++) {
      let acc = base;
      for (let i = 0; i < half; i++) {
        comp.push(acc);
        acc = acc.add(base);
      }
      base = comp[comp.length - 1].double();
    }
    return { W, bits, windows: windows2, comp };
  }
  /**
   * Implements ec multiplication using precomputed signed fixed-window wNAF tables.
   * Constant-time: fixed window count with one table addition per window — zero digits feed
   * the fake accumulator — and no doublings; the lookup scans the whole window slice.
   * Scalar bounds are validated by the public entry points ({@link ScalarMultiplier.mulCT},
   * {@link ScalarMultiplier.mulCTBlinded}, {@link ScalarMultiplier.mulUnsafe});
   * signedWindowDigits throws if `n` exceeds the table.
   * @returns real and fake (for const-time) points
   */
  wnafCachedCT(precomputes, n) {
    const { W, windows: windows2, comp } = precomputes;
    const half = 2 ** (W - 1);
    const digits = signedWindowDigits(n, W, windows2);
    let p = this.ZERO;
    let f = this.BASE;
    for (let w = 0; w < windows2; w++) {
      const digit = digits[w];
      const start = w * half;
      const idx = Math.abs(digit) - 1;
      let sel = comp[start];
      for (let i = 1; i < half; i++)
        sel = i === idx ? comp[start + i] : sel;
      const neg = sel.negate();
      if (digit === 0)
        f = f.add(comp[start]);
      else
        p = p.add(digit < 0 ? neg : sel);
    }
    return { p, f };
  }
  // Cache key is point identity plus (W, bits); at most two entries exist per point (public-width
  // `Fn.BITS` and blinded `Fn.BITS + BLIND_BITS`). Callers must not reuse the same point with
  // incompatible `transform(...)` layouts and expect a separate cache entry.
  getWnafPrecomputes(W, point2, bits, transform) {
    let entries = this.wnafPrecomputes.get(point2);
    let comp = entries?.find((entry) => entry.W === W && entry.bits === bits);
    if (!comp) {
      comp = this.buildWnafTable(point2, W, bits);
      if (typeof transform === "function")
        comp = { ...comp, comp: transform(comp.comp) };
      if (!entries) {
        entries = [];
        this.wnafPrecomputes.set(point2, entries);
      }
      entries.push(comp);
    }
    return comp;
  }
  assertPoint(point2) {
    if (!(point2 instanceof this.Point))
      throw new TypeError('"point" expected Point instance, got type=' + typeof point2);
  }
  // Shared prologue of the constant-time entry points. Rejects scalar 0: in key/signature-style
  // callers a zero scalar means broken upstream plumbing, and concrete Points already reject it.
  // Uses inRange instead of Fn.isValidNot0: validateField() only certifies the arithmetic subset.
  validateMulInput(point2, scalar) {
    this.assertPoint(point2);
    if (!inRange(scalar, _1n3, this.Point.Fn.ORDER))
      throw new Error("invalid scalar");
  }
  // Constant-time dispatch shared by mulCT / mulCTBlinded. Un-precomputed points (W===1, e.g.
  // ECDH peer keys) skip building a throwaway cached table in favor of a small fixed-window
  // multiply. `n` must be < 2^bits.
  runCT(point2, n, bits, transform) {
    const W = getWindowSize(point2);
    if (W === 1)
      return this.fixedWindowCT(point2, n, bits);
    return this.wnafCachedCT(this.getWnafPrecomputes(W, point2, bits, transform), n);
  }
  mulCT(point2, scalar, transform) {
    this.validateMulInput(point2, scalar);
    return this.runCT(point2, scalar, this.bits, transform);
  }
  mulCTBlinded(point2, scalar, transform) {
    this.validateMulInput(point2, scalar);
    if (this.randomBytes === void 0)
      throw new Error("randomBytes is required for scalar blinding");
    const bits = this.Point.Fn.BITS + BLIND_BITS;
    const blind = this.randomBytes(BLIND_BYTES);
    if (!isBytes2(blind) || blind.length !== BLIND_BYTES)
      throw new Error("randomBytes returned invalid byte array");
    blind[0] = blind[0] & 63 | 128;
    const n = scalar + bytesToNumberBE(blind) * this.Point.Fn.ORDER;
    return this.runCT(point2, n, bits, transform);
  }
  /**
   * Constant-time multiplication `n*point` for an un-precomputed point, via a small fixed window.
   * A cached wNAF table only pays off when reused; a flat 2^FW_WINDOW table (`size-1` adds) is
   * far cheaper to build for a single use. The point-operation sequence is independent of `n`:
   * build the table, then per window exactly FW_WINDOW doublings, a data-oblivious scan over
   * every table entry, and one addition (adds the identity when the window digit is 0 — never
   * skipped).
   *
   * `n` must be `< 2^bits`. Assumes complete addition (adding the identity costs the same as any
   * add), which holds for the Weierstrass/Edwards point types used here. The table is left in
   * projective form (no normalizeZ): normalizing this small a table costs more than the
   * mixed-add savings it would buy for a single multiply.
   * @returns real point `p`; `f` duplicates it only to match {@link wnafCachedCT}'s return shape
   * (this path needs no fake accumulator — its op-count is already scalar-independent).
   */
  fixedWindowCT(point2, n, bits) {
    const W = FW_WINDOW;
    const size = 1 << W;
    const mask = bitMask(W);
    const table = new Array(size);
    table[0] = this.ZERO;
    for (let i = 1; i < size; i++)
      table[i] = table[i - 1].add(point2);
    const windows2 = Math.ceil(bits / W);
    let acc = this.ZERO;
    for (let window = windows2 - 1; window >= 0; window--) {
      if (window !== windows2 - 1)
        for (let d = 0; d < W; d++)
          acc = acc.double();
      const digit = Number(n >> BigInt(window * W) & mask);
      let sel = table[0];
      for (let i = 1; i < size; i++)
        sel = i === digit ? table[i] : sel;
      acc = acc.add(sel);
    }
    return { p: acc, f: acc };
  }
  shouldBlind(point2, cofactor) {
    if (this.randomBytes === void 0)
      return false;
    if (cofactor === _1n3)
      return true;
    if (point2 !== this.BASE)
      return false;
    if (this.baseCanBeBlinded === void 0)
      this.baseCanBeBlinded = this.mulUnsafe(this.BASE, this.Point.Fn.ORDER).is0();
    return this.baseCanBeBlinded;
  }
  mulSecret(point2, scalar, cofactor, transform) {
    return this.shouldBlind(point2, cofactor) ? this.mulCTBlinded(point2, scalar, transform) : this.mulCT(point2, scalar, transform);
  }
  mulUnsafe(point2, scalar, transform) {
    this.assertPoint(point2);
    if (!isPosBig(scalar))
      throw new Error("invalid scalar");
    const W = getWindowSize(point2);
    if (W === 1 || scalar >= this.Point.Fn.ORDER)
      return mulAddUnsafe(this.Point, [point2], [scalar], true);
    const precomputes = this.getWnafPrecomputes(W, point2, this.bits, transform);
    return this.wnafCachedCT(precomputes, scalar).p;
  }
  // Remembers the window size used for precomputed wNAF multiplication of the given point
  // and drops any previously built tables. Usually only the base point is precomputed.
  // W=1 resets the point to the un-precomputed (table-less) paths.
  // W is additionally capped so tables stay under ~2 GiB ({@link TABLE_BYTES_MAX}).
  setWindowSize(point2, W) {
    this.assertPoint(point2);
    validateW(W, this.bits);
    const windows2 = Math.ceil((this.bits + BLIND_BITS) / W) + 1;
    validateTableBytes(windows2 * 2 ** (W - 1), this.Point.Fp.BYTES);
    pointWindowSizes.set(point2, W);
    this.wnafPrecomputes.delete(point2);
  }
  // True when a window size is set: tables themselves are built lazily on first multiply.
  hasWindowSize(point2) {
    return getWindowSize(point2) !== 1;
  }
};
function mulAddUnsafe(c, points, scalars, allowOversized = false) {
  validatePointCons(c);
  validateMSMPoints(points, c);
  abool(allowOversized, "allowOversized");
  validateMSMScalars(scalars, c.Fn, allowOversized ? c.Fn.ORDER ** _4n2 : void 0);
  if (points.length !== scalars.length)
    throw new Error("arrays of points and scalars must have equal length");
  const tables2 = points.map((p) => oddMultiples(p, 4));
  const digits = scalars.map((n) => wnafDigits(n, 4));
  return wnafWalk(c.ZERO, tables2, digits);
}
function createField(order, field2, isLE) {
  if (field2) {
    if (field2.ORDER !== order)
      throw new Error("Field.ORDER must match order: Fp == p, Fn == n");
    validateField(field2);
    return field2;
  } else {
    return Field(order, { isLE });
  }
}
function createCurveFields(type, CURVE, curveOpts = {}, FpFnLE) {
  if (type !== "weierstrass" && type !== "edwards")
    throw new Error('expected curve type "weierstrass" or "edwards"');
  if (FpFnLE === void 0)
    FpFnLE = type === "edwards";
  if (!CURVE || typeof CURVE !== "object")
    throw new Error(`expected valid ${type} CURVE object`);
  validateObject(curveOpts);
  for (const p of ["p", "n", "h"]) {
    const val = CURVE[p];
    if (!(isPosBig(val) && val !== _0n3))
      throw new Error(`CURVE.${p} must be positive bigint`);
  }
  const Fp = createField(CURVE.p, curveOpts.Fp, FpFnLE);
  const Fn = createField(CURVE.n, curveOpts.Fn, FpFnLE);
  const _b = type === "weierstrass" ? "b" : "d";
  const params2 = ["Gx", "Gy", "a", _b];
  for (const p of params2) {
    if (!Fp.isValid(CURVE[p]))
      throw new Error(`CURVE.${p} must be valid field element of CURVE.Fp`);
  }
  CURVE = Object.freeze(Object.assign({}, CURVE));
  return { CURVE, Fp, Fn };
}
function createKeygen(randomSecretKey, getPublicKey) {
  return function keygen(seed) {
    const secretKey = randomSecretKey(seed);
    return { secretKey, publicKey: getPublicKey(secretKey) };
  };
}

// node_modules/@noble/curves/abstract/edwards.js
var _0n4 = /* @__PURE__ */ BigInt(0);
var _1n4 = /* @__PURE__ */ BigInt(1);
var _2n2 = /* @__PURE__ */ BigInt(2);
var _4n3 = /* @__PURE__ */ BigInt(4);
var _8n2 = /* @__PURE__ */ BigInt(8);
function isEdValidXY(Fp, CURVE, x, y) {
  const x2 = Fp.sqr(x);
  const y2 = Fp.sqr(y);
  const left = Fp.add(Fp.mul(CURVE.a, x2), y2);
  const right = Fp.add(Fp.ONE, Fp.mul(CURVE.d, Fp.mul(x2, y2)));
  return Fp.eql(left, right);
}
function edwards(params2, extraOpts = {}) {
  validateObject(extraOpts, {}, {}, "extraOpts");
  const opts = extraOpts;
  const validated = createCurveFields("edwards", params2, opts, opts.FpFnLE);
  const { Fp, Fn } = validated;
  let CURVE = validated.CURVE;
  const { h: cofactor } = CURVE;
  if (FpLegendre(Fp, CURVE.a) !== 1)
    throw new Error("edwards: CURVE.a must be a square in Fp for complete addition formulas");
  if (FpLegendre(Fp, CURVE.d) !== -1)
    throw new Error("edwards: CURVE.d must be a non-square in Fp for complete addition formulas");
  validateObject(opts, {}, { uvRatio: "function", randomBytes: "function" });
  const randomBytes3 = opts.randomBytes === void 0 ? randomBytes2 : opts.randomBytes;
  const MASK = _2n2 << BigInt(Fp.BYTES * 8) - _1n4;
  function isOdd(n) {
    if (!Fp.isOdd)
      throw new Error("Field does not have .isOdd()");
    return Fp.isOdd(n);
  }
  const uvRatio2 = opts.uvRatio === void 0 ? (u, v) => {
    try {
      return { isValid: true, value: Fp.sqrt(Fp.div(u, v)) };
    } catch (e) {
      return { isValid: false, value: _0n4 };
    }
  } : opts.uvRatio;
  if (!isEdValidXY(Fp, CURVE, CURVE.Gx, CURVE.Gy))
    throw new Error("bad curve params: generator point");
  const mulA = Fp.eql(CURVE.a, Fp.neg(Fp.ONE)) ? (x) => Fp.neg(x) : Fp.eql(CURVE.a, Fp.ONE) ? (x) => x : (x) => Fp.mul(CURVE.a, x);
  function acoord(title, n, banZero = false) {
    const min = banZero ? _1n4 : _0n4;
    aInRange("coordinate " + title, n, min, MASK);
    return n;
  }
  function aedpoint(other) {
    if (!(other instanceof Point))
      throw new Error("EdwardsPoint expected");
  }
  class Point {
    static BASE = new Point(CURVE.Gx, CURVE.Gy, Fp.ONE, Fp.mul(CURVE.Gx, CURVE.Gy));
    static ZERO = new Point(Fp.ZERO, Fp.ONE, Fp.ONE, Fp.ZERO);
    static Fp = Fp;
    static Fn = Fn;
    X;
    Y;
    Z;
    T;
    constructor(X, Y, Z, T) {
      this.X = acoord("x", X);
      this.Y = acoord("y", Y);
      this.Z = acoord("z", Z, true);
      this.T = acoord("t", T);
      Object.freeze(this);
    }
    static CURVE() {
      return CURVE;
    }
    /**
     * Create one extended Edwards point from affine coordinates.
     * Does NOT validate that the point is on-curve or torsion-free.
     * Use `.assertValidity()` on adversarial inputs.
     */
    static fromAffine(p) {
      if (p instanceof Point)
        throw new Error("extended point not allowed");
      const { x, y } = p || {};
      acoord("x", x);
      acoord("y", y);
      return new Point(x, y, Fp.ONE, Fp.mul(x, y));
    }
    // Uses algo from RFC8032 5.1.3.
    static fromBytes(bytes, zip215 = false) {
      const len = Fp.BYTES;
      const { a, d } = CURVE;
      bytes = copyBytes(abytes2(bytes, len, "point"));
      abool(zip215, "zip215");
      const normed = copyBytes(bytes);
      const lastByte = bytes[len - 1];
      normed[len - 1] = lastByte & ~128;
      const y = bytesToNumberLE(normed);
      const max = zip215 ? MASK : Fp.ORDER;
      aInRange("point.y", y, _0n4, max);
      const y2 = Fp.sqr(y);
      const u = Fp.sub(y2, Fp.ONE);
      const v = Fp.sub(Fp.mulN(d, y2), a);
      let { isValid, value: x } = uvRatio2(u, v);
      if (!isValid)
        throw new Error("bad point: invalid y coordinate");
      const isXOdd = isOdd(x);
      const isLastByteOdd = (lastByte & 128) !== 0;
      if (!zip215 && Fp.is0(x) && isLastByteOdd)
        throw new Error("bad point: x=0 and x_0=1");
      if (isLastByteOdd !== isXOdd)
        x = Fp.neg(x);
      return Point.fromAffine({ x, y });
    }
    static fromHex(hex, zip215 = false) {
      return Point.fromBytes(hexToBytes2(hex), zip215);
    }
    get x() {
      return this.toAffine().x;
    }
    get y() {
      return this.toAffine().y;
    }
    precompute(windowSize = 6, isLazy = true) {
      wnaf.setWindowSize(this, windowSize);
      if (!isLazy)
        this.multiply(_2n2);
      return this;
    }
    // Useful in fromAffine() - not for fromBytes(), which always created valid points.
    assertValidity() {
      const p = this;
      const { a, d } = CURVE;
      if (p.is0())
        throw new Error("bad point: ZERO");
      const { X, Y, Z, T } = p;
      const X2 = Fp.sqr(X);
      const Y2 = Fp.sqr(Y);
      const Z2 = Fp.sqr(Z);
      const Z4 = Fp.sqr(Z2);
      const aX2 = Fp.mul(X2, a);
      const left = Fp.mul(Fp.add(aX2, Y2), Z2);
      const right = Fp.add(Z4, Fp.mul(d, Fp.mul(X2, Y2)));
      if (!Fp.eql(left, right))
        throw new Error("bad point: equation left != right (1)");
      const XY = Fp.mul(X, Y);
      const ZT = Fp.mul(Z, T);
      if (!Fp.eql(XY, ZT))
        throw new Error("bad point: equation left != right (2)");
    }
    // Compare one point to another.
    equals(other) {
      aedpoint(other);
      const { X: X1, Y: Y1, Z: Z1 } = this;
      const { X: X2, Y: Y2, Z: Z2 } = other;
      const X1Z2 = Fp.mul(X1, Z2);
      const X2Z1 = Fp.mul(X2, Z1);
      const Y1Z2 = Fp.mul(Y1, Z2);
      const Y2Z1 = Fp.mul(Y2, Z1);
      return Fp.eql(X1Z2, X2Z1) && Fp.eql(Y1Z2, Y2Z1);
    }
    is0() {
      return this.equals(Point.ZERO);
    }
    negate() {
      return new Point(Fp.neg(this.X), this.Y, this.Z, Fp.neg(this.T));
    }
    // Fast algo for doubling Extended Point.
    // https://hyperelliptic.org/EFD/g1p/auto-twisted-extended.html#doubling-dbl-2008-hwcd
    // Cost: 4M + 4S + 1*a + 6add + 1*2.
    double() {
      const { X: X1, Y: Y1, Z: Z1 } = this;
      const A = Fp.sqr(X1);
      const B = Fp.sqr(Y1);
      const C = Fp.mul(Fp.sqr(Z1), _2n2);
      const D = mulA(A);
      const x1y1 = Fp.addN(X1, Y1);
      const E = Fp.sub(Fp.subN(Fp.sqr(x1y1), A), B);
      const G = Fp.addN(D, B);
      const F = Fp.subN(G, C);
      const H = Fp.subN(D, B);
      const X3 = Fp.mul(E, F);
      const Y3 = Fp.mul(G, H);
      const T3 = Fp.mul(E, H);
      const Z3 = Fp.mul(F, G);
      return new Point(X3, Y3, Z3, T3);
    }
    // Fast algo for adding 2 Extended Points.
    // https://hyperelliptic.org/EFD/g1p/auto-twisted-extended.html#addition-add-2008-hwcd
    // Cost: 9M + 1*a + 1*d + 7add.
    add(other) {
      aedpoint(other);
      const { d } = CURVE;
      const { X: X1, Y: Y1, Z: Z1, T: T1 } = this;
      const { X: X2, Y: Y2, Z: Z2, T: T2 } = other;
      const A = Fp.mul(X1, X2);
      const B = Fp.mul(Y1, Y2);
      const C = Fp.mul(Fp.mulN(T1, d), T2);
      const D = Fp.mul(Z1, Z2);
      const E = Fp.sub(Fp.subN(Fp.mulN(Fp.addN(X1, Y1), Fp.addN(X2, Y2)), A), B);
      const F = Fp.subN(D, C);
      const G = Fp.addN(D, C);
      const H = Fp.sub(B, mulA(A));
      const X3 = Fp.mul(E, F);
      const Y3 = Fp.mul(G, H);
      const T3 = Fp.mul(E, H);
      const Z3 = Fp.mul(F, G);
      return new Point(X3, Y3, Z3, T3);
    }
    subtract(other) {
      aedpoint(other);
      return this.add(other.negate());
    }
    // Constant-time multiplication.
    multiply(scalar) {
      if (!Fn.isValidNot0(scalar))
        throw new RangeError("invalid scalar: expected 1 <= sc < curve.n");
      const { p, f } = wnaf.mulSecret(this, scalar, cofactor, normalize);
      return normalize([p, f])[0];
    }
    // Non-constant-time multiplication. Uses double-and-add algorithm.
    // It's faster, but should only be used when you don't care about
    // an exposed private key e.g. sig verification.
    // Keeps the same subgroup-scalar contract: 0 is allowed for public-scalar callers, but
    // n and larger values are rejected instead of being reduced mod n to the identity point.
    multiplyUnsafe(scalar) {
      if (!Fn.isValid(scalar))
        throw new RangeError("invalid scalar: expected 0 <= sc < curve.n");
      if (scalar === _0n4)
        return Point.ZERO;
      if (this.is0() || scalar === _1n4)
        return this;
      return wnaf.mulUnsafe(this, scalar, normalize);
    }
    // Checks if point is of small order.
    // If you add something to small order point, you will have "dirty"
    // point with torsion component.
    // Clears cofactor and checks if the result is 0.
    isSmallOrder() {
      return this.clearCofactor().is0();
    }
    // Multiplies point by curve order and checks if the result is 0.
    // Returns `false` is the point is dirty.
    isTorsionFree() {
      return wnaf.mulUnsafe(this, CURVE.n).is0();
    }
    // Converts Extended point to default (x, y) coordinates.
    // Can accept precomputed Z^-1 - for example, from invertBatch.
    toAffine(invertedZ) {
      const p = this;
      let iz = invertedZ;
      if (iz != null && typeof iz !== "bigint")
        throw new TypeError('"invertedZ" expected bigint, got type=' + typeof iz);
      const { X, Y, Z } = p;
      const is0 = p.is0();
      if (iz == null)
        iz = is0 ? Fp.create(_8n2) : Fp.inv(Z);
      const x = Fp.mul(X, iz);
      const y = Fp.mul(Y, iz);
      const zz = Fp.mul(Z, iz);
      if (is0)
        return { x: Fp.ZERO, y: Fp.ONE };
      if (!Fp.eql(zz, Fp.ONE))
        throw new Error("invZ was invalid");
      return { x, y };
    }
    clearCofactor() {
      if (cofactor === _1n4)
        return this;
      if (cofactor === _2n2)
        return this.double();
      if (cofactor === _4n3)
        return this.double().double();
      if (cofactor === _8n2)
        return this.double().double().double();
      return this.multiplyUnsafe(cofactor);
    }
    toBytes() {
      const { x, y } = this.toAffine();
      const bytes = Fp.toBytes(y);
      bytes[bytes.length - 1] |= isOdd(x) ? 128 : 0;
      return bytes;
    }
    toHex() {
      return bytesToHex2(this.toBytes());
    }
    toString() {
      return `<Point ${this.is0() ? "ZERO" : this.toHex()}>`;
    }
  }
  const normalize = (points) => normalizeZ(Point, points);
  const wnaf = new ScalarMultiplier(Point, randomBytes3);
  if (wnaf.bits >= 6)
    Point.BASE.precompute(6);
  Object.freeze(Point.prototype);
  Object.freeze(Point);
  return Point;
}

// node_modules/@noble/curves/abstract/montgomery.js
var _0n5 = /* @__PURE__ */ BigInt(0);
var _1n5 = /* @__PURE__ */ BigInt(1);
var _2n3 = /* @__PURE__ */ BigInt(2);
function cmask(P, swap) {
  return P + swap - (swap >> _1n5 << _1n5);
}
function cswap(P) {
  const offset = BigInt(6) * P;
  return (mask, x_2, x_3) => {
    const sum = x_2 + x_3;
    const d = offset + x_3 - x_2;
    const a = (d * mask + x_2) % P;
    return { x_2: a, x_3: sum - a };
  };
}
function validateOpts(curve) {
  validateObject(curve, {
    P: "bigint",
    type: "string",
    adjustScalarBytes: "function",
    powPminus2: "function"
  }, {
    randomBytes: "function",
    scalarMultBase: "function"
  });
  return Object.freeze({ ...curve });
}
function montgomery(curveDef) {
  const CURVE = validateOpts(curveDef);
  const { P, type, adjustScalarBytes: adjustScalarBytes2, powPminus2, randomBytes: rand } = CURVE;
  const mulBaseHook = CURVE.scalarMultBase;
  const is25519 = type === "x25519";
  if (!is25519 && type !== "x448")
    throw new Error("invalid type");
  const randomBytes_ = rand === void 0 ? randomBytes2 : rand;
  const montgomeryBits = is25519 ? 255 : 448;
  const swap = cswap(P);
  const fieldLen = is25519 ? 32 : 56;
  const Gu = is25519 ? BigInt(9) : BigInt(5);
  const a24 = is25519 ? BigInt(121665) : BigInt(39081);
  const minScalar = is25519 ? _2n3 ** BigInt(254) : _2n3 ** BigInt(447);
  const maxAdded = is25519 ? BigInt(8) * (_2n3 ** BigInt(251) - _1n5) : BigInt(4) * (_2n3 ** BigInt(445) - _1n5);
  const maxScalar = minScalar + maxAdded + _1n5;
  const modP = (n) => mod(n, P);
  const GuBytes = encodeU(Gu);
  function encodeU(u) {
    return numberToBytesLE(modP(u), fieldLen);
  }
  function decodeU(u) {
    const _u = copyBytes(abytes2(u, fieldLen, "uCoordinate"));
    if (is25519)
      _u[31] &= 127;
    return modP(bytesToNumberLE(_u));
  }
  function decodeScalar(scalar) {
    return bytesToNumberLE(adjustScalarBytes2(copyBytes(abytes2(scalar, fieldLen, "scalar"))));
  }
  const lowOrderU = new Set(is25519 ? [
    _0n5,
    _1n5,
    P - _1n5,
    BigInt("325606250916557431795983626356110631294008115727848805560023387167927233504"),
    BigInt("39382357235489614581723060781553021112529911719440698176882885853963445705823")
  ] : [_0n5, _1n5, P - _1n5]);
  function scalarMult(scalar, u) {
    const pointU = decodeU(u);
    if (lowOrderU.has(pointU))
      throw new Error("invalid private or public key received");
    const pu = montgomeryLadder(pointU, decodeScalar(scalar));
    if (pu === _0n5)
      throw new Error("invalid private or public key received");
    return encodeU(pu);
  }
  function scalarMultBase(scalar) {
    if (mulBaseHook === void 0)
      return scalarMult(scalar, GuBytes);
    const k = decodeScalar(scalar);
    aInRange("scalar", k, minScalar, maxScalar);
    const pu = modP(mulBaseHook(k));
    if (pu === _0n5)
      throw new Error("invalid private or public key received");
    return encodeU(pu);
  }
  const getPublicKey = scalarMultBase;
  const getSharedSecret = scalarMult;
  function montgomeryLadder(u, scalar) {
    aInRange("u", u, _0n5, P);
    aInRange("scalar", scalar, minScalar, maxScalar);
    const k = scalar;
    const x_1 = u;
    let x_2 = _1n5;
    let z_2 = _0n5;
    let x_3 = u;
    let z_3 = _1n5;
    const kx = k ^ k >> _1n5;
    for (let t = BigInt(montgomeryBits - 1); t >= _0n5; t--) {
      const mask2 = cmask(P, kx >> t);
      ({ x_2, x_3 } = swap(mask2, x_2, x_3));
      ({ x_2: z_2, x_3: z_3 } = swap(mask2, z_2, z_3));
      const A = x_2 + z_2;
      const AA = modP(A * A);
      const B = x_2 - z_2;
      const BB = modP(B * B);
      const E = AA - BB;
      const C = x_3 + z_3;
      const D = x_3 - z_3;
      const DA = modP(D * A);
      const CB = modP(C * B);
      const dacb = DA + CB;
      const da_cb = DA - CB;
      x_3 = modP(dacb * dacb);
      z_3 = modP(x_1 * modP(da_cb * da_cb));
      x_2 = modP(AA * BB);
      z_2 = modP(E * (AA + modP(a24 * E)));
    }
    const mask = cmask(P, k);
    ({ x_2, x_3 } = swap(mask, x_2, x_3));
    ({ x_2: z_2, x_3: z_3 } = swap(mask, z_2, z_3));
    const z2 = powPminus2(z_2);
    return modP(x_2 * z2);
  }
  const lengths = {
    secretKey: fieldLen,
    publicKey: fieldLen,
    seed: fieldLen
  };
  const randomSecretKey = (seed) => {
    seed = seed === void 0 ? randomBytes_(fieldLen) : seed;
    abytes2(seed, lengths.seed, "seed");
    return seed;
  };
  const utils = { randomSecretKey };
  Object.freeze(lengths);
  Object.freeze(utils);
  return Object.freeze({
    keygen: createKeygen(randomSecretKey, getPublicKey),
    getSharedSecret,
    getPublicKey,
    scalarMult,
    scalarMultBase,
    utils,
    GuBytes: GuBytes.slice(),
    lengths
  });
}

// node_modules/@noble/curves/ed25519.js
var _0n6 = /* @__PURE__ */ BigInt(0);
var _1n6 = /* @__PURE__ */ BigInt(1);
var _2n4 = /* @__PURE__ */ BigInt(2);
var _3n2 = /* @__PURE__ */ BigInt(3);
var _5n2 = /* @__PURE__ */ BigInt(5);
var _8n3 = /* @__PURE__ */ BigInt(8);
var ed25519_CURVE_p = /* @__PURE__ */ BigInt("0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
var ed25519_CURVE = /* @__PURE__ */ (() => ({
  p: ed25519_CURVE_p,
  n: BigInt("0x1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"),
  h: _8n3,
  a: BigInt("0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffec"),
  d: BigInt("0x52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3"),
  Gx: BigInt("0x216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a"),
  Gy: BigInt("0x6666666666666666666666666666666666666666666666666666666666666658")
}))();
function ed25519_pow_2_252_3(x) {
  const _10n = BigInt(10), _20n = BigInt(20), _40n = BigInt(40), _80n = BigInt(80);
  const P = ed25519_CURVE_p;
  const x2 = x * x % P;
  const b2 = x2 * x % P;
  const b4 = pow2(b2, _2n4, P) * b2 % P;
  const b5 = pow2(b4, _1n6, P) * x % P;
  const b10 = pow2(b5, _5n2, P) * b5 % P;
  const b20 = pow2(b10, _10n, P) * b10 % P;
  const b40 = pow2(b20, _20n, P) * b20 % P;
  const b80 = pow2(b40, _40n, P) * b40 % P;
  const b160 = pow2(b80, _80n, P) * b80 % P;
  const b240 = pow2(b160, _80n, P) * b80 % P;
  const b250 = pow2(b240, _10n, P) * b10 % P;
  const pow_p_5_8 = pow2(b250, _2n4, P) * x % P;
  return { pow_p_5_8, b2 };
}
function adjustScalarBytes(bytes) {
  bytes[0] &= 248;
  bytes[31] &= 127;
  bytes[31] |= 64;
  return bytes;
}
var ED25519_SQRT_M1 = /* @__PURE__ */ BigInt("19681161376707505956807079304988542015446066515923890162744021073123829784752");
function uvRatio(u, v) {
  const P = ed25519_CURVE_p;
  const v3 = mod(v * v * v, P);
  const v7 = mod(v3 * v3 * v, P);
  const pow3 = ed25519_pow_2_252_3(u * v7).pow_p_5_8;
  let x = mod(u * v3 * pow3, P);
  const vx2 = mod(v * x * x, P);
  const root1 = x;
  const root2 = mod(x * ED25519_SQRT_M1, P);
  const useRoot1 = vx2 === u;
  const useRoot2 = vx2 === mod(-u, P);
  const noRoot = vx2 === mod(-u * ED25519_SQRT_M1, P);
  if (useRoot1)
    x = root1;
  if (useRoot2 || noRoot)
    x = root2;
  if (isNegativeLE(x, P))
    x = mod(-x, P);
  return { isValid: useRoot1 || useRoot2, value: x };
}
var ed25519_Point = /* @__PURE__ */ edwards(ed25519_CURVE, { uvRatio });
var x25519 = /* @__PURE__ */ (() => {
  const P = ed25519_CURVE_p;
  const powPminus2 = (x) => {
    const { pow_p_5_8, b2 } = ed25519_pow_2_252_3(x);
    return mod(pow2(pow_p_5_8, _3n2, P) * b2, P);
  };
  return montgomery({
    P,
    type: "x25519",
    powPminus2,
    adjustScalarBytes,
    // ~3x faster fixed-base: [k]B on the birationally-equivalent Edwards curve using cached
    // base tables, mapped back via u = (1+y)/(1-y) = (Z+Y)/(Z-Y) with one Fermat inversion.
    // Same construction as libsodium's crypto_scalarmult_curve25519_base.
    scalarMultBase: (k) => {
      const kn = mod(k, ed25519_Point.Fn.ORDER);
      if (kn === _0n6)
        return _0n6;
      const p = ed25519_Point.BASE.multiply(kn);
      return mod((p.Z + p.Y) * powPminus2(mod(p.Z - p.Y, P)), P);
    }
  });
})();

// src/drop/cpace.ts
var dsi = "CPace255";
var block = 128;
var field = Field(2n ** 255n - 19n);
var J = 486662n;
var NeutralElement = class extends Error {
};
async function generator(prs2, ci, sid) {
  const pad = Math.max(0, block - 1 - lv(prs2).length - lv(dsi).length);
  const hash = await sha512(lv(dsi, prs2, new Uint8Array(pad), ci, sid));
  return point(elligator2(number(hash.slice(0, 32))));
}
function elligator2(r) {
  const x1 = field.mul(field.neg(J), field.inv(field.add(field.ONE, field.mul(2n, field.sqr(r)))));
  const right = field.mul(x1, field.add(field.mul(x1, field.add(x1, J)), field.ONE));
  const square = field.pow(right, (field.ORDER - 1n) / 2n);
  return field.eql(square, field.neg(field.ONE)) ? field.neg(field.add(x1, J)) : x1;
}
var secretScalar = () => random(32);
function multiplied(scalar, u) {
  if (scalar.length !== 32 || u.length !== 32) throw new NeutralElement();
  let result;
  try {
    result = x25519.scalarMult(scalar, u);
  } catch {
    throw new NeutralElement();
  }
  if (result.every((b) => b === 0)) throw new NeutralElement();
  return Uint8Array.from(result);
}
function sharedKey(sid, K, Ya, ADa, Yb, ADb) {
  return sha512(joined(lv(dsi + "_ISK", sid, K), lv(Ya, ADa), lv(Yb, ADb)));
}
async function sha512(b) {
  return new Uint8Array(await crypto.subtle.digest("SHA-512", b));
}
function number(little) {
  let n = 0n;
  for (let i = 31; i >= 0; i--) n = n << 8n | BigInt(i === 31 ? little[i] & 127 : little[i]);
  return field.create(n);
}
function point(n) {
  const little = new Uint8Array(32);
  for (let i = 0; i < 32; i++, n >>= 8n) little[i] = Number(n & 255n);
  return little;
}
var roleGuest = "guest";
var roleHost = "host";
var context = (mode, name) => lv("coffer/drop/v1", roleGuest, roleHost, mode, name);
var prs = (secret) => typeof secret === "string" ? utf8(secret) : secret;

// src/drop/wire.ts
var isRid = (s) => typeof s === "string" && /^[\w-]{21}[AQgw]$/.test(s);
var isText = (s) => typeof s === "string";
var isObject = (o) => typeof o === "object" && o !== null && !Array.isArray(o);
var isNumber = (n) => whole(n) && n < 2 ** 32;
var isMember = (m) => isObject(m) && isRid(m.rid) && typeof m.host === "boolean" && typeof m.here === "boolean";
var isTransfer = (s) => isRid(s);
var checks = {
  welcome: (f) => isRid(f.rid) && typeof f.host === "boolean" && isRid(f.host_rid) && isText(f.name) && isText(f.expires_at) && Array.isArray(f.members) && f.members.every(isMember) && whole(f.queue),
  join: (f) => isRid(f.rid),
  member: isMember,
  name: (f) => isText(f.name) && isText(f.expires_at),
  msg: (f) => isRid(f.from) && isObject(f.body),
  request: (f) => isNumber(f.n) && isTransfer(f.transfer) && isRid(f.from) && isText(f.file_id) && isObject(f.public_key) && isText(f.sealed),
  credit: (f) => isNumber(f.n) && isNumber(f.chunks),
  end: (f) => isNumber(f.n) && isText(f.code),
  error: (f) => isText(f.code),
  replaced: () => true,
  reconnect: () => true,
  closed: (f) => isText(f.code)
};
function frameOf(text) {
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Malformed("frame");
  }
  if (!isObject(read) || !isText(read.t)) throw new Malformed("frame");
  if (!Object.hasOwn(checks, read.t)) return void 0;
  if (!checks[read.t](read)) throw new Malformed("frame " + read.t);
  return read;
}
var longestJSON = 65536;
var StreamReader = class {
  free = [];
  head = new Uint8Array(5);
  headed = 0;
  body;
  filled = 0;
  // push takes a piece and calls `found` for each frame that is whole now.
  push(piece, found) {
    let at = 0;
    while (at < piece.length) {
      if (!this.body) {
        const some2 = Math.min(5 - this.headed, piece.length - at);
        this.head.set(piece.subarray(at, at + some2), this.headed);
        this.headed += some2;
        at += some2;
        if (this.headed < 5) return;
        this.body = this.memory(this.length());
        this.filled = 0;
      }
      const some = Math.min(this.body.length - this.filled, piece.length - at);
      this.body.set(piece.subarray(at, at + some), this.filled);
      this.filled += some;
      at += some;
      if (this.filled === this.body.length) {
        const body = this.body;
        this.body = void 0;
        this.headed = 0;
        const part = this.part(body);
        if (part) found(part);
      }
    }
  }
  // clean says that no frame is half read.
  get clean() {
    return !this.body && this.headed === 0;
  }
  // reuse takes back a payload that has been read: fresh memory costs more than a copy.
  reuse(payload) {
    if (this.free.length < 4) this.free.push(payload);
  }
  memory(length) {
    const used = this.free.pop();
    return used?.length === length ? used : new Uint8Array(length);
  }
  length() {
    const type = this.head[0];
    const length = new DataView(this.head.buffer).getUint32(1);
    const most = [0, longestJSON, largestChunk + tagSize, 0, longestJSON][type];
    if (most === void 0 || length > most) throw new Malformed("stream");
    return length;
  }
  part(body) {
    switch (this.head[0]) {
      case 1: {
        const { public_key, sealed, chunk } = json(body);
        if (!isObject(public_key) || !isText(sealed) || !isChunk(chunk)) throw new Malformed("start");
        return { is: "start", publicKey: public_key, sealed, chunk };
      }
      case 2:
        return { is: "chunk", sealed: body };
      case 3:
        return { is: "end" };
      case 4: {
        const { code } = json(body);
        if (!isText(code)) throw new Malformed("error");
        return { is: "error", code };
      }
      default:
        return void 0;
    }
  }
};
function json(body) {
  try {
    const read = JSON.parse(new TextDecoder().decode(body));
    if (isObject(read)) return read;
  } catch {
  }
  throw new Malformed("stream");
}
var ridBytes = (rid) => unb64(rid, 16);

// src/drop/guest.ts
var NotTheHost = class extends Error {
};
var GuestDoor = class {
  // secret: six digits, or "v1." and the link's key.
  constructor(name, secret, rid, say) {
    this.name = name;
    this.rid = rid;
    this.say = say;
    this.mode = secret.startsWith("v1.") ? "key" : "code";
    this.secret = this.mode === "key" ? unb64(secret.slice(3), 16) : secret;
  }
  name;
  rid;
  say;
  mode;
  secret;
  scalar;
  Ya;
  keys;
  async begin() {
    this.scalar = secretScalar();
    this.Ya = multiplied(this.scalar, await generator(prs(this.secret), context(this.mode, this.name), ridBytes(this.rid)));
    this.say({ k: "pake1", mode: this.mode, y: b64(this.Ya) });
  }
  // hear takes a body of the host. It answers the group key when the host let this guest in, and
  // throws NotTheHost for anything that the host would not say now.
  async hear(body) {
    try {
      if (body.k === "pake2" && this.scalar && this.Ya) {
        const sid = ridBytes(this.rid);
        const Yb = unb64(body.y, 32);
        const isk = await sharedKey(sid, multiplied(this.scalar, Yb), this.Ya, roleGuest, Yb, roleHost);
        this.keys = await joinKeys(isk, sid, this.mode, this.name, this.Ya, Yb);
        this.scalar = void 0;
        this.say({ k: "confirm", tag: b64(this.keys.tagGuest) });
        return void 0;
      }
      if (body.k === "admit" && this.keys) {
        const keys = this.keys;
        this.keys = void 0;
        if (!equal(unb64(body.tag, 32), keys.tagHost)) throw new Error("another secret");
        return await openGroupKey(keys, unb64(body.sealed, 48));
      }
    } catch {
      throw new NotTheHost();
    }
    if (body.k === "pake2" || body.k === "admit") throw new NotTheHost();
    return void 0;
  }
};

// src/drop/host.ts
var mostWrong = 3;
var HostDoor = class {
  // a rid is good for one run
  constructor(secrets, outside) {
    this.secrets = secrets;
    this.outside = outside;
  }
  secrets;
  outside;
  runs = /* @__PURE__ */ new Map();
  used = /* @__PURE__ */ new Set();
  get burnt() {
    return this.secrets.wrong >= mostWrong;
  }
  async hear(from, body) {
    try {
      if (body.k === "pake1") await this.answer(from, body);
      else if (body.k === "confirm") await this.confirmed(from, body);
    } catch {
      this.runs.delete(from);
      this.outside.reject(from, "wrong");
    }
  }
  async answer(from, { mode, y }) {
    const { code, key: key2, name } = this.secrets;
    const secret = mode === "code" ? code : mode === "key" ? key2 : void 0;
    if (this.used.has(from) || !secret) throw new Error("out of order");
    this.used.add(from);
    if (mode === "code" && this.burnt) return this.outside.reject(from, "burnt");
    const sid = ridBytes(from);
    const Ya = unb64(y, 32);
    const scalar = secretScalar();
    const Yb = multiplied(scalar, await generator(prs(secret), context(mode, name), sid));
    const keys = sharedKey(sid, multiplied(scalar, Ya), Ya, roleGuest, Yb, roleHost).then((isk) => joinKeys(isk, sid, mode, name, Ya, Yb));
    this.runs.set(from, { mode, code: mode === "code" ? code : void 0, keys });
    this.outside.say(from, { k: "pake2", y: b64(Yb) });
  }
  async confirmed(from, { tag }) {
    const run = this.runs.get(from);
    if (!run) throw new Error("out of order");
    this.runs.delete(from);
    const shown2 = unb64(tag, 32);
    const keys = await run.keys;
    if (run.mode === "code") {
      if (this.burnt) return this.outside.reject(from, "burnt");
      if (run.code !== this.secrets.code) return this.outside.reject(from, "wrong");
    }
    if (!equal(shown2, keys.tagGuest)) {
      if (run.mode === "code") {
        this.secrets.wrong++;
        await this.outside.guessed();
      }
      return this.outside.reject(from, "wrong");
    }
    const sealed = await sealGroupKey(keys, this.secrets.group);
    this.outside.say(from, { k: "admit", tag: b64(keys.tagHost), sealed: b64(sealed) });
    this.outside.admit(from);
  }
};

// src/drop/message.ts
var mostItems = 500;
var Channel = class {
  key;
  ends;
  constructor(group, from, to) {
    this.ends = [ridBytes(from), ridBytes(to)];
    this.key = messageKey(group, ...this.ends);
    this.key.catch(() => void 0);
  }
  async seal(purpose, n, said, ...bound) {
    return this.sealWith(random(12), purpose, n, said, ...bound);
  }
  async sealWith(iv, purpose, n, said, ...bound) {
    const plain = new TextEncoder().encode(JSON.stringify(said));
    const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData: this.context(purpose, u64(n), bound) }, await this.key, plain);
    return b64(joined(u64(n), iv, new Uint8Array(sealed)));
  }
  // open rejects what was not sealed for this purpose with these values.
  async open(purpose, sealed, ...bound) {
    const raw = unb64(sealed);
    if (raw.length < 8 + 12 + 16) throw new Malformed("sealed message");
    const n = new DataView(raw.buffer).getBigUint64(0);
    if (n > BigInt(Number.MAX_SAFE_INTEGER)) throw new Malformed("sealed message");
    const plain = await crypto.subtle.decrypt({ name: "AES-GCM", iv: raw.slice(8, 20), additionalData: this.context(purpose, raw.subarray(0, 8), bound) }, await this.key, raw.slice(20));
    const said = JSON.parse(new TextDecoder().decode(plain));
    if (typeof said !== "object" || said === null || Array.isArray(said)) throw new Malformed("sealed message");
    return { n: Number(n), said };
  }
  context(purpose, n, bound) {
    return lv("coffer/drop/v1 " + purpose, ...this.ends, n, ...bound);
  }
};
var Counter = class {
  last = Date.now() * 1e3;
  next() {
    return ++this.last;
  }
};
var overtakes = 256;
var Once = class {
  seen = [];
  // in order
  take(n) {
    const full = this.seen.length === overtakes;
    if (this.seen.includes(n) || full && n < this.seen[0]) return false;
    this.seen.push(n);
    this.seen.sort((a, b) => a - b);
    if (full) this.seen.shift();
    return true;
  }
};
var longestPlain = 3e4;
function offersOf(items) {
  const all = [];
  let part = [];
  let length = 0;
  for (const { id, name, kind, size, type, files, chunk } of items) {
    const item = { id, name, kind, size, type, files, chunk };
    const more = new TextEncoder().encode(JSON.stringify(item)).length + 1;
    if (part.length && length + more > longestPlain) {
      all.push({ k: "offer", items: part });
      part = [];
      length = 0;
    }
    part.push(item);
    length += more;
  }
  if (part.length) all.push({ k: "offer", items: part });
  return all;
}
function saidOf(said, from) {
  switch (said.k) {
    case "hello":
      return { k: "hello", device: typeof said.device === "string" ? [...clean(said.device)].slice(0, 60).join("") : "" };
    case "offer":
      return { k: "offer", items: Array.isArray(said.items) ? said.items.map((item) => described(item, from)).filter((item) => item !== void 0) : [] };
    case "withdraw":
      return { k: "withdraw", ids: Array.isArray(said.ids) ? said.ids.filter((id) => typeof id === "string") : [] };
    default:
      return void 0;
  }
}
function known(items, from, offered, taken) {
  let own = 0;
  for (const { owner } of items.values()) if (owner === from) own++;
  for (const item of offered) {
    const before = taken(item.id);
    if (items.has(item.id) || before && !same(before, item)) continue;
    if (own++ >= mostItems) break;
    items.set(item.id, item);
  }
}
var same = (a, b) => a.name === b.name && a.kind === b.kind && a.size === b.size && a.chunk === b.chunk && a.files === b.files && a.type === b.type;
function described(item, from) {
  const { id, name, kind, size, type, files, chunk } = item ?? {};
  if (typeof id !== "string" || typeof name !== "string" || name === "" || name.length > 1024) return void 0;
  const [owner, own, ...more] = id.split(".");
  if (owner !== from || !isRid(own) || more.length) return void 0;
  if (kind !== "file" && kind !== "folder" || !whole(size) || !isChunk(chunk) || chunksOf(size, chunk) > mostChunks) return void 0;
  return { id, owner, name, kind, size, type: typeof type === "string" && type.length <= 255 ? type : "", files: whole(files) ? files : 0, chunk };
}

// src/drop/socket.ts
var Refused = class extends Error {
  constructor(status, code, detail = "", retryAfter = 0) {
    super(code);
    this.status = status;
    this.code = code;
    this.detail = detail;
    this.retryAfter = retryAfter;
    this.name = "Refused";
  }
  status;
  code;
  detail;
  retryAfter;
};
var callTime = 2e4;
async function api(method, path, token, body) {
  const response = await request(method, path, token, body, { signal: AbortSignal.timeout(callTime) });
  return response.status === 204 ? void 0 : await response.json().catch(() => {
    throw new Refused(0, "offline");
  });
}
async function request(method, path, token, body, extra = {}) {
  const headers = {};
  if (token) headers.Authorization = "Drop " + token;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch("/v1/drops" + path, { method, headers, body: body && JSON.stringify(body), credentials: "omit", cache: "no-store", ...extra });
  } catch {
    throw new Refused(0, "offline");
  }
  if (response.ok) return response;
  const problem = await response.json().catch(() => ({}));
  const seconds = Number(response.headers.get("Retry-After"));
  throw new Refused(response.status, String(problem.code ?? "http_" + response.status), String(problem.detail ?? ""), Number.isFinite(seconds) ? Math.ceil(seconds) : 0);
}
var pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
var Pauses = class {
  next = 500;
  reset() {
    this.next = 500;
  }
  async wait(atLeast = 0, wake) {
    const ms = Math.max(this.next * (0.75 + Math.random() / 2), atLeast * 1e3);
    this.next = Math.min(this.next * 2, 15e3);
    await Promise.race([pause(ms), ...wake ? [wake] : []]);
  }
};
var Socket = class {
  constructor(name, token, hears) {
    this.name = name;
    this.token = token;
    this.hears = hears;
  }
  name;
  token;
  hears;
  ws;
  stopped = false;
  frame = new Uint8Array(0);
  pauses = new Pauses();
  start() {
    addEventListener("offline", this.offline);
    void this.run();
  }
  stop() {
    this.stopped = true;
    removeEventListener("offline", this.offline);
    this.ws?.close(1e3);
    this.ws = void 0;
  }
  get open() {
    return this.ws?.readyState === WebSocket.OPEN;
  }
  // send says whether the frame went to the socket; one that is cut tells its end by `cut`.
  send(frame) {
    if (!this.open) return false;
    this.ws.send(JSON.stringify(frame));
    return true;
  }
  // sendChunk sends u32 n ‖ sealed. The socket copies what it is given, so the memory serves again.
  sendChunk(n, sealed) {
    if (!this.open) return;
    const length = 4 + sealed.byteLength;
    if (this.frame.length < length) this.frame = new Uint8Array(length);
    new DataView(this.frame.buffer).setUint32(0, n);
    this.frame.set(new Uint8Array(sealed), 4);
    this.ws.send(this.frame.subarray(0, length));
  }
  // drained waits until little of what was sent is left in this browser's memory. The browser tells
  // no event for it.
  async drained(most) {
    const ws = this.ws;
    while (ws && ws === this.ws && this.open && ws.bufferedAmount > most) await pause(2);
  }
  // A browser that went offline may take minutes to see that its socket is dead.
  offline = () => this.ws?.close();
  async run() {
    while (!this.stopped) {
      let refusal2;
      try {
        const { ticket } = await api("POST", `/${this.name()}/tickets`, this.token);
        if (this.stopped) return;
        await this.connection(ticket);
      } catch (err) {
        if (!(err instanceof Refused)) throw err;
        if ([401, 403, 404, 410].includes(err.status)) {
          if (!this.stopped) this.hears.over(err);
          return;
        }
        refusal2 = err;
      }
      if (this.stopped) return;
      this.hears.cut();
      await this.pauses.wait(refusal2?.retryAfter, new Promise((resolve) => addEventListener("online", resolve, { once: true })));
    }
  }
  // connection lasts as long as one socket.
  connection(ticket) {
    return new Promise((resolve) => {
      const address = new URL(`/v1/drops/${this.name()}/socket?ticket=${encodeURIComponent(ticket)}`, location.origin);
      address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
      const ws = new WebSocket(address, "coffer.drop.v1");
      const late = setTimeout(() => ws.close(), 2e4);
      ws.onmessage = ({ data }) => {
        if (ws !== this.ws || typeof data !== "string") return;
        let frame;
        try {
          frame = frameOf(data);
        } catch {
          ws.close();
          return;
        }
        if (!frame) return;
        if (frame.t === "welcome") {
          clearTimeout(late);
          this.pauses.reset();
        }
        if (frame.t === "reconnect") ws.close();
        else this.hears.frame(frame);
      };
      ws.onclose = () => {
        clearTimeout(late);
        if (ws === this.ws) this.ws = void 0;
        resolve();
      };
      this.ws = ws;
    });
  }
};

// src/drop/receive.ts
var mostAtOnce = 4;
var ahead = 4;
var ackEvery = 250;
var silence = 45e3;
var Fatal = class extends Error {
  constructor(why) {
    super(why);
    this.why = why;
  }
  why;
};
var Later = class extends Error {
  constructor(why, retryAfter = 0) {
    super(why);
    this.why = why;
    this.retryAfter = retryAfter;
  }
  why;
  retryAfter;
};
var Receiving = class {
  constructor(ground) {
    this.ground = ground;
  }
  ground;
  takes = /* @__PURE__ */ new Map();
  waiting = /* @__PURE__ */ new Map();
  // by transfer: the hearer of "verified"
  running = 0;
  stopped = false;
  get shown() {
    return [...this.takes.values()].map(({ shown: shown2 }) => ({ ...shown2 }));
  }
  // restore goes on with what an earlier visit began.
  async restore() {
    for (const part of await parts.of(this.ground.member)) {
      const whole2 = part.state === "verified" || part.state === "saved";
      this.takes.set(part.item.id, {
        item: part.item,
        shown: {
          item: part.item.id,
          done: whole2 ? part.item.size : 0,
          total: part.item.size,
          state: part.state === "part" ? "waiting" : part.state === "paused" ? "broken" : part.state,
          ...part.state === "paused" && { why: "cancelled" }
        }
      });
    }
    this.next();
  }
  take(item, to) {
    const before = this.takes.get(item.id);
    if (before && before.shown.state !== "broken") return;
    try {
      safeName(item.name, this.ground.windows);
      if (to && item.kind === "folder") throw new NoSpace();
      this.takes.set(item.id, { item, to, shown: { item: item.id, done: before?.shown.done ?? 0, total: item.size, state: "waiting" } });
    } catch (err) {
      this.takes.set(item.id, { item, shown: { item: item.id, done: 0, total: item.size, state: "broken", why: err instanceof Unsafe ? "unsafe_name" : "no_space" } });
    }
    this.ground.changed();
    this.next();
  }
  cancel(id) {
    const take = this.takes.get(id);
    if (!take || !["waiting", "running", "retrying", "checking"].includes(take.shown.state)) return;
    this.show(take, "broken", "cancelled");
    void this.keep(take, "paused");
    take.stop?.abort();
  }
  // gone: that member left for good.
  gone(rid) {
    for (const take of this.takes.values()) {
      if (take.item.owner !== rid || !["waiting", "running", "retrying", "checking"].includes(take.shown.state)) continue;
      this.show(take, "broken", "sender_gone");
      take.stop?.abort();
    }
  }
  // end: the drop is over. What is not whole stays so.
  end() {
    for (const take of this.takes.values()) {
      if (["waiting", "running", "retrying", "checking"].includes(take.shown.state)) this.show(take, "broken", "sender_gone");
    }
    this.stop();
  }
  stop() {
    this.stopped = true;
    for (const take of this.takes.values()) take.stop?.abort();
  }
  taken = (id) => this.takes.get(id)?.item;
  verified(id) {
    const take = this.takes.get(id);
    return take && !take.to && (take.shown.state === "verified" || take.shown.state === "saved") ? take.item : void 0;
  }
  whole() {
    return new Set([...this.takes.keys()].filter((id) => this.verified(id)));
  }
  async saved(id) {
    const take = this.takes.get(id);
    if (take?.shown.state !== "verified") return;
    const part = (await parts.of(this.ground.member)).find(({ item }) => item.id === id);
    if (part) await parts.put({ ...part, state: "saved" });
    this.show(take, "saved");
  }
  // hear takes the sender's "verified".
  hear(body) {
    if (typeof body.transfer === "string") this.waiting.get(body.transfer)?.(unb64(body.tag, 32));
  }
  show(take, state, why) {
    take.shown.state = state;
    if (why) take.shown.why = why;
    else delete take.shown.why;
    this.ground.changed();
  }
  async keep(take, state, crcs) {
    if (take.to) return;
    await parts.put({ id: `${this.ground.member}/${take.item.id}`, member: this.ground.member, item: take.item, state, crcs });
  }
  // next begins the takes that wait, as many as may run.
  next() {
    for (const take of this.takes.values()) {
      if (this.stopped || this.running >= mostAtOnce) return;
      if (take.shown.state !== "waiting" || take.stop) continue;
      this.running++;
      take.stop = new AbortController();
      void this.run(take, take.stop.signal).finally(() => {
        this.running--;
        take.stop = void 0;
        this.next();
      });
    }
  }
  async run(take, stop) {
    const pauses = new Pauses();
    try {
      for (let whole2 = false; !whole2; ) {
        const before = take.held?.chunks ?? 0;
        try {
          stop.throwIfAborted();
          if (!take.held) await this.begin(take);
          await this.attempt(take, stop);
          whole2 = true;
        } catch (err) {
          if (stop.aborted || !(err instanceof Later)) throw err;
          if (take.held && take.held.chunks > before) pauses.reset();
          this.show(take, "retrying", err.why);
          await this.patience(take, err, pauses, stop);
        }
      }
      await this.finish(take);
    } catch (err) {
      if (stop.aborted) return;
      const why = err instanceof Fatal ? err.why : err instanceof NoSpace ? "no_space" : err instanceof Unsafe || err instanceof Malformed ? "unsafe_name" : void 0;
      if (!why) console.error(err);
      await this.release(take);
      if ((why === "no_space" || why === "unsafe_name") && !take.to) await removePart(this.ground.member, take.item.id);
      this.show(take, "broken", why ?? "tampered");
      await this.keep(take, "paused").catch(() => void 0);
    } finally {
      await this.release(take);
    }
  }
  async release(take) {
    const { held } = take;
    take.held = void 0;
    await held?.sink.close();
  }
  async begin(take) {
    if (take.to) {
      await removePart(this.ground.member, take.item.id);
      take.held = await Held.picked(take.item, take.to);
      return;
    }
    await this.keep(take, "part");
    this.show(take, "checking");
    try {
      take.held = await Held.stored(this.ground.member, take.item, (bytes) => {
        take.shown.done = bytes;
        this.ground.changed();
      });
    } catch (err) {
      if (err instanceof Silent || err.name === "NoModificationAllowedError") throw new Later("storage_silent");
      throw err;
    }
    take.shown.done = take.held.bytes;
    const left = await room().catch(() => Infinity);
    if (take.item.size - take.held.bytes > left) throw new NoSpace();
  }
  // patience waits until another attempt may do better.
  async patience(take, err, pauses, stop) {
    const aborted = new Promise((resolve) => stop.addEventListener("abort", resolve, { once: true }));
    await pauses.wait(err.retryAfter, Promise.race([aborted, ...err.retryAfter ? [] : [this.ground.moved()]]));
    while (!stop.aborted && !this.ground.here(take.item.owner)) await Promise.race([this.ground.moved(), aborted]);
    stop.throwIfAborted();
  }
  // attempt runs one transfer. It returns when the item is whole.
  async attempt(take, stop) {
    const { ground } = this;
    const { item } = take;
    const held = take.held;
    if (!ground.here(item.owner)) throw new Later("sender_gone");
    const pair = await drawKey();
    const pkR = await pointOf(pair.publicKey);
    const wants = held.chunks > 0 ? { from: held.chunks, digest: b64(held.digest) } : { from: 0 };
    const sealed = await ground.outgoing(item.owner).seal("request", ground.counter.next(), wants, item.id, pkR);
    const quiet = new AbortController();
    stop.throwIfAborted();
    const abort = () => quiet.abort();
    stop.addEventListener("abort", abort, { once: true });
    let timer2 = setTimeout(() => quiet.abort(), silence);
    const heard = () => {
      clearTimeout(timer2);
      timer2 = setTimeout(() => quiet.abort(), silence);
    };
    try {
      const { id } = await api("POST", `/${ground.name()}/transfers`, ground.token, { file_id: item.id, public_key: await jwkOf(pair.publicKey), sealed });
      const response = await request("GET", `/${ground.name()}/transfers/${id}/stream`, ground.token, void 0, { signal: quiet.signal });
      const transfer = new Attempt(take, id, pair, pkR, ground, () => ground.changed());
      const reader = response.body.getReader();
      try {
        while (!transfer.over) {
          const { value, done } = await reader.read();
          if (done) throw new Later("offline");
          heard();
          await transfer.push(value);
        }
        await transfer.settled();
      } catch (err) {
        await transfer.settled().catch(() => void 0);
        throw err;
      } finally {
        reader.cancel().catch(() => void 0);
      }
      this.confirm(take, transfer);
    } catch (err) {
      throw failure(err, stop);
    } finally {
      clearTimeout(timer2);
      stop.removeEventListener("abort", abort);
    }
  }
  // confirm tells the sender that the item is whole, and hears that it agrees. This member's copy is
  // whole either way.
  confirm(take, { id, keys }) {
    const { item } = take;
    const { digest } = take.held;
    const told = async () => {
      const tag = b64(await doneTag(keys.ack, item.id, item.size, digest));
      const expected = await verifiedTag(keys.ack, digest);
      for (let tries = 0; tries < 4 && !this.stopped; tries++) {
        this.ground.say(item.owner, { k: "done", transfer: id, tag });
        const answered = new Promise((resolve) => {
          this.waiting.set(id, (shown2) => resolve(equal(shown2, expected)));
          setTimeout(() => resolve(false), 1e4);
        });
        if (await answered) break;
      }
      this.waiting.delete(id);
    };
    told().catch((err) => console.error(err));
  }
  async finish(take) {
    const { item } = take;
    await take.held.sink.whole();
    if (take.to) return this.show(take, "saved");
    let crcs;
    if (item.kind === "folder") {
      this.show(take, "checking");
      await take.held.sink.close();
      take.held = void 0;
      const file = await readPart(this.ground.member, item.id);
      crcs = (await inspect(file, this.ground.windows, () => void 0)).crcs;
    }
    await this.keep(take, "verified", crcs);
    take.shown.done = item.size;
    this.show(take, "verified");
  }
};
function failure(err, stop) {
  if (stop.aborted || err instanceof Later || err instanceof Fatal || err instanceof NoSpace) return err;
  if (err instanceof Malformed) return new Fatal("tampered");
  if (err instanceof Refused) {
    if (err.code === "file_not_found") return new Later("sender_gone");
    return new Later(err.status === 429 ? "busy" : "offline", err.retryAfter);
  }
  if (err instanceof TypeError || err.name === "AbortError" || err.name === "NetworkError") return new Later("offline");
  return err;
}
var Attempt = class {
  constructor(take, id, pair, pkR, ground, changed) {
    this.take = take;
    this.id = id;
    this.pair = pair;
    this.pkR = pkR;
    this.ground = ground;
    this.changed = changed;
    this.total = chunksOf(take.item.size, take.item.chunk);
  }
  take;
  id;
  pair;
  pkR;
  ground;
  changed;
  over = false;
  keys;
  reader = new StreamReader();
  total;
  index = 0;
  // of the next chunk that comes
  writes = Promise.resolve();
  pending = [];
  acked = 0;
  ackedAt = 0;
  // push takes a piece of the stream. It waits while too many chunks are being opened.
  async push(piece) {
    const found = [];
    this.reader.push(piece, (part) => found.push(part));
    for (const part of found) {
      if (this.over) throw new Malformed("stream");
      if (part.is === "start") await this.start(part);
      else if (part.is === "chunk") await this.chunk(part.sealed);
      else if (part.is === "error") throw refusal(part.code);
      else await this.end();
    }
  }
  settled() {
    return this.writes;
  }
  async start({ publicKey: jwk, sealed, chunk }) {
    if (this.keys) throw new Malformed("stream");
    const { item } = this.take;
    const held = this.take.held;
    const transfer = ridBytes(this.id);
    const answer2 = await (async () => {
      const other = await publicKey(jwk);
      const pkS = await pointOf(other);
      const { said } = await this.ground.incoming(item.owner).open("accept", sealed, transfer, this.pkR, pkS);
      return { other, pkS, said };
    })().catch(() => {
      throw new Fatal("tampered");
    });
    const { size, from, digest } = answer2.said;
    if (size !== item.size || answer2.said.chunk !== item.chunk || chunk !== item.chunk) throw new Fatal("changed");
    if (from === 0) {
      if (held.chunks > 0) await held.restart();
    } else if (from !== held.chunks || !equal(unb64(digest, 32), held.digest)) throw new Fatal("tampered");
    this.index = held.chunks;
    this.acked = held.chunks;
    this.keys = await transferKeys(await agreed(this.pair.privateKey, answer2.other), this.ground.group(), {
      transfer,
      file: item.id,
      receiver: ridBytes(this.ground.rid()),
      sender: ridBytes(item.owner),
      pkR: this.pkR,
      pkS: answer2.pkS,
      size: item.size,
      chunk: item.chunk,
      from: held.chunks
    });
    this.take.shown.state = "running";
    delete this.take.shown.why;
    this.changed();
  }
  async chunk(sealed) {
    const { item } = this.take;
    const i = this.index++;
    if (!this.keys || i >= this.total || sealed.length !== lengthOf(i, item.size, item.chunk) + tagSize) throw new Fatal("tampered");
    const opened = openChunk(this.keys, i, i === this.total - 1, item.size, sealed);
    this.reader.reuse(sealed);
    const written = this.writes.then(async () => {
      const plain = await opened.catch(() => {
        throw new Fatal("tampered");
      });
      await this.take.held.add(new Uint8Array(plain));
      this.took();
    });
    opened.catch(() => void 0);
    written.catch(() => void 0);
    this.writes = written;
    this.pending.push(written);
    if (this.pending.length >= ahead) await this.pending.shift();
  }
  // took shows the progress here and, now and then, to the sender.
  took() {
    const held = this.take.held;
    this.take.shown.done = held.bytes;
    this.changed();
    const now = performance.now();
    if (held.chunks === this.acked || now - this.ackedAt < ackEvery) return;
    this.ackedAt = now;
    this.acked = held.chunks;
    const chunks = held.chunks;
    void ackTag(this.keys.ack, chunks).then((tag) => this.ground.say(this.take.item.owner, { k: "ack", transfer: this.id, chunks, tag: b64(tag) }));
  }
  // end: the sender has sent everything; all must have come.
  async end() {
    await this.writes;
    if (!this.keys || !this.take.held.complete) throw new Fatal("tampered");
    this.over = true;
  }
};
function refusal(code) {
  switch (code) {
    case "changed":
    case "cancelled":
      return new Fatal(code);
    case "unknown_file":
      return new Later("unknown_file");
    case "busy":
    case "stalled":
      return new Later(code);
    case "sender_gone":
    case "sender_silent":
      return new Later("sender_gone");
    default:
      return new Later("offline");
  }
}

// src/drop/send.ts
var mostTransfers = 64;
var mostKnown = 1e3;
var ahead2 = 3;
var mostBuffered = 8 * 2 ** 20;
var block2 = 4 * 2 ** 20;
var mostBlocks = 4;
var Source = class {
  constructor(item, blob) {
    this.item = item;
    this.blob = blob;
    this.total = chunksOf(item.size, item.chunk);
    this.digests = [firstDigest(item.chunk)];
  }
  item;
  blob;
  total;
  digests;
  blocks = /* @__PURE__ */ new Map();
  // read answers chunk i; it rejects when the file is no longer what was picked. The chain of
  // digests grows once, however many receivers read.
  async read(i) {
    const { size, chunk } = this.item;
    const at = i * chunk;
    const index = Math.floor(at / block2);
    const whole2 = this.block(index);
    if ((index + 1) * block2 < size) void this.block(index + 1);
    const plain = new Uint8Array(await whole2, at - index * block2, lengthOf(i, size, chunk));
    const before = this.digests[i];
    if (before && !this.digests[i + 1]) this.digests[i + 1] = before.then((digest) => nextDigest(digest, plain));
    return plain;
  }
  block(index) {
    let bytes = this.blocks.get(index);
    if (!bytes) {
      const length = Math.min(block2, this.item.size - index * block2);
      bytes = this.blob.slice(index * block2, index * block2 + length).arrayBuffer().then((read) => {
        if (read.byteLength !== length) throw new Error("the file is shorter than it was");
        return read;
      });
      bytes.catch(() => this.blocks.delete(index));
      if (this.blocks.size >= mostBlocks) this.blocks.delete(this.blocks.keys().next().value);
    } else this.blocks.delete(index);
    this.blocks.set(index, bytes);
    return bytes;
  }
  // forget gives back what was read: an item that no transfer needs holds no memory.
  forget() {
    this.blocks.clear();
  }
  // digest is the chain's value after k chunks; it reads what no transfer has read yet.
  async digest(k) {
    while (this.digests.length <= k) await this.read(this.digests.length - 1);
    return this.digests[k];
  }
};
var Sending = class {
  constructor(ground) {
    this.ground = ground;
  }
  ground;
  sources = /* @__PURE__ */ new Map();
  shown = /* @__PURE__ */ new Map();
  // by item and receiver
  live = /* @__PURE__ */ new Map();
  // by the number on this socket
  known = /* @__PURE__ */ new Map();
  // by id: a receiver confirms after the end
  asked = /* @__PURE__ */ new Map();
  get running() {
    return this.live.size > 0;
  }
  // withdraw ends the transfers of an item that is no longer offered.
  withdraw(id) {
    this.sources.delete(id);
    for (const t of this.live.values()) if (t.source.item.id === id) this.fail(t, "cancelled", "cancelled");
  }
  // cut: the socket ended, and the server ended its transfers with it. The receivers ask again.
  cut() {
    for (const t of this.live.values()) this.stop(t, "waiting");
    this.live.clear();
  }
  // gone: that member left for good.
  gone(rid) {
    for (const t of this.live.values()) if (t.to === rid) this.stop(t, "failed", "cancelled");
    for (const [key2, o] of this.shown) if (o.to === rid && o.state !== "verified") this.shown.delete(key2);
    this.ground.changed();
  }
  async request(request2) {
    const { n, from } = request2;
    const refuse2 = (code) => void this.ground.socket.send({ t: "fail", n, code });
    const source = this.sources.get(request2.file_id);
    if (!source || !this.ground.admitted(from)) return refuse2("unknown_file");
    if (this.live.size >= mostTransfers) return refuse2("busy");
    const key2 = `${source.item.id} ${from}`;
    const shown2 = { id: key2, item: source.item.id, to: from, confirmed: 0, total: source.item.size, state: "running" };
    const t = { n, id: request2.transfer, source, to: from, credits: 0, wake: () => {
    }, over: false, shown: shown2 };
    this.live.set(n, t);
    try {
      const first = await this.accept(t, request2);
      if (t.over) return;
      this.shown.set(key2, shown2);
      this.known.set(t.id, t);
      if (this.known.size > mostKnown) this.known.delete(this.known.keys().next().value);
      shown2.confirmed = Math.min(first * source.item.chunk, source.item.size);
      this.ground.changed();
      await this.pump(t, first);
    } catch (err) {
      if (t.over) return;
      if (err instanceof Untrue) {
        this.live.delete(n);
        t.over = true;
        return refuse2("cancelled");
      }
      this.shown.set(key2, shown2);
      this.fail(t, "changed", "changed");
    } finally {
      this.ease(source);
    }
  }
  // ease forgets the bytes of an item that is in no transfer.
  ease(source) {
    for (const t of this.live.values()) if (t.source === source) return;
    source.forget();
  }
  // accept checks the request, agrees on the keys, and answers the first chunk to send.
  async accept(t, { from, file_id, public_key, sealed }) {
    const { item, total } = t.source;
    const ground = this.ground;
    const { other, pkR, wants } = await (async () => {
      const other2 = await publicKey(public_key);
      const pkR2 = await pointOf(other2);
      const { n, said } = await ground.incoming(from).open("request", sealed, file_id, pkR2);
      const once = this.asked.get(from) ?? new Once();
      this.asked.set(from, once);
      if (!once.take(n)) throw new Error("a repeated request");
      if (!whole(said.from) || said.from > total) throw new Error("more chunks than there are");
      return { other: other2, pkR: pkR2, wants: { from: said.from, digest: said.from > 0 ? unb64(said.digest, 32) : void 0 } };
    })().catch(() => {
      throw new Untrue();
    });
    for (const other2 of this.live.values()) {
      if (other2 !== t && other2.to === from && other2.source === t.source) this.stop(other2, "waiting");
    }
    let first = 0;
    let digest;
    if (wants.digest) {
      const own = await t.source.digest(wants.from);
      if (equal(own, wants.digest)) [first, digest] = [wants.from, own];
    }
    const pair = await drawKey();
    const pkS = await pointOf(pair.publicKey);
    const transfer = ridBytes(t.id);
    t.keys = await transferKeys(await agreed(pair.privateKey, other), ground.group(), {
      transfer,
      file: file_id,
      receiver: ridBytes(from),
      sender: ridBytes(ground.rid()),
      pkR,
      pkS,
      size: item.size,
      chunk: item.chunk,
      from: first
    });
    const answer2 = await ground.outgoing(from).seal(
      "accept",
      ground.counter.next(),
      { size: item.size, chunk: item.chunk, from: first, ...digest && { digest: b64(digest) } },
      transfer,
      pkR,
      pkS
    );
    if (!t.over) ground.socket.send({ t: "accept", n: t.n, public_key: await jwkOf(pair.publicKey), sealed: answer2, chunk: item.chunk });
    return first;
  }
  // pump sends the chunks in order, as credits come. Reading and sealing run ahead.
  async pump(t, first) {
    const { source, keys } = t;
    const { size } = source.item;
    const seal = async (i) => sealChunk(keys, i, i === source.total - 1, size, await source.read(i));
    const ready = [];
    let begun = first;
    for (let i = first; i < source.total; i++) {
      for (; begun < source.total && ready.length < ahead2; begun++) {
        const sealed2 = seal(begun);
        sealed2.catch(() => void 0);
        ready.push(sealed2);
      }
      const sealed = await ready.shift();
      while (t.credits === 0 && !t.over) await new Promise((resolve) => t.wake = resolve);
      if (!t.over) await this.ground.socket.drained(mostBuffered);
      if (t.over) return;
      t.credits--;
      this.ground.socket.sendChunk(t.n, sealed);
    }
    this.ground.socket.send({ t: "finish", n: t.n });
  }
  credit(n, chunks) {
    const t = this.live.get(n);
    if (!t) return;
    t.credits += chunks;
    t.wake();
  }
  // end: the server is done with a transfer. After "delivered" the receiver's word is awaited.
  end(n, code) {
    const t = this.live.get(n);
    if (!t) return;
    const stalled = code === "stalled" ? "stalled" : code === "busy" ? "busy" : void 0;
    if (code === "delivered") {
      this.live.delete(n);
      t.over = true;
      this.ease(t.source);
    } else this.stop(t, "waiting", stalled);
  }
  // hear takes what a receiver confirms.
  async hear(from, body) {
    const t = typeof body.transfer === "string" ? this.known.get(body.transfer) : void 0;
    if (!t?.keys || t.to !== from) return;
    const { item, total } = t.source;
    const tag = unb64(body.tag, 32);
    if (body.k === "ack") {
      if (!whole(body.chunks) || body.chunks > total || !equal(tag, await ackTag(t.keys.ack, body.chunks))) return;
      t.shown.confirmed = Math.max(t.shown.confirmed, Math.min(body.chunks * item.chunk, item.size));
    } else {
      const digest = await t.source.digest(total);
      if (equal(tag, await doneTag(t.keys.ack, item.id, item.size, digest))) {
        t.shown.confirmed = item.size;
        t.shown.state = "verified";
        delete t.shown.why;
        this.ground.say(from, { k: "verified", transfer: t.id, tag: b64(await verifiedTag(t.keys.ack, digest)) });
      } else {
        t.shown.state = "failed";
        t.shown.why = "tampered";
      }
      this.live.delete(t.n);
      t.over = true;
      this.ease(t.source);
    }
    this.ground.changed();
  }
  fail(t, code, why) {
    this.ground.socket.send({ t: "fail", n: t.n, code });
    this.stop(t, "failed", why);
  }
  stop(t, state, why) {
    if (this.live.get(t.n) === t) this.live.delete(t.n);
    t.over = true;
    if (t.shown.state !== "verified") {
      t.shown.state = state;
      if (why) t.shown.why = why;
    }
    t.wake();
    this.ease(t.source);
    this.ground.changed();
  }
};
var Untrue = class extends Error {
};

// src/drop/member.ts
var Member = class {
  // secret is what a guest joins with; none for a host, and none for a guest that is in already.
  constructor(kept, around2, secret) {
    this.kept = kept;
    this.around = around2;
    this.secret = secret;
    this.member = kept.id;
    this.token = kept.token;
    this.windows = around2.windows;
    this.sending = new Sending(this);
    this.receiving = new Receiving(this);
    if (kept.host) {
      this.host = new HostDoor(kept, {
        say: (to, body) => this.say(to, body),
        admit: (rid) => void this.socket.send({ t: "admit", rid }),
        reject: (rid, code) => void this.socket.send({ t: "reject", rid, code }),
        guessed: () => {
          this.changed();
          return this.keep();
        }
      });
    }
    this.moved_();
    this.socket = new Socket(() => kept.name, kept.token, {
      frame: (frame) => this.frame(frame),
      cut: () => this.cut(),
      over: () => this.end(Date.parse(kept.expiresAt) <= Date.now() ? "expired" : "host_gone")
    });
  }
  kept;
  around;
  secret;
  socket;
  counter = new Counter();
  sending;
  receiving;
  member;
  token;
  windows;
  phase = "connecting";
  refusal;
  people = /* @__PURE__ */ new Map();
  left = /* @__PURE__ */ new Set();
  // for good
  items = /* @__PURE__ */ new Map();
  channels = /* @__PURE__ */ new Map();
  host;
  guest;
  missing = /* @__PURE__ */ new Map();
  hearing = Promise.resolve();
  // frames are taken one after the other
  saying = Promise.resolve();
  // sealed messages leave in their order
  restored = false;
  move;
  moving;
  start() {
    this.socket.start();
  }
  name = () => this.kept.name;
  group = () => this.kept.group;
  rid = () => this.kept.rid;
  admitted = (rid) => this.people.has(rid) && rid !== this.kept.rid;
  here = (rid) => this.phase === "in" && this.people.get(rid)?.here === true;
  moved = () => this.moving;
  incoming = (from) => this.channel(from, this.kept.rid);
  outgoing = (to) => this.channel(this.kept.rid, to);
  channel(from, to) {
    const id = from + to;
    let channel = this.channels.get(id);
    if (!channel) this.channels.set(id, channel = new Channel(this.kept.group, from, to));
    return channel;
  }
  say(to, body) {
    this.socket.send({ t: "msg", to, body });
  }
  changed() {
    this.around.changed();
  }
  // keep stores the membership, once the host let this member in.
  async keep() {
    if (this.kept.group.length === 0 || this.phase === "closed") return;
    this.kept.used = Date.now();
    await members.put(this.kept);
  }
  moved_() {
    this.move?.();
    this.moving = new Promise((resolve) => this.move = resolve);
  }
  frame(frame) {
    switch (frame.t) {
      case "credit":
        return this.sending.credit(frame.n, frame.chunks);
      case "end":
        return this.sending.end(frame.n, frame.code);
      case "replaced":
        return this.end("replaced");
      case "request":
        void this.sending.request(frame);
        return;
      default:
        this.hearing = this.hearing.then(() => this.hear(frame)).catch((err) => {
          if (err instanceof NotTheHost) this.end("not_the_host", true);
          else console.warn("a frame was dropped: " + err.name);
        });
    }
  }
  async hear(frame) {
    if (this.phase === "closed") return;
    switch (frame.t) {
      case "welcome":
        return this.welcome(frame);
      case "member":
        return this.person(frame);
      case "name":
        this.kept.name = frame.name;
        this.kept.expiresAt = frame.expires_at;
        await this.keep();
        return this.changed();
      case "msg":
        return this.message(frame.from, frame.body);
      case "closed":
        return this.end(refusals[frame.code] ?? "closed");
      default:
        return;
    }
  }
  async welcome(frame) {
    const { kept } = this;
    if (frame.host !== kept.host || kept.rid && frame.rid !== kept.rid || kept.hostRid && frame.host_rid !== kept.hostRid) throw new NotTheHost();
    if (kept.group.length === 0 && frame.name !== kept.name) return this.end("not_found", true);
    kept.rid = frame.rid;
    kept.hostRid = frame.host_rid;
    kept.name = frame.name;
    kept.expiresAt = frame.expires_at;
    if (kept.group.length === 0) {
      this.phase = "proving";
      this.changed();
      this.guest = new GuestDoor(kept.name, this.secret, kept.rid, (body) => this.say(kept.hostRid, body));
      return this.guest.begin();
    }
    const listed = new Set(frame.members.map(({ rid }) => rid));
    for (const rid of this.people.keys()) if (!listed.has(rid)) this.gone(rid);
    this.phase = "in";
    for (const member2 of frame.members) this.person(member2);
    this.person({ rid: kept.rid, host: kept.host, here: true });
    await this.keep();
    if (!this.restored) {
      this.restored = true;
      await this.receiving.restore();
    }
  }
  person({ rid, host, here, gone }) {
    if (gone) return this.gone(rid);
    const before = this.people.get(rid);
    this.people.set(rid, { rid, host, here, device: before?.device ?? "" });
    if (here && rid !== this.kept.rid && this.kept.group.length > 0) {
      this.tell(rid, { k: "hello", device: this.around.device });
      for (const offer of offersOf(this.own())) this.tell(rid, offer);
    }
    this.moved_();
    this.changed();
  }
  gone(rid) {
    this.left.add(rid);
    this.people.delete(rid);
    for (const [id, item] of this.items) if (item.owner === rid) this.items.delete(id);
    this.sending.gone(rid);
    this.receiving.gone(rid);
    this.moved_();
    this.changed();
  }
  own = () => [...this.items.values()].filter(({ owner }) => owner === this.kept.rid);
  // tell seals a message for one member.
  tell(to, said) {
    this.saying = this.saying.then(async () => {
      this.say(to, { k: "sealed", d: await this.outgoing(to).seal("message", this.counter.next(), said) });
    }).catch((err) => console.error(err));
  }
  tellAll(said) {
    for (const { rid, here } of this.people.values()) if (here && rid !== this.kept.rid) for (const one of said) this.tell(rid, one);
  }
  async message(from, body) {
    switch (body.k) {
      case "sealed":
        return this.sealed(from, body.d);
      case "pake1":
      case "confirm":
        return this.host?.hear(from, body);
      case "pake2":
      case "admit": {
        if (from !== this.kept.hostRid) return;
        const group = await this.guest?.hear(body);
        if (group) return this.letIn(group);
        return;
      }
      case "ack":
      case "done":
        void this.sending.hear(from, body).catch(() => void 0);
        return;
      case "verified":
        return this.receiving.hear(body);
    }
  }
  async letIn(group) {
    const { kept } = this;
    kept.group = group;
    this.guest = void 0;
    this.phase = "in";
    this.restored = true;
    const known2 = [...this.people.values()];
    for (const person of known2) this.person(person);
    this.person({ rid: kept.rid, host: false, here: true });
    if (!this.people.has(kept.hostRid)) this.person({ rid: kept.hostRid, host: true, here: true });
    await this.keep();
    this.changed();
  }
  async sealed(from, sealed) {
    if (this.kept.group.length === 0 || from === this.kept.rid) return;
    const { n, said } = await this.incoming(from).open("message", sealed);
    if (n <= (this.kept.heard[from] ?? 0)) return;
    this.kept.heard[from] = n;
    const message = saidOf(said, from);
    if (!message || this.left.has(from)) return;
    const person = this.people.get(from) ?? { rid: from, host: from === this.kept.hostRid, here: true, device: "" };
    this.people.set(from, person);
    if (message.k === "hello") person.device = message.device;
    if (message.k === "offer") {
      known(this.items, from, message.items, this.receiving.taken);
      this.moved_();
    }
    if (message.k === "withdraw") {
      for (const id of message.ids) if (this.items.get(id)?.owner === from) this.items.delete(id);
    }
    this.changed();
    await this.keep();
  }
  cut() {
    if (this.phase === "closed") return;
    this.sending.cut();
    if (this.kept.group.length === 0 && this.phase === "proving") {
      this.socket.stop();
      return this.around.again();
    }
    if (this.kept.group.length > 0) this.phase = "reconnecting";
    this.moved_();
    this.changed();
  }
  // end: this member's part is over. Verified items stay until the page goes.
  end(refusal2, leave = false) {
    if (this.phase === "closed") return;
    if (leave) this.socket.send({ t: "leave" });
    this.phase = "closed";
    this.refusal = refusal2;
    this.socket.stop();
    this.sending.cut();
    this.receiving.end();
    if (refusal2 !== "replaced") void forget(this.kept.id, this.receiving.whole());
    this.moved_();
    this.around.changed("once");
  }
  // stop ends without leaving.
  stop() {
    this.socket.stop();
    this.receiving.stop();
  }
  async offer(offered, id = `${this.kept.rid}.${b64(random(16))}`) {
    const stamped = await stamp(offered);
    const blob = bundle(offered);
    const chunk = this.missing.get(id) ? this.kept.offered.find(({ item: item2 }) => item2.id === id).item.chunk : chunkFor(blob.size);
    const item = {
      id,
      owner: this.kept.rid,
      name: offered.name,
      kind: offered.kind,
      size: blob.size,
      chunk,
      files: offered.kind === "folder" ? offered.files.length : 1,
      type: offered.kind === "file" ? offered.files[0].file.type : ""
    };
    this.sending.sources.set(id, new Source(item, blob));
    this.items.set(id, item);
    this.missing.delete(id);
    this.kept.offered = [...this.kept.offered.filter((o) => o.item.id !== id), { item, stamp: stamped, ...offered.handle && { handle: offered.handle } }];
    this.tellAll([{ k: "offer", items: [item] }]);
    this.changed();
    await this.keep();
  }
  withdraw(id) {
    this.missing.delete(id);
    this.kept.offered = this.kept.offered.filter(({ item }) => item.id !== id);
    if (this.items.get(id)?.owner === this.kept.rid) {
      this.items.delete(id);
      this.sending.withdraw(id);
      this.tellAll([{ k: "withdraw", ids: [id] }]);
    }
    this.changed();
    void this.keep();
  }
  // miss lists what was offered before the page was loaded anew.
  miss(item, ask) {
    this.missing.set(item.id, { item, ask });
    this.changed();
  }
  handle = (id) => this.kept.offered.find(({ item }) => item.id === id)?.handle;
  async again(id, files) {
    const before = this.missing.get(id)?.item;
    if (!before || files.kind !== before.kind || files.name !== before.name || bundle(files).size !== before.size) return false;
    const was = this.kept.offered.find(({ item }) => item.id === id)?.stamp;
    if (was !== void 0 && was !== await stamp(files)) return false;
    await this.offer(files, id);
    return true;
  }
  take(id, to) {
    const item = this.items.get(id);
    if (item && item.owner !== this.kept.rid) this.receiving.take(item, to);
  }
  newCode() {
    if (!this.kept.host) return;
    this.kept.code = drawCode();
    this.kept.wrong = 0;
    this.changed();
    void this.keep();
  }
  async change(to) {
    const { name, expires_at } = await api("PATCH", "/" + this.kept.name, this.kept.token, to);
    this.kept.name = name;
    this.kept.expiresAt = expires_at;
    this.changed();
    await this.keep();
  }
  async leave() {
    if (this.phase === "closed") return;
    if (!this.kept.host) return this.end(void 0, true);
    await api("DELETE", "/" + this.kept.name, this.kept.token).catch((err) => {
      if (!(err instanceof Refused) || err.status === 0 || err.status >= 500) throw err;
    });
    this.end(void 0);
  }
  state() {
    const { kept } = this;
    const burnt = kept.wrong >= mostWrong;
    const people = [...this.people.values()].map((p) => ({ ...p, me: p.rid === kept.rid, ...p.rid === kept.rid && { device: this.around.device } }));
    return {
      phase: this.phase,
      name: kept.name,
      expiresAt: kept.expiresAt,
      host: kept.host,
      ...this.refusal && { refusal: this.refusal },
      ...kept.host && {
        ...burnt ? { burnt } : { code: kept.code },
        tries: mostWrong - kept.wrong,
        link: `${location.origin}/d/${kept.name}#v1.${b64(kept.key)}`
      },
      people: people.sort((a, b) => Number(b.me) - Number(a.me)),
      items: [...this.items.values()].map(shown),
      outgoing: [...this.sending.shown.values()].map((o) => ({ ...o })),
      incoming: this.receiving.shown,
      missing: [...this.missing.values()]
    };
  }
};
var shown = ({ id, owner, name, kind, size, files, type }) => ({ id, owner, name: clean(name), kind, size, files, type });
var refusals = { closed: "closed", expired: "expired", host_gone: "host_gone", wrong: "wrong_code", burnt: "burnt", full: "full", late: "host_gone" };
function drawCode() {
  for (; ; ) {
    const n = new DataView(random(4).buffer).getUint32(0);
    if (n < 4294e6) return String(n % 1e6).padStart(6, "0");
  }
}

// src/drop/pick.ts
async function offeredBy(handle) {
  if (handle.kind === "file") {
    const file = await handle.getFile();
    return { name: handle.name, kind: "file", files: [{ path: handle.name, file }], handle };
  }
  const files = [];
  const dirs = [];
  const read = async (at, path) => {
    let empty = true;
    for await (const child of at.values()) {
      empty = false;
      if (child.kind === "file") files.push({ path: path + child.name, file: await child.getFile() });
      else await read(child, `${path}${child.name}/`);
    }
    if (empty && path) dirs.push(path.slice(0, -1));
  };
  await read(handle, "");
  return { name: handle.name, kind: "folder", files, dirs, handle };
}
var isSecret = (secret) => /^\d{6}$/.test(secret) || /^v1\.[\w-]{21}[AQgw]$/.test(secret);

// src/drop/zip.ts
function zip(entries) {
  const parts2 = [];
  const directory = [];
  let at = 0;
  for (const { path, content, crc, modified } of entries) {
    const name = utf8(path);
    const { size } = content;
    const [time, date] = dosTime(modified);
    const large = size >= most32;
    const far = at >= most32;
    const shown2 = large ? most32 : size;
    const common = [[2, 2048], [2, 0], [2, time], [2, date], [4, crc], [4, shown2], [4, shown2], [2, name.length]];
    const version = large || far ? 45 : 20;
    const local = large ? fields([2, 1], [2, 16], [8, size], [8, size]) : fields();
    const head = joined(fields([4, 67324752], [2, large ? 45 : 20], ...common, [2, local.length]), name, local);
    const wide = [...large ? [[8, size], [8, size]] : [], ...far ? [[8, at]] : []];
    const extra = wide.length ? fields([2, 1], [2, wide.length * 8], ...wide) : fields();
    const attributes = path.endsWith("/") ? 16 | 16877 << 16 : 33188 << 16;
    directory.push(joined(
      fields([4, 33639248], [2, 768 | version], [2, version], ...common, [2, extra.length], [2, 0], [2, 0], [2, 0], [4, attributes >>> 0], [4, far ? most32 : at]),
      name,
      extra
    ));
    parts2.push(head, content);
    at += head.length + size;
  }
  const length = directory.reduce((n, d) => n + d.length, 0);
  parts2.push(...directory);
  const count = entries.length;
  if (count >= 65535 || at >= most32 || length >= most32) {
    parts2.push(
      fields([4, 101075792], [8, 44], [2, 768 | 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count], [8, length], [8, at]),
      fields([4, 117853008], [4, 0], [8, at + length], [4, 1])
    );
  }
  const few = Math.min(count, 65535);
  parts2.push(fields([4, 101010256], [2, 0], [2, 0], [2, few], [2, few], [4, Math.min(length, most32)], [4, Math.min(at, most32)], [2, 0]));
  return new Blob(parts2, { type: "application/zip" });
}

// src/drop/save.ts
function zipOf(file, { files, dirs }, crcs) {
  const entries = files.map(({ path, size, modified, at }, i) => ({ path, content: file.slice(at, at + size), crc: crcs[i], modified }));
  for (const dir of dirs) entries.push({ path: dir + "/", content: new Blob(), crc: 0, modified: Date.now() });
  return zip(entries);
}
async function saveInto(item, file, zipped, windows2, to) {
  const name = safeName(item.name, windows2);
  if (to?.kind === "directory") {
    const folder2 = to;
    if (item.kind === "file") await write(await free(folder2, name, "file"), file);
    else await unpack(file, await free(folder2, name, "directory"));
    return void 0;
  }
  const whole2 = item.kind === "file" ? file.slice(0, file.size, item.type || "application/octet-stream") : await zipped();
  if (!to) return { file: whole2, name: item.kind === "file" ? name : name + ".zip" };
  await write(to, whole2);
  return void 0;
}
async function write(to, content) {
  await content.stream().pipeTo(await to.createWritable());
}
async function free(folder2, name, kind) {
  const taken = /* @__PURE__ */ new Set();
  for await (const other of folder2.keys()) taken.add(other.toLowerCase());
  let own = name;
  for (let n = 2; taken.has(own.toLowerCase()); n++) own = numbered(name, n);
  return made(folder2, own, kind);
}
async function made(folder2, name, kind) {
  const make = (as) => kind === "file" ? folder2.getFileHandle(as, { create: true }) : folder2.getDirectoryHandle(as, { create: true });
  try {
    return await make(name);
  } catch (err) {
    if (!(err instanceof TypeError)) throw err;
    return make(name + "_");
  }
}
async function unpack(file, into) {
  const { files, dirs } = await listOf(file, true);
  const folders = /* @__PURE__ */ new Map([["", Promise.resolve(into)]]);
  const folderOf = (path) => {
    let folder2 = folders.get(path);
    if (!folder2) {
      const cut = path.lastIndexOf("/");
      folder2 = folderOf(path.slice(0, Math.max(cut, 0))).then((above) => made(above, path.slice(cut + 1), "directory"));
      folders.set(path, folder2);
    }
    return folder2;
  };
  for (const dir of dirs) await folderOf(dir);
  for (const { path, size, at } of files) {
    const cut = path.lastIndexOf("/");
    const handle = await made(await folderOf(path.slice(0, Math.max(cut, 0))), path.slice(cut + 1), "file");
    await write(handle, file.slice(at, at + size));
  }
}

// src/drop/worker.ts
var post = (message) => postMessage(message);
var windows = /Windows/.test(navigator.userAgent);
var shownEvery = 100;
var member;
var around;
var refused;
var timer;
var shownAt = 0;
function show() {
  timer ??= setTimeout(tell, Math.max(0, shownEvery - (performance.now() - shownAt)));
}
function tell() {
  clearTimeout(timer);
  timer = void 0;
  shownAt = performance.now();
  const state = refused ?? member?.state();
  if (state) post({ state });
}
function refuse(name, refusal2, retryAfter) {
  refused = { phase: "closed", refusal: refusal2, ...retryAfter && { retryAfter }, name, expiresAt: "", host: false, people: [], items: [], outgoing: [], incoming: [], missing: [] };
  show();
}
function refuseAs(name, err) {
  if (!(err instanceof Refused)) throw err;
  if (err.status === 404) refuse(name, "not_found");
  else if (err.code === "drop_full") refuse(name, "full");
  else if (err.status === 429) refuse(name, "too_often", err.retryAfter);
  else refuse(name, "offline");
}
function hold(id) {
  return new Promise((resolve) => {
    navigator.locks.request(memberLock(id), { signal: AbortSignal.timeout(1500) }, () => {
      resolve(true);
      return new Promise(() => {
      });
    }).catch(() => resolve(false));
  });
}
async function begin(kept, secret) {
  member = new Member(kept, around, secret);
  member.start();
  show();
}
async function open() {
  const before = (await members.all()).find((kept) => kept.host && Date.parse(kept.expiresAt) > Date.now());
  let made2;
  try {
    made2 = await api("POST", "", before?.token, {}).catch((err) => {
      if (before && err instanceof Refused && err.status === 401) return api("POST", "", void 0, {});
      throw err;
    });
  } catch (err) {
    return refuseAs("", err);
  }
  if (before) await members.delete(before.id);
  const id = b64(random(16));
  await hold(id);
  await begin({
    id,
    name: made2.name,
    token: made2.host_token,
    rid: "",
    host: true,
    hostRid: "",
    group: random(32),
    expiresAt: made2.expires_at,
    used: Date.now(),
    code: drawCode(),
    key: random(16),
    wrong: 0,
    offered: [],
    heard: {}
  });
}
async function join(name, secret, tries = 3) {
  if (!isSecret(secret)) return refuse(name, "wrong_code");
  let made2;
  for (const until = Date.now() + 65e3; ; ) {
    try {
      made2 = await api("POST", `/${encodeURIComponent(name)}/join`, void 0, {});
      break;
    } catch (err) {
      const waits = err instanceof Refused && err.code === "join_pending" && Date.now() < until;
      if (!waits) return refuseAs(name, err);
      await new Promise((resolve) => setTimeout(resolve, 1e3 * Math.max(1, err.retryAfter)));
    }
  }
  const id = b64(random(16));
  await hold(id);
  around.again = () => {
    if (tries > 1) void join(name, secret, tries - 1);
    else refuse(name, "offline");
  };
  await begin({ id, name, token: made2.guest_token, rid: made2.rid, host: false, hostRid: "", group: new Uint8Array(0), expiresAt: "", used: Date.now(), wrong: 0, offered: [], heard: {} }, secret);
}
async function resume({ name, host }) {
  const all = (await members.all()).filter((kept) => Date.parse(kept.expiresAt) > Date.now() && (name === void 0 || kept.name === name) && (host === void 0 || kept.host === host));
  for (const { id } of all.sort((a, b) => b.used - a.used)) {
    if (!await hold(id)) continue;
    const kept = (await members.all()).find((k) => k.id === id);
    if (!kept) continue;
    await begin(kept);
    for (const { item, handle } of kept.offered) await reoffer(item.id, handle);
    return true;
  }
  return false;
}
async function reoffer(id, handle) {
  const item = member.kept.offered.find((o) => o.item.id === id).item;
  member.miss(item, handle !== void 0);
  try {
    if (handle && await handle.queryPermission?.() === "granted") await member.again(id, await offeredBy(handle));
  } catch {
  }
}
async function over(kept) {
  if (Date.parse(kept.expiresAt) <= Date.now()) return true;
  return api("GET", "/" + kept.name).then(() => false, (err) => err instanceof Refused && err.status === 404);
}
var calls = {
  async start(how, device) {
    around = { device, windows, changed: show, again: () => void 0 };
    let found = true;
    if ("open" in how) await open();
    else if ("join" in how) await join(how.join.name, how.join.secret);
    else found = await resume(how.resume);
    void sweep(member?.kept.id ?? "", over).catch((err) => console.error(err));
    return found;
  },
  async offer(files) {
    for (const one of files) await member.offer(one);
  },
  withdraw: (id) => member?.withdraw(id),
  handle: (id) => member?.handle(id),
  again: (id, files) => member.again(id, files),
  take: (id, to) => member?.take(id, to),
  cancel: (id) => member?.receiving.cancel(id),
  async save(id, to) {
    const item = member?.receiving.verified(id);
    if (!item) throw new Refused(-1, "not_verified");
    const file = await readPart(member.member, id);
    const part = (await parts.of(member.member)).find((p) => p.item.id === id);
    const zipped = async () => {
      const crcs = part?.crcs ?? (await inspect(file, windows, () => void 0)).crcs;
      return zipOf(file, await listOf(file, windows), crcs);
    };
    return saveInto(item, file, zipped, windows, to);
  },
  saved: (id) => member?.receiving.saved(id),
  newCode: () => member?.newCode(),
  rename: (name) => member.change({ name }),
  prolong: (until) => member.change({ expires_at: until }),
  leave: () => member?.leave(),
  stop: () => member?.stop()
};
onmessage = async ({ data }) => {
  const { call, do: what, args } = data;
  try {
    const work = calls[what];
    const answer2 = await work(...args);
    if (timer !== void 0) tell();
    post({ call, answer: answer2 });
  } catch (err) {
    if (!(err instanceof Refused)) console.error(err);
    const { status, code, detail, retryAfter } = err instanceof Refused ? err : new Refused(-1, "app_error", String(err));
    post({ call, failed: { status, code, detail, retryAfter } });
  }
};
/*! Bundled license information:

@noble/curves/utils.js:
@noble/curves/abstract/modular.js:
@noble/curves/abstract/curve.js:
@noble/curves/abstract/edwards.js:
@noble/curves/abstract/montgomery.js:
@noble/curves/ed25519.js:
  (*! noble-curves - MIT License (c) 2022 Paul Miller (paulmillr.com) *)
*/
