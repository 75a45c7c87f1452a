// How the operator's page says things. Comes in: numbers. Goes out: words for people.

const DATE = new Intl.DateTimeFormat(undefined, { year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit' });
const TIME = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' });

/** An element by its id. */
export const byId = (id) => document.getElementById(id);

/** Makes an element with a text. */
export function made(tag, text = '', className = '') {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (className) element.className = className;
  return element;
}

/** Microseconds as ms. */
export const msText = (us) => (us == null ? '–' : us < 10_000 ? `${(us / 1000).toFixed(2)} ms` : `${(us / 1000).toFixed(1)} ms`);

/** Bytes, in powers of a thousand. */
export function bytesText(bytes) {
  if (bytes == null) return '–';
  for (const [unit, size] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]]) {
    if (bytes >= size) return `${(bytes / size).toFixed(bytes < 10 * size ? 1 : 0)} ${unit}`;
  }
  return `${Math.round(bytes)} B`;
}

/** Bytes a second. */
export const rateText = (bytes) => (bytes == null ? '–' : `${bytesText(bytes)}/s`);

/** Thousandths as per cent. */
export const shareText = (permille) => (permille == null ? '–' : `${(permille / 10).toFixed(permille < 100 ? 1 : 0)} %`);

/** Seconds as days, hours and minutes. */
export function spanText(seconds) {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor(s / 60) % 60} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor(s / 3600) % 24} h`;
}

/** A moment, with its day. */
export const dateText = (ms) => DATE.format(ms);

/** A moment of today. */
export const timeText = (ms) => TIME.format(ms);

/** `1 kill`, `2 kills`. */
export const counted = (number, word) => `${number} ${word}${number === 1 ? '' : 's'}`;

/** Says something for a moment. */
export function toast(text, bad = false) {
  const said = byId('toast');
  said.textContent = text;
  said.classList.toggle('bad', bad);
  clearTimeout(toasted.timer);
  toasted.timer = setTimeout(() => { said.textContent = ''; }, bad ? 7000 : 3500);
}
const toasted = { timer: 0 };
