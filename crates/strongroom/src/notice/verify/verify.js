/*! Strongroom, Apache-2.0. Checks receipts in the browser: docs/spec/receipt.md. Sends nothing. */
(() => {
  'use strict';
  const MOST = 1048576;
  const FORMAT = 'strongroom/choice-receipt/1';
  const ENTRY_FORMAT = 'strongroom/receipt/1';
  const CHOSE = 6;
  const page = document.getElementById('verify');
  const language = page.dataset.lang === 'zh' ? 'zh' : 'en';

  /** Why a receipt does not hold: the code of docs/spec/ledger.md, and words. */
  class Refused extends Error {
    constructor(code) {
      super(code);
      this.code = code;
    }
  }
  const must = (holds, code) => {
    if (!holds) throw new Refused(code);
  };

  // ── Bytes ───────────────────────────────────────────────────────────────────────────────────────────────────────────
  const utf8 = new TextEncoder();
  const text = new TextDecoder('utf-8', { fatal: true });
  const joined = (...parts) => {
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  };
  const same = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', joined(...parts)));
  /** Bytes from base64 in its one form; of the URL alphabet without padding where `url`. */
  const bytesOf = (written, url, code) => {
    must(typeof written === 'string', code);
    const plain = url ? written.replaceAll('-', '+').replaceAll('_', '/') : written;
    const padded = url ? plain.padEnd(Math.ceil(plain.length / 4) * 4, '=') : plain;
    let raw = '';
    try {
      raw = atob(padded);
    } catch {
      must(false, code);
    }
    must(btoa(raw) === padded && (!url || !/[+/=]/.test(written)), code);
    return Uint8Array.from(raw, (one) => one.charCodeAt(0));
  };
  const decoded = (bytes, code) => {
    try {
      return text.decode(bytes);
    } catch {
      throw new Refused(code);
    }
  };
  const parsed = (json, code) => {
    try {
      return JSON.parse(json);
    } catch {
      throw new Refused(code);
    }
  };

  // ── Keys and signatures ─────────────────────────────────────────────────────────────────────────────────────────────
  const keyOf = async (line) => {
    const parts = /^([^+\s]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(line.trim());
    must(parts, 'SR-LEDGER-012');
    const key = bytesOf(parts[3], false, 'SR-LEDGER-012');
    must(key.length === 33 && key[0] === 1, 'SR-LEDGER-012');
    const hash = await sha256(utf8.encode(`${parts[1]}\n`), key);
    must(hex(hash.subarray(0, 4)) === parts[2], 'SR-LEDGER-012');
    const made = await crypto.subtle.importKey('raw', key.subarray(1), { name: 'Ed25519' }, false, ['verify']);
    return { name: parts[1], hash: parts[2], id: `${parts[1]}+${parts[2]}`, made };
  };
  const signed = (key, signature, message) =>
    crypto.subtle.verify({ name: 'Ed25519' }, key.made, signature, message);

  // ── The ledger's receipt ────────────────────────────────────────────────────────────────────────────────────────────
  const headOf = async (note, keys) => {
    must(typeof note === 'string' && note.length <= 262144, 'SR-LEDGER-014');
    // eslint-disable-next-line no-control-regex
    must(!/[\u0000-\u0009\u000b-\u001f]/.test(note) && note.endsWith('\n'), 'SR-LEDGER-013');
    const cut = note.lastIndexOf('\n\n');
    must(cut > 0, 'SR-LEDGER-013');
    const said = note.slice(0, cut + 1);
    const lines = said.slice(0, -1).split('\n');
    const [origin, size, root] = lines;
    must(lines.length >= 3 && lines.every((line) => line !== '') && /^(0|[1-9][0-9]{0,18})$/.test(size), 'SR-LEDGER-018');
    const key = keys.find((one) => one.name === origin);
    must(key, keys.length ? 'SR-LEDGER-016' : 'SR-LEDGER-012');
    let holds = false;
    for (const line of note.slice(cut + 2, -1).split('\n')) {
      const parts = /^\u2014 ([^+\s]+) (\S+)$/.exec(line);
      must(parts, 'SR-LEDGER-013');
      const bytes = bytesOf(parts[2], false, 'SR-LEDGER-013');
      if (parts[1] === key.name && hex(bytes.subarray(0, 4)) === key.hash) {
        must(await signed(key, bytes.subarray(4), utf8.encode(said)), 'SR-LEDGER-015');
        holds = true;
      }
    }
    must(holds, 'SR-LEDGER-016');
    const hash = bytesOf(root, false, 'SR-LEDGER-018');
    must(hash.length === 32, 'SR-LEDGER-018');
    return { key, origin, size: BigInt(size), root: hash };
  };
  /** SOURCE: RFC 9162 §2.1.3.2. */
  const rootFrom = async (leaf, index, size, proof) => {
    let [at, last, hash] = [index, size - 1n, leaf];
    for (const next of proof) {
      must(last > 0n, 'SR-LEDGER-006');
      if ((at & 1n) === 1n || at === last) {
        hash = await sha256(Uint8Array.of(1), next, hash);
        while ((at & 1n) === 0n && at !== 0n) [at, last] = [at >> 1n, last >> 1n];
      } else {
        hash = await sha256(Uint8Array.of(1), hash, next);
      }
      [at, last] = [at >> 1n, last >> 1n];
    }
    must(last === 0n, 'SR-LEDGER-006');
    return hash;
  };
  const PREFIX = utf8.encode('strongroom/opening/1');
  const TEXTS = { 2: 'subject', 6: 'purpose', 7: 'choice', 8: 'notice', 9: 'language' };
  const EXTRAS = { way: 'way', shown: 'shown', variant: 'variant', law: 'law', until: 'endsAt' };
  const openingOf = (bytes) => {
    const bad = 'SR-LEDGER-023';
    must(same(bytes.subarray(0, PREFIX.length), PREFIX), bad);
    const facts = {};
    for (let at = PREFIX.length, before = 0; at < bytes.length; ) {
      must(at + 3 <= bytes.length && bytes[at] >= before && bytes[at] > 0, bad);
      const tag = bytes[at];
      const length = bytes[at + 1] * 256 + bytes[at + 2];
      must(at + 3 + length <= bytes.length && (tag > before || tag > 10), bad);
      const value = bytes.subarray(at + 3, at + 3 + length);
      if (tag === 1) facts.act = value[0];
      if (tag === 10) facts.saidAt = instant(value);
      if (TEXTS[tag]) facts[TEXTS[tag]] = decoded(value, bad);
      if (tag === 13) {
        const [name, ...rest] = new TextDecoder().decode(value).split(' ');
        if (Object.hasOwn(EXTRAS, name) && rest.length) facts[EXTRAS[name]] = rest.join(' ');
      }
      before = tag;
      at += 3 + length;
    }
    return facts;
  };
  /** An instant of 8 bytes as RFC 3339 in UTC with six decimals. */
  const instant = (bytes) => {
    must(bytes.length === 8, 'SR-LEDGER-023');
    const micros = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigInt64(0);
    const rest = ((micros % 1000000n) + 1000000n) % 1000000n;
    const date = new Date(Number((micros - rest) / 1000n));
    must(!Number.isNaN(date.getTime()), 'SR-LEDGER-023');
    return `${date.toISOString().slice(0, 19)}.${String(rest).padStart(6, '0')}Z`;
  };
  const members = (value, names, code) => {
    must(value && typeof value === 'object' && !Array.isArray(value), code);
    must(Object.keys(value).sort().join() === [...names].sort().join(), code);
  };
  const ledgerOf = async (receipt, keys) => {
    const bad = 'SR-LEDGER-027';
    members(receipt, ['format', 'entry_index', 'entry', 'salt', 'opening', 'proof', 'checkpoint'], bad);
    must(receipt.format === ENTRY_FORMAT && Number.isSafeInteger(receipt.entry_index) && receipt.entry_index >= 0, bad);
    must(Array.isArray(receipt.proof) && receipt.proof.length <= 64, bad);
    const [entry, salt, opening] = ['entry', 'salt', 'opening'].map((name) => bytesOf(receipt[name], false, bad));
    const proof = receipt.proof.map((hash) => bytesOf(hash, false, bad));
    must(salt.length === 16 && proof.every((hash) => hash.length === 32), bad);
    const head = await headOf(receipt.checkpoint, keys);
    const index = BigInt(receipt.entry_index);
    must(index < head.size, 'SR-LEDGER-003');
    must(entry.length <= 4096, 'SR-LEDGER-020');
    const root = await rootFrom(await sha256(Uint8Array.of(0), entry), index, head.size, proof);
    must(same(root, head.root), 'SR-LEDGER-006');
    must(entry.length >= 46, 'SR-LEDGER-021');
    must(entry[0] === 1, 'SR-LEDGER-022');
    const facts = openingOf(opening);
    const commitment = await sha256(utf8.encode('strongroom/commitment/1'), Uint8Array.of(0, 16), salt, opening);
    must(same(commitment, entry.subarray(entry.length - 32)), 'SR-LEDGER-025');
    must(facts.act === undefined || facts.act === entry[1], 'SR-LEDGER-026');
    return { ...facts, act: entry[1], enteredAt: instant(entry.slice(4, 12)), index, head };
  };

  // ── The record of a choice ──────────────────────────────────────────────────────────────────────────────────────────
  const recordOf = async (jws, keys) => {
    const bad = 'SR-LEDGER-036';
    must(typeof jws === 'string' && jws.length <= 262144, bad);
    const parts = jws.split('.');
    must(parts.length === 3, bad);
    const [header, record, signature] = parts.map((part) => bytesOf(part, true, bad));
    const said = parsed(decoded(header, bad), bad);
    members(said, ['alg', 'cty', 'kid', 'typ'], bad);
    must(said.alg === 'EdDSA' && said.cty === 'ld+json' && said.typ === 'strongroom-record+jws', bad);
    const key = keys.find((one) => one.id === said.kid);
    must(key, 'SR-LEDGER-037');
    must(await signed(key, signature, utf8.encode(`${parts[0]}.${parts[1]}`)), 'SR-LEDGER-038');
    return { key, record: parsed(decoded(record, bad), bad) };
  };
  /** A text that two JSON values share exactly when they are the same. */
  const sorted = (value) => {
    if (Array.isArray(value)) return `[${value.map(sorted).join()}]`;
    if (value && typeof value === 'object') {
      const keys = Object.keys(value).sort();
      return `{${keys.map((key) => `${JSON.stringify(key)}:${sorted(value[key])}`).join()}}`;
    }
    return JSON.stringify(value);
  };
  const TERMS = {
    granted: ['dpv:ConsentGiven', 'dpv:OptingInToProcess'],
    refused: ['dpv:ConsentRefused', 'dpv:ObjectingToProcess'],
    withdrawn: ['dpv:ConsentWithdrawn', 'dpv:ObjectingToProcess'],
  };
  /** The facts that record and ledger both state, as the record has them. */
  const statedIn = (record) => {
    const process = record?.['dpv:hasProcess'];
    const status = process?.['dpv:hasConsentStatus'] ?? process?.['dpv:hasEntityInvolvement'];
    const notice = record?.['dpv:hasNotice'];
    return {
      subject: record?.['dpv:hasDataSubject']?.['dct:identifier'],
      purpose: process?.['dpv:hasPurpose']?.[0]?.['dct:identifier'],
      choice: TERMS[status?.['sr:choice']]?.includes(status['@type']) ? status['sr:choice'] : null,
      saidAt: status?.['dct:date'],
      enteredAt: record?.['dct:created'],
      endsAt: status?.['dpv:hasDuration']?.['dct:date'],
      notice: notice?.['dct:identifier'],
      language: notice?.['dct:language'],
      way: status?.['dpv:hasIndicationMethod'],
      shown: notice?.['sr:shown'],
      variant: notice?.['sr:variant'],
      law: record?.['dpv:hasApplicableLaw']?.['dct:identifier'],
    };
  };
  const choiceOf = async (receipt, keys) => {
    members(receipt, ['format', 'record', 'jws', 'ledger'], 'SR-LEDGER-027');
    const { key, record } = await recordOf(receipt.jws, keys);
    must(sorted(record) === sorted(receipt.record), 'SR-LEDGER-039');
    const entered = await ledgerOf(receipt.ledger, [key]);
    must(entered.act === CHOSE, 'SR-LEDGER-026');
    const stated = statedIn(record);
    for (const fact of Object.keys(stated)) {
      const isFree = fact === 'way' && entered.way === undefined;
      must(stated[fact] === entered[fact] || isFree, 'SR-LEDGER-040');
    }
    return { ...entered, ...stated, key, record };
  };
  const allOf = async (written, keys) => {
    must(utf8.encode(written).length <= MOST, 'SR-LEDGER-027');
    const value = parsed(written, 'SR-LEDGER-027');
    const many = value && typeof value === 'object' && 'receipts' in value ? value.receipts : [value];
    must(Array.isArray(many) && many.length > 0, 'SR-LEDGER-027');
    const proved = [];
    for (const one of many) {
      if (one?.format === FORMAT) proved.push(await choiceOf(one, keys));
      else proved.push({ ...(await ledgerOf(one, keys)), isEntry: true });
    }
    return proved;
  };

  // ── What people read ────────────────────────────────────────────────────────────────────────────────────────────────
  const words = JSON.parse(document.getElementById('verify-words').textContent)[language];
  const element = (name, content, className) => {
    const made = document.createElement(name);
    if (content) made.textContent = content;
    if (className) made.className = className;
    return made;
  };
  const [field, keyField, button, result] = ['receipt', 'key', 'check', 'result'].map((name) =>
    document.getElementById(`verify-${name}`),
  );
  const when = (at) =>
    new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
      dateStyle: 'long', timeStyle: 'long',
    }).format(new Date(at));
  const labelOf = (record) => {
    const label = record?.['dpv:hasProcess']?.['dpv:hasPurpose']?.[0]?.['skos:prefLabel'];
    return typeof label?.['@value'] === 'string' ? label['@value'] : undefined;
  };
  const nameOf = (record) => {
    const name = record?.['dpv:hasDataController']?.['dpv:hasName']?.['@value'];
    return typeof name === 'string' ? name : undefined;
  };
  const listed = (title, points) => {
    const part = element('div');
    const list = element('ul');
    list.append(...points.map((point) => element('li', point)));
    part.append(element('h3', title), list);
    return part;
  };
  const verdict = (holds, title, ...more) => {
    const part = element('div', '', `verdict ${holds ? 'holds' : 'fails'}`);
    part.append(element('h2', `${holds ? '✓' : '✗'} ${title}`), ...more);
    return part;
  };
  const factsOf = (proved) => {
    const rows = proved.isEntry
      ? [[words.act, String(proved.act)], [words.purpose, proved.purpose], [words.enteredAt, when(proved.enteredAt)]]
      : [
          [words.shop, nameOf(proved.record)],
          [words.purpose, labelOf(proved.record) ?? proved.purpose],
          [words.choice, words.choices[proved.choice]],
          [words.saidAt, when(proved.saidAt)],
          [words.enteredAt, when(proved.enteredAt)],
          [words.endsAt, proved.endsAt && when(proved.endsAt)],
          [words.notice, `${proved.notice} · ${proved.language}`],
          [words.way, words.ways[proved.way] ?? proved.way],
          [words.subject, proved.subject],
        ];
    rows.push([words.place, `${proved.head.origin}, ${proved.index} / ${proved.head.size}`]);
    const list = element('dl', '', 'facts');
    for (const [name, value] of rows.filter(([, said]) => said)) {
      const row = element('div');
      row.append(element('dt', name), element('dd', value));
      list.append(row);
    }
    return list;
  };
  const show = (...parts) => {
    result.replaceChildren(...parts);
    result.scrollIntoView({ block: 'nearest' });
  };
  const refuse = (code) => {
    const why = words.why.find(([codes]) => codes.includes(code))?.[1] ?? words.cannot;
    const line = element('p', `${why} (${code})`);
    show(verdict(false, words.fails, line, element('p', words.failsHelp)));
  };
  const check = async () => {
    const written = field.value.trim();
    if (!written) {
      show(element('p', words.empty));
      field.focus();
      return;
    }
    button.disabled = true;
    try {
      const keys = [];
      for (const line of keyField.value.split('\n').filter((one) => one.trim())) keys.push(await keyOf(line));
      const proved = await allOf(written, keys);
      const title = proved.length > 1 ? words.holdAll.replace('{n}', proved.length) : words.holds;
      const isChoice = proved.some((one) => !one.isEntry);
      show(
        verdict(true, title, ...proved.map(factsOf)),
        listed(words.provenHead, isChoice ? words.proven : words.provenEntry),
        listed(words.unprovenHead, isChoice ? words.unproven : words.unprovenEntry),
      );
    } catch (error) {
      if (error instanceof Refused) refuse(error.code);
      else show(verdict(false, words.unable, element('p', words.cannot)));
    } finally {
      button.disabled = false;
    }
  };
  const take = async (file) => {
    if (!file) return;
    if (file.size > MOST) {
      refuse('SR-LEDGER-027');
      return;
    }
    field.value = await file.text();
    await check();
  };

  page.hidden = false;
  if (!globalThis.crypto?.subtle) {
    show(verdict(false, words.unable, element('p', words.cannot)));
    button.disabled = true;
    return;
  }
  button.addEventListener('click', check);
  document.getElementById('verify-file').addEventListener('change', (event) => take(event.target.files[0]));
  for (const name of ['dragenter', 'dragover', 'dragleave', 'drop']) {
    page.addEventListener(name, (event) => {
      event.preventDefault();
      page.classList.toggle('over', name === 'dragenter' || name === 'dragover');
      if (name === 'drop') take(event.dataTransfer.files[0]);
    });
  }
})();
