// What was done, and who is banned. Comes in: lists, asked for when a view opens and when something was done. Goes out: two
// tables.

import { act, ask } from './api.js';
import { question } from './dialog.js';
import { Table } from './table.js';
import { byId, dateText, spanText, toast } from './words.js';

/** Lines of the audit log that are shown. */
const DEEDS_MAX = 200;
let deeds = [];
let counted = 0;
/** Who is banned, and how many the server says that there are. */
let banned = [];
let bansTold = 0;
/** The server's time, ms since 1970: this machine's may be another. */
let clock = Date.now();

const audit = new Table(byId('audit'), {
  caption: 'Audit log',
  keyOf: (deed) => deed.key,
  sort: [0, -1],
  columns: [
    { title: 'When', text: (deed) => dateText(deed.at), value: (deed) => deed.key },
    { title: 'What', text: (deed) => deed.action },
    { title: 'On', text: (deed) => deed.target },
    { title: 'Came of it', text: (deed) => deed.outcome, tone: (deed) => (deed.outcome.startsWith('refused') ? 'bad' : '') },
    { title: 'From', text: (deed) => deed.address },
  ],
});

const bans = new Table(byId('bans'), {
  caption: 'Banned addresses',
  keyOf: (ban) => ban.address,
  sort: [1, 1],
  columns: [
    { title: 'Address', text: (ban) => ban.address },
    { title: 'Ends in', text: (ban) => spanText((ban.until - clock) / 1000), value: (ban) => ban.until },
    { title: 'Since', text: (ban) => dateText(ban.since), value: (ban) => ban.since },
    { title: 'Reason', text: (ban) => ban.reason },
    { title: 'Do', buttons: [{ text: () => 'Lift', label: (ban) => `Lift the ban of ${ban.address}`, press: lift }] },
  ],
});

/** Asks for the audit log. */
export async function loadAudit() {
  const found = await ask('GET', `/audit?limit=${DEEDS_MAX}`);
  deeds = found.reverse().map(keyed);
  showAudit();
}

/** Something was done; `null` when some of it was missed. */
export function addDeed(deed) {
  if (!deed) return void loadAudit().catch(() => {});
  deeds.push(keyed(deed));
  if (deeds.length > DEEDS_MAX) deeds.shift();
  showAudit();
}

const keyed = (deed) => ({ ...deed, key: ++counted });

function showAudit() {
  audit.update(deeds);
  byId('audit-none').hidden = deeds.length > 0;
}

/** Asks for the bans. */
export async function loadBans() {
  banned = await ask('GET', '/bans');
  showBans();
}

/** Takes an overview, while the bans are in front: time passes, and some end. */
export function updateBans({ at, bans: told }) {
  clock = at;
  if (told !== bansTold) loadBans().catch(() => {});
  bansTold = told;
  showBans();
}

function showBans() {
  bans.update(banned);
  byId('bans-none').hidden = banned.length > 0;
}

async function lift(ban) {
  const done = await question({ title: `Let ${ban.address} in again?`, text: ban.reason, yes: 'Lift the ban', press: () => act({ action: 'lift_ban', address: ban.address }) });
  if (done) toast(`${ban.address} may come in again.`);
}

byId('ban-form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const address = byId('ban-address').value.trim();
  try {
    await act({ action: 'ban', address, minutes: Number(byId('ban-minutes').value), reason: byId('ban-reason').value.trim() });
    byId('ban-address').value = byId('ban-reason').value = '';
    toast(`${address} is banned.`);
  } catch (error) {
    toast(error.message, true);
  }
});
