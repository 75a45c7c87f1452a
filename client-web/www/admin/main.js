// The operator's page. Comes in: the token, the address bar, the event stream. Goes out: which view is open, and what each
// is told. Text from others is only ever set as text.

import { Stream, act, ask, keepToken, token } from './api.js';
import { question } from './dialog.js';
import { buildHealth, fillHealth, healthAt, healthSamples, updateHealth } from './health.js';
import { addLines, clearLog, missedLines, resumeLog, updateLogFilter } from './log.js';
import { mapsSeen, rocksSeen, updateMap } from './map.js';
import { addDeed, loadAudit, loadBans, updateBans } from './records.js';
import { buildSession, openSession, sessionOver, updateInside, updatePulse } from './session.js';
import { updateSessions } from './sessions.js';
import { byId, toast } from './words.js';

const VIEWS = ['sessions', 'session', 'log', 'audit', 'bans'];
const errors = [];
addEventListener('error', (event) => errors.push(String(event.message)));
addEventListener('unhandledrejection', (event) => errors.push(String(event.reason?.message ?? event.reason)));

/** How long the last events took to show, ms, by their names, for tests. */
const cost = { session: [], map: [], overview: [] };
const COST_MAX = 60;
/** After a reload that found the server away it is asked again so often, ms. */
const AGAIN_MS = 2000;
const stream = new Stream(heard, lineIs);
const now = { view: 'sessions', code: null };

function heard(name, data) {
  const from = performance.now();
  if (name === 'overview') {
    updateHealth(data);
    updateLogFilter(data);
    if (now.view === 'sessions') updateSessions(data);
    if (now.view === 'session') updatePulse(data);
    if (now.view === 'bans') updateBans(data);
  } else if (name === 'session') updateInside(data);
  else if (name === 'map') updateMap(data);
  else if (name === 'over') sessionOver();
  else if (name === 'log') addLines(data);
  else if (name === 'missed') missedLines(data);
  else if (name === 'audit') {
    addDeed(data);
    if (now.view === 'bans') loadBans().catch(() => {});
  }
  const took = performance.now() - from;
  cost[name]?.push(took);
  if (cost[name]?.length > COST_MAX) cost[name].shift();
}

function lineIs(what, error) {
  if (what === 'live') resumeLog();
  byId('line').classList.toggle('lost', what !== 'live');
  const text = what === 'live' ? 'live' : what === 'lost' ? 'reconnecting' : 'refused';
  if (byId('line-text').textContent !== text) byId('line-text').textContent = text;
  if (what !== 'refused') return;
  if (error.status === 404 && now.code !== null) {
    // The session is over; everything else goes on.
    sessionOver();
    stream.open('');
  } else {
    signOut(error.status === 404 ? 'This server has no operator\'s page any more.' : error.message);
  }
}

/** Shows what the address bar says. */
function route() {
  const [name, code] = location.hash.slice(1).split('/');
  if (location.hash === '#main') return;
  const view = VIEWS.includes(name) && (name !== 'session' || code) ? name : 'sessions';
  Object.assign(now, { view, code: view === 'session' ? decodeURIComponent(code) : null });
  for (const one of VIEWS) byId(`view-${one}`).hidden = one !== view;
  for (const link of document.querySelectorAll('#top nav a')) {
    const current = link.dataset.view === view || (view === 'session' && link.dataset.view === 'sessions');
    if (current) link.setAttribute('aria-current', 'page'); else link.removeAttribute('aria-current');
  }
  openSession(now.code);
  const failed = (error) => toast(error.message, true);
  if (view === 'audit') loadAudit().catch(failed);
  if (view === 'bans') loadBans().catch(failed);
  if (view === 'log') clearLog();
  const query = view === 'session' ? `?session=${encodeURIComponent(now.code)}&map=true` : view === 'log' ? '?log=true' : '';
  stream.open(query);
}

async function enter() {
  const past = await ask('GET', '/history');
  document.body.classList.remove('out');
  byId('inside').hidden = false;
  fillHealth(past);
  route();
}

/** Goes in with the token of this tab, as after a reload. Only a wrong one is forgotten: a server that restarts, or has too
 *  much to do, is asked again. */
async function comeBack() {
  const kept = token();
  while (token() === kept && document.body.classList.contains('out')) {
    try {
      await enter();
    } catch (error) {
      // Somebody signs in meanwhile.
      if (token() !== kept) return;
      if (error.status === 401) { signOut(); return; }
      const said = `${error.message} Trying again.`;
      if (byId('sign-in-said').textContent !== said) byId('sign-in-said').textContent = said;
      await new Promise((resolve) => { setTimeout(resolve, AGAIN_MS); });
    }
  }
}

function signOut(sentence = '') {
  stream.close();
  keepToken('');
  document.body.classList.add('out');
  byId('inside').hidden = true;
  byId('sign-in-said').textContent = sentence;
  byId('token').focus();
}

byId('sign-in-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  keepToken(byId('token').value.trim());
  byId('sign-in-said').textContent = '';
  try {
    await enter();
    byId('token').value = '';
    byId('main').focus();
  } catch (error) {
    keepToken('');
    byId('sign-in-said').textContent = error.message;
    byId('token').select();
  }
});
byId('sign-out').addEventListener('click', () => signOut());
byId('announce-all').addEventListener('click', async () => {
  const done = await question({ title: 'Announce to all sessions', yes: 'Announce', words: 'Everybody on this server reads', needed: true, press: ({ words }) => act({ action: 'announce', text: words }) });
  if (done) toast('Announced.');
});
addEventListener('hashchange', () => { if (!byId('inside').hidden) route(); });

const own = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
byId('sign-in-plain').hidden = location.protocol === 'https:' || own;
buildHealth();
buildSession();
globalThis.gamekeeper = {
  errors,
  view: () => ({ ...now, samples: healthSamples(), at: healthAt(), maps: mapsSeen(), rocks: rocksSeen() }),
  cost: () => cost,
};
if (token()) comeBack(); else byId('token').focus();
