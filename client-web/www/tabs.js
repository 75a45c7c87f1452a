// Tabs, as the W3C's pattern has them: arrows, Home and End go from one to the next, the panel of the
// chosen one is shown. Comes in: an element with role `tablist`. Goes out: which panels are hidden.

/** Binds a list of tabs, whose `aria-controls` name their panels; `onShow(panel id)` is told of each choice
 *  and of the first. Returns a function that chooses by the panel's id. */
export function bindTabs(list, onShow = () => {}) {
  const tabs = [...list.querySelectorAll('[role="tab"]')];
  const panelOf = (tab) => document.getElementById(tab.getAttribute('aria-controls'));
  const choose = (chosen) => {
    for (const tab of tabs) {
      const on = tab === chosen;
      tab.setAttribute('aria-selected', String(on));
      tab.tabIndex = on ? 0 : -1;
      panelOf(tab).hidden = !on;
    }
    onShow(panelOf(chosen).id);
  };
  list.addEventListener('keydown', (event) => {
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    const tab = tabs[(to + tabs.length) % tabs.length];
    choose(tab);
    tab.focus();
    event.preventDefault();
  });
  for (const tab of tabs) tab.addEventListener('click', () => choose(tab));
  choose(tabs[0]);
  return (id) => choose(tabs.find((tab) => panelOf(tab).id === id) ?? tabs[0]);
}
