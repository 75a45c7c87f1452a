// Who is here and what is said. Comes in: the module's news (client-web/src/news.rs) and what the player types. Goes out: names with
// scores, of whom one can be chosen, the round's clock and result, a log of chat and of the game's events. Names and words come from strangers and are only ever
// set as text.

import { byId, made } from '../admin/words.js';
import { replayOf } from '../here.js';
import { write } from '../hud.js';
import { arrange } from '../order.js';
import { Roster } from '../roster.js';
import { STATS } from '../rows.js';
import { Said } from '../said.js';
import { clockText, isolated, limitToLine, teamName } from '../words.js';
import { fill, holding } from './tables.js';

/** Lines of people, the own one aside. */
const PEOPLE_MAX = 10;
/** Lines of the log that are kept. */
const LOG_MAX = 50;
/** The most letters of an event that are shown. */
const EVENT_LETTERS_MAX = 200;
/** A log that is this close to its end, CSS pixels, is at its end. */
const END_PX = 24;
/** How long what the server said stands beside the session's buttons as well, ms. */
const NOTICE_MS = 8000;
/** What is known before anything was told. */
const NOTHING = { about: null, phase: { phase: 'endless', round: 0, ends: null }, standings: { best: [], rank: 0 }, results: null };

/** Who is who. */
export const roster = new Roster();
/** The lines of people, by their numbers. */
let lineOf = new Map();
/** Lines of the log, elements that may not be in the page yet. */
const log = [];
/** What of it was said to all, and in which session. */
let [said, saidIn] = [new Said(), null];
const told = { ...NOTHING };
let noticed = 0;
/** Whether the log goes along with what comes: until somebody reads further up. */
let follows = true;

const takes = {
  welcome({ player, name }) {
    roster.me = player;
    told.standings = NOTHING.standings;
    // Nobody is who looks at a recording.
    if (name) note(`You are ${isolated(name)}, player ${player}.`);
  },
  roster(item, quietly) {
    const { came, went } = roster.take(item);
    if (quietly) return;
    for (const name of came) note(`${isolated(name)} came.`);
    for (const name of went) note(`${isolated(name)} left.`);
  },
  standings: (item) => { told.standings = item; },
  chat({ from, team, text }) {
    const name = from === null ? 'Server' : roster.nameOf(from);
    if (from === null) notice(text);
    else if (!team) said.hear(name, text);
    if (roster.isSilenced(from)) return;
    note(text, team ? `${isolated(name)} to the team` : name);
  },
  history: ({ lines }) => { for (const [name, text] of said.newIn(lines)) if (!roster.isNameSilenced(name)) note(text, name); },
  event: ({ event }) => note(JSON.stringify(event).slice(0, EVENT_LETTERS_MAX), 'event', 'event'),
  emote: ({ from, emote }) => { if (!roster.isSilenced(from)) note(`${isolated(roster.nameOf(from))} shows sign ${emote}.`); },
  about: (item) => { told.about = item; },
  phase: (item) => Object.assign(told, { phase: item, results: item.phase === 'results' ? told.results : null }),
  begin: () => { told.results = null; },
  results: (item) => { told.results = item; },
};

/** Takes a piece of news, `quietly` where nobody is to read of it, as on the way to another place in a recording. */
export const takeNews = (item, quietly = false) => takes[item.type]?.(item, quietly);

/** Forgets everything but the log, as before another session. */
export function clearPeople() {
  roster.clear();
  Object.assign(told, NOTHING);
}

/** From now on lines are heard in the session with that code. */
export function hearIn(code) {
  if (code !== saidIn) [said, saidIn] = [new Said(), code];
}

/** Everybody, best first: what the roster knows, with scores as far as they were told. */
export function everybody() {
  const scores = new Map([[roster.me, told.standings.score], ...told.standings.best]);
  const all = roster.everybody().map((entry) => ({ ...entry, score: scores.get(entry.player) }));
  return all.sort((a, b) => (b.score ?? -Infinity) - (a.score ?? -Infinity) || a.player - b.player);
}

/** Who leads, or -1. */
export const leader = () => told.standings.best[0]?.[0] ?? -1;

/** How many teams there are. */
export const teamCount = () => told.standings.teams?.length ?? 0;

/** The texts of the log. */
export const logTexts = () => log.map((line) => line.textContent);

/** Binds the log, and lets `say(text)` have what is typed; it says whether it could be said. */
export function bindChat(say) {
  const input = byId('chat-text');
  byId('chat').addEventListener('submit', (event) => {
    event.preventDefault();
    const text = input.value.trim();
    // What nobody would hear stays, to be sent again.
    if (text && !say(text)) return;
    input.value = '';
    input.blur();
  });
  limitToLine(input);
  input.addEventListener('keydown', (event) => { if (event.key === 'Escape') input.blur(); });
  const list = byId('log');
  list.addEventListener('scroll', () => { follows = list.scrollHeight - list.scrollTop - list.clientHeight < END_PX; });
}

