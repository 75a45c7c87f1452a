// The invitation: link, code and QR code of the session. Comes in: its code. Goes out: the panel.

import { copyText } from './copy.js';
import { linkTo } from './here.js';
import { write } from './hud.js';

/** Light modules around the dark ones that readers of QR codes need. */
const QUIET = 4;
/** Canvas pixels per module. */
const MODULE = 8;

const find = (id) => document.getElementById(id);

/** The panel. */
export class Invite {
  #code = null;
  #draw;

  /** `modules(text)` gives the modules of a text's QR code, row by row, 1 for dark. */
  constructor(modules) {
    this.#draw = modules;
    const link = find('invite-link');
    link.addEventListener('focus', () => link.select());
    find('invite-copy').addEventListener('click', async () => {
      const copied = await copyText(link.value, link);
      write(find('invite-note'), copied ? 'Copied. Paste it to your friends.' : 'Marked: copy it with Ctrl+C.');
    });
  }

  /** Shows the session of this code. */
  set code(code) {
    if (!code || code === this.#code) return;
    this.#code = code;
    const link = linkTo(code);
    find('invite-link').value = link;
    write(find('invite-code'), code);
    write(find('invite-note'), '');
    this.#paint(this.#draw(link));
  }

  #paint(modules) {
    const canvas = find('invite-qr');
    const side = Math.sqrt(modules.length);
    canvas.hidden = !side;
    canvas.width = canvas.height = (side + 2 * QUIET) * MODULE;
    const context = canvas.getContext('2d');
    context.fillStyle = '#ffffff';
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = '#060916';
    modules.forEach((dark, at) => {
      if (dark) context.fillRect((QUIET + (at % side)) * MODULE, (QUIET + Math.floor(at / side)) * MODULE, MODULE, MODULE);
    });
  }
}
