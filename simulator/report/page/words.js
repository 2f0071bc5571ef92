'use strict';
// How things are called and written.

const SECOND = 1e6, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;  // microseconds

// docs/PROTOCOL.md, "Records and handshakes".
const RECORDS = {
  0x01: 'HS_INIT', 0x02: 'HS_RESP', 0x03: 'HS_FINAL', 0x04: 'COOKIE', 0x05: 'ALERT',
  0x06: 'PAIR_HELLO', 0x07: 'PAIR_REPLY', 0x08: 'PAKE_A', 0x09: 'PAKE_B', 0x10: 'DATA', 0x11: 'BULK',
};
const hexByte = (n) => '0x' + n.toString(16).padStart(2, '0');
const recordName = (n) => RECORDS[n] || 'more of one';  // in the middle of a record
const isHandshake = (n) => n >= 1 && n <= 9;

const STATES = {
  running: 'daemon running', on: 'on, no daemon', asleep: 'asleep', off: 'off',
};

// From the most important to the least.
const KIND_ORDER = ['violation', 'fault', 'step', 'job', 'log', 'state', 'link', 'battery', 'connection', 'trace'];
const kindRank = (kind) => KIND_ORDER.includes(kind) ? KIND_ORDER.indexOf(kind) : KIND_ORDER.length;

const pad = (n, width) => String(n).padStart(width, '0');

// "1:05", "2:01:05.250", "1d 02:01:05": `unit` says how fine it must be.
function clock(us, unit = 1000) {
  const sign = us < 0 ? '−' : '';
  us = Math.abs(Math.round(us));
  const d = Math.floor(us / DAY), h = Math.floor(us / HOUR) % 24;
  const m = Math.floor(us / MINUTE) % 60, s = Math.floor(us / SECOND) % 60;
  const rest = us % SECOND;
  const head = d ? `${d}d ${pad(h, 2)}:${pad(m, 2)}` : h ? `${h}:${pad(m, 2)}` : `${m}`;
  if (unit >= MINUTE && (d || h)) return sign + head;
  const fraction = unit >= SECOND ? '' : unit >= 1000 ? '.' + pad(Math.floor(rest / 1000), 3)
    : '.' + pad(rest, 6);
  return `${sign}${head}:${pad(s, 2)}${fraction}`;
}

function span(us) {
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < SECOND) return `${+(us / 1000).toPrecision(3)} ms`;
  if (us < MINUTE) return `${+(us / SECOND).toPrecision(3)} s`;
  if (us < HOUR) return `${Math.floor(us / MINUTE)} min ${Math.round(us % MINUTE / SECOND)} s`;
  if (us < DAY) return `${Math.floor(us / HOUR)} h ${Math.round(us % HOUR / MINUTE)} min`;
  return `${Math.floor(us / DAY)} d ${Math.round(us % DAY / HOUR)} h`;
}

const count = (n) => n.toLocaleString('en');
const plural = (n, one, many = one + 's') => `${count(n)} ${n === 1 ? one : many}`;

function size(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(bytes < 1e4 ? 1 : 0)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

// All that devices and people have said goes into the page as text, through here.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') for (const [k, v] of Object.entries(value)) element.style.setProperty(k, v);
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat(Infinity)) if (child !== null && child !== undefined && child !== '') element.append(child);
  return element;
}
const $ = (id) => document.getElementById(id);