/** Lets `choose(player)` have who is pressed among the people. */
export function bindPeople(choose) {
  byId('people').addEventListener('click', ({ target }) => {
    const line = target.closest('button')?.parentElement;
    if (line) choose(Number(line.dataset.player));
  });
}

/** Opens the line to type in. */
export function openChat() {
  byId('panel').open = true;
  byId('chat-text').focus();
}

/** Shows all of it, of the session with that code; `chosen` is the player who was pressed or is followed, or null. */
export function showPeople(client, code, chosen) {
  const { about, standings: { teams = [] } } = told;
  // A session has its name where it is run.
  const said = [!code && about && isolated(about.name), ...teams.map((points, at) => `${teamName(at + 1)}: ${points}`)].filter(Boolean).join(', ');
  write(byId('about'), said);
  byId('about').hidden = !said;
  write(byId('clock'), clock(client));
  showLines(chosen);
  showResults(code);
  showLog();
}

function clock(client) {
  const { phase, round, ends } = told.phase;
  const tick = client.tick();
  // A new connection knows no tick before its first frame.
  const left = ends === null || !tick ? '' : ` ${clockText((ends - tick) / (client.stats()[STATS.TICK_RATE] || 30))}`;
  if (phase === 'warm_up') return ends === null ? 'Waiting for players' : `Warm-up${left}`;
  return { play: `Round ${round}${left}`, results: `Next round${left && ` in${left}`}` }[phase] ?? '';
}

function showLines(chosen) {
  const [seated, watchers] = [false, true].map((watching) => everybody().filter((entry) => entry.watching === watching));
  const all = [...seated, ...watchers].map((entry, at) => ({ ...entry, place: at + 1, own: entry.player === roster.me }));
  write(byId('people-title'), `People (${seated.length}${watchers.length ? `, ${watchers.length} watching` : ''})`);
  const lines = all.filter(({ own, place }) => own || place <= PEOPLE_MAX);
  const kept = lineOf;
  lineOf = new Map(lines.map(({ player }) => [player, kept.get(player) ?? personLine(player)]));
  for (const { player, place, own, name, team, computer, watching, host, muted, score } of lines) {
    const line = lineOf.get(player);
    // Of most people no score was told: among all of them one's own place is the server's to say.
    write(line.children[0], watching ? '' : String((own && told.standings.rank) || place));
    const marks = [team && teamName(team), host && 'host', watching && 'watching', muted && 'muted', roster.isSilenced(player) && 'muted by you'];
    const [who, what] = line.children[1].children;
    write(who, name);
    write(what, marks.filter(Boolean).map((mark) => `, ${mark}`).join(''));
    write(line.children[2], watching ? '' : String(score ?? '–'));
    line.children[1].setAttribute('aria-pressed', String(player === chosen));
    line.classList.toggle('own', own);
    line.classList.toggle('computer', computer);
  }
  arrange(byId('people'), [...lineOf.values()]);
}

function personLine(player) {
  const line = made('li');
  line.dataset.player = player;
  const button = Object.assign(made('button'), { type: 'button' });
  button.append(made('bdi'), made('span'));
  line.append(made('span'), button, made('span'));
  return line;
}

function showResults(code) {
  byId('results-box').hidden = !told.results;
  if (!told.results) return;
  const { round, lines, figures: names, recorded } = told.results;
  write(byId('results-title'), `Result of round ${round}`);
  byId('results-replay').hidden = !recorded || !code;
  byId('results-replay').href = code ? replayOf(code, round) : '';
  fill(byId('results-head'), ['#', 'name', 'points', ...names], () => Object.assign(made('th'), { scope: 'col' }), write);
  fill(byId('results'), lines, holding('tr'), (line, { place, player, score, figures }) => {
    fill(line, [place, roster.nameOf(player), score, ...figures].map(String), holding('td'), write);
    line.classList.toggle('own', player === roster.me);
  });
}

function showLog() {
  const list = byId('log');
  list.append(...log.filter((line) => !line.isConnected));
  while (list.children.length > LOG_MAX) list.firstElementChild.remove();
  if (follows) list.scrollTop = list.scrollHeight;
}

// Mostly it answers what was pressed there, and the log may be out of sight. That one is read aloud, so this is not.
function notice(text) {
  write(byId('session-note'), text);
  clearTimeout(noticed);
  noticed = setTimeout(() => write(byId('session-note'), ''), NOTICE_MS);
}

/** Adds a line to the log. */
export function note(text, name = '', what = '') {
  const line = made('p', '', what);
  if (name) line.append(made('b', name), ' ');
  line.append(text);
  // There may be many events in a second: nobody wants them read aloud.
  if (what === 'event') line.setAttribute('aria-live', 'off');
  log.push(line);
  if (log.length > LOG_MAX) log.shift();
}
