'use strict';
// Puts the parts together: what was chosen, the keys, the address.

class App {
  constructor(data) {
    this.model = new Model(data);
    this.filter = new Filter(this.model);
    // The bands show batteries; as events there are too many of them.
    const battery = this.model.kinds.indexOf('battery');
    if (battery >= 0) this.filter.kindsOff.add(battery), this.filter.apply();
    this.selected = null;
    this.instant = this.model.began;
    this.windowMode = '2000';
    this.colours = new Palette();
    this.details = new Details(this);
    this.tables = new Tables(this);
    this.list = new EventList(this);
    this.sequence = new Sequence(this);
    this.timeline = new Timeline(this);
    this.head();
    this.bar();
    this.listen();
    this.tables.violations();
    this.tables.placements();
    this.tab('events');
    this.begin();
  }

  // The first violation is why people open this page.
  begin() {
    this.list.refresh();
    this.details.nothing();
    if (this.fromAddress()) return;
    const [violation] = this.model.eventsOfKind('violation');
    if (violation === undefined) return this.goTo(this.model.began);
    this.tab('violations');
    this.widen(this.model.at[violation]);
    this.select(violation);
  }
  // The narrowest window with a fault and with messages; if there is none, one with messages.
  widen(us) {
    this.instant = us;
    const modes = ['2000', 'fault', '10000', '60000', '600000'];
    const some = (sorted, mode) => {
      this.setWindow(mode);
      const [from, to] = this.window();
      return lowerBound(sorted, to) > lowerBound(sorted, from);
    };
    const said = modes.filter((mode) => some(this.model.messages.at, mode));
    this.setWindow(said.find((mode) => some(this.faultTimes(), mode)) ?? said[0] ?? '2000');
  }
  faultTimes() { return this.faults ??= this.model.eventsOfKind('fault').map((e) => this.model.at[e]); }

  head() {
    const {data} = this.model, m = this.model;
    const title = data.title || data.scenario || 'a run';
    document.title = `${data.violations ? '✗' : '✓'} ${title} · seed ${data.seed}`;
    $('title').textContent = title;
    $('story').textContent = data.story;
    $('story').title = data.story;
    const bad = m.eventsOfKind('violation').length;
    $('verdict').textContent = bad ? plural(bad, 'violation') : 'all held';
    $('verdict').className = bad ? 'bad' : 'good';
    $('verdict').title = bad ? 'The next violation (v)' : 'No checker has complained';
    $('verdict').onclick = () => this.next('violation', 1);
    const copied = (text) => make('button', {type: 'button', class: 'copy', title: 'Copy', onclick: (e) => this.copy(text, e.currentTarget)}, text);
    const speed = data.wallS > 0 ? `${count(Math.round(data.virtualS / data.wallS))}×` : '';
    const facts = [['scenario', data.scenario], ['seed', copied(data.seed)], ['fingerprint', copied(data.fingerprint)],
      ['virtual time', span(data.virtualS * 1e6)], ['speed', speed], ['events', count(m.length)], ['messages', count(m.messages.at.length)]];
    $('facts').replaceChildren(...facts.filter(([, value]) => value !== '').map(([name, value]) => make('div', {}, make('dt', {}, name), make('dd', {}, value))));
    $('tab-events').lastElementChild.textContent = count(this.filter.visible.length);
    if (m.end >= DAY) document.documentElement.style.setProperty('--when', '112px');
    $('tab-violations').lastElementChild.textContent = count(bad);
    $('tab-placements').lastElementChild.textContent = count(m.placements.length);
    document.documentElement.dataset.violations = bad;
  }
  async copy(text, button) {
    try { await navigator.clipboard.writeText(text); } catch { return; }
    button.classList.add('copied');
    setTimeout(() => button.classList.remove('copied'), 900);
  }

  bar() {
    const m = this.model;
    const kinds = m.kinds.map((kind, i) => [kind, m.kindCounts[i], i]).sort((a, b) => kindRank(a[0]) - kindRank(b[0]));
    $('kinds').replaceChildren(...kinds.map(([kind, n, i]) => make('button', {type: 'button', 'aria-pressed': String(!this.filter.kindsOff.has(i)),
      style: {'--k': `var(--${KIND_ORDER.includes(kind) ? kind : 'trace'})`}, title: `Show or hide; with Alt, show this kind alone`,
      onclick: (e) => this.toggleKind(i, e.altKey)}, make('i', {class: `sign ${SIGNS[kind] || kind === 'violation' ? kind : 'tick'}`}), kind, make('small', {}, count(n)))));
    this.kindButtons = kinds.map(([, , i], b) => [$('kinds').children[b], i]);
    $('effects').replaceChildren(...Object.entries(m.data.effects).sort((a, b) => b[1] - a[1]).map(([name, n]) =>
      make('span', {}, name, make('b', {}, count(n)))));
    $('effects').title = Object.entries(m.data.effects).map(([name, n]) => `${name} ${n}`).join('\n');
  }
  toggleKind(kind, alone) {
    const off = this.filter.kindsOff, all = this.model.kinds.map((_, i) => i);
    if (alone) {
      const already = off.size === all.length - 1 && !off.has(kind);
      off.clear();
      if (!already) for (const i of all) if (i !== kind) off.add(i);
    } else if (!off.delete(kind)) off.add(kind);
    for (const [button, i] of this.kindButtons) button.setAttribute('aria-pressed', String(!off.has(i)));
    this.filtered();
  }
  filtered() {
    this.filter.apply();
    this.timeline.map.picture = null;
    this.timeline.redraw();
    $('tab-events').lastElementChild.textContent = count(this.filter.visible.length);
    this.list.refresh();
    if (this.selected !== null) this.list.show(this.selected);
  }

  // What is looked at. stay: the instant does not move.
  select(event, {among = null, at = null, reveal = false, zoom = false, stay = false} = {}) {
    this.selected = event;
    this.details.event(event, among);
    const {model} = this;
    $('said').textContent = `${model.kindOf(event)}, ${model.nameOf(model.device[event])}: ${model.textOf(event)}`;
    for (const row of document.querySelectorAll('#placements tr.chosen')) row.classList.remove('chosen');
    $('placements').querySelector(`tr[data-event="${event}"]`)?.classList.add('chosen');
    if (stay) { this.list.show(event); this.timeline.redraw(); return; }
    if (reveal || zoom) this.timeline.revealLane(model.device[event]);
    if (zoom) this.timeline.view(model.at[event] - 15 * SECOND, model.at[event] + 15 * SECOND);
    this.goTo(at ?? model.at[event], reveal);
    this.list.show(event);
  }
  goTo(us, reveal = false) {
    this.instant = Math.max(0, Math.min(this.model.end, us));
    $('instant').textContent = clock(this.model.story(this.instant));
    if (reveal) this.timeline.reveal(this.instant);
    this.sequence.show();
    this.tables.devices();
    this.timeline.redraw();
    this.viewed();
  }
  window() {
    if (this.windowMode !== 'fault') {
      const half = Number(this.windowMode) * 1000;
      return [this.instant - half, this.instant + half];
    }
    const faults = this.faultTimes();
    const last = lowerBound(faults, this.instant + 1) - 1;
    return [last < 0 ? this.instant - 2 * SECOND : faults[last] - 1e5, this.instant + SECOND];
  }
  setWindow(mode) {
    this.windowMode = mode;
    $('window').value = mode;
  }
  step(direction) {
    const from = this.selected ?? lowerBound(this.model.at, this.instant);
    const next = this.filter.beside(from, direction);
    if (next !== null) this.select(next, {reveal: true});
  }
  next(kind, direction) {
    const all = this.model.eventsOfKind(kind);
    if (!all.length) return;
    const here = this.selected ?? lowerBound(this.model.at, this.instant);
    const found = direction > 0 ? all.find((e) => e > here) ?? all[0]
      : all.findLast((e) => e < here) ?? all[all.length - 1];
    this.select(found, {reveal: true});
  }

  tab(name) {
    for (const each of ['events', 'violations', 'placements', 'devices']) {
      $(each).hidden = each !== name;
      $(`tab-${each}`).setAttribute('aria-selected', String(each === name));
      $(`tab-${each}`).tabIndex = each === name ? 0 : -1;
    }
    if (name === 'events') { this.list.draw(); if (this.selected !== null) this.list.show(this.selected); }
    if (name === 'devices') this.tables.devices();
  }

  tip(what, {x, y}, us) {
    const lines = what && this.tipOf(what, us), tip = $('tip');
    tip.hidden = !lines;
    if (!lines) return;
    tip.replaceChildren(...lines);
    const box = this.timeline.canvas.getBoundingClientRect(), {offsetWidth: w, offsetHeight: h} = tip;
    tip.style.left = `${Math.max(6, Math.min(box.left + x + 14, innerWidth - w - 6))}px`;
    tip.style.top = `${box.top + y + 18 + h > innerHeight ? box.top + y - h - 10 : box.top + y + 18}px`;
  }
  tipOf(what, us) {
    const m = this.model, line = (...c) => make('div', {}, ...c);
    if (what.list) {
      const events = what.list.events.slice(what.from, what.to);
      return [...events.slice(0, 8).map((e) => line(badge(m.kindOf(e)), make('time', {}, clock(m.story(m.at[e]))), ' ' + m.textOf(e))),
        events.length > 8 ? line(make('small', {}, `and ${count(events.length - 8)} more`)) : ''].filter(Boolean);
    }
    const during = (one) => make('small', {}, `${clock(m.story(one.from))} – ${clock(m.story(one.to))}, ${span(one.to - one.from)}`);
    if (what.fault) return [line(make('b', {}, what.fault.what), ` of ${m.nameOf(what.fault.device)}`), line(during(what.fault))];
    if (what.state) {
      const level = m.batteryAt(what.lane, us), mains = m.onMainsAt(what.lane, us);
      return [line(make('b', {}, what.lane.name), ` ${STATES[what.state.state]}`), line(during(what.state)),
        level !== null || mains !== null ? line(level === null ? '' : `battery ${Math.round(level * 100)}% `, mains === null ? '' : mains ? 'on mains' : 'on battery') : ''].filter(Boolean);
    }
    if (what.link) {
      const to = what.link.peer < 0 ? what.link.id : m.nameOf(what.link.peer);
      return [line(make('b', {}, what.lane.name), ` linked to `, make('b', {}, to)), line(during(what.link)),
        what.link.why ? line(`ended: ${what.link.why}`) : ''].filter(Boolean);
    }
    if (what.links) {
      const n = m.linksAt(what.lane, us).length;
      return [line(make('b', {}, what.lane.name), ` ${plural(n, 'link')} up`)];
    }
    if (what.bar) {
      const {bar} = what, now = bar.stages.filter((s) => s.from <= us && us < s.to);
      const why = (s) => m.placements.find((p) => p.event === s.event)?.reason;
      return [line(make('b', {}, `job ${bar.job.number}`), bar.isSink ? ' has its sink here' : ` of ${m.nameOf(bar.job.sink)}`), line(during(bar)),
        ...now.map((s) => line(make('span', {class: 'work'}, s.stage), make('small', {}, why(s) ?? ''))),
        bar.job.result ? line(make('small', {}, `came to: ${bar.job.result}`)) : ''].filter(Boolean);
    }
    return null;
  }

  listen() {
    $('window').onchange = (e) => { this.windowMode = e.target.value; this.sequence.show(); this.timeline.redraw(); this.viewed(); };
    for (const name of ['events', 'violations', 'placements', 'devices']) $(`tab-${name}`).onclick = () => this.tab(name);
    $('tabs').addEventListener('keydown', (e) => {
      const step = {ArrowRight: 1, ArrowLeft: -1}[e.key];
      if (!step) return;
      e.stopPropagation();
      const tabs = [...$('tabs').children], next = tabs[(tabs.indexOf(document.activeElement) + step + tabs.length) % tabs.length];
      next.focus();
      next.click();
    });
    let waiting = 0;
    $('filter').addEventListener('input', () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => { this.filter.query = $('filter').value; this.filtered(); this.viewed(); }, 60);
    });
    $('zoom').addEventListener('click', (e) => this.zoomTo(e.target.dataset.do));
    $('scheme').onclick = () => this.scheme();
    $('help-open').onclick = () => $('help').showModal();
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.recolour());
    addEventListener('keydown', (e) => this.key(e));
    this.listenSplit();
  }
  zoomTo(what) {
    const {timeline, model} = this, end = model.end;
    if (what === 'in') timeline.zoom(0.5, this.inView() ? this.instant : undefined);
    if (what === 'out') timeline.zoom(2, this.inView() ? this.instant : undefined);
    if (what === 'all') timeline.view(0, end);
    if (what === 'story') {
      const from = model.began, to = model.healed ?? end, room = (to - from) * 0.02;
      timeline.view(from - room, to + room);
    }
    if (what === 'instant') timeline.view(this.instant - 15 * SECOND, this.instant + 15 * SECOND);
  }
  inView() { return this.instant >= this.timeline.from && this.instant <= this.timeline.to; }

  key(e) {
    if (e.ctrlKey || e.metaKey || e.altKey || $('help').open) return;
    const typing = e.target === $('filter');
    if (e.key === 'Escape') {
      if ($('filter').value) { $('filter').value = this.filter.query = ''; this.filtered(); this.viewed(); }
      if (typing) $('timeline').focus();
      return;
    }
    if (typing || e.target.tagName === 'SELECT') return;
    const onLine = document.activeElement === $('timeline') || document.activeElement === document.body;
    const keys = {
      '+': () => this.zoomTo('in'), '=': () => this.zoomTo('in'), '-': () => this.zoomTo('out'), '−': () => this.zoomTo('out'),
      '0': () => this.zoomTo('all'), s: () => this.zoomTo('story'), z: () => this.zoomTo('instant'),
      '[': () => this.step(-1), ']': () => this.step(1), t: () => this.scheme(),
      v: () => this.next('violation', 1), V: () => this.next('violation', -1),
      f: () => this.next('fault', 1), F: () => this.next('fault', -1),
      '/': () => { $('filter').focus(); $('filter').select(); }, '?': () => $('help').showModal(),
      1: () => this.tab('events'), 2: () => this.tab('violations'), 3: () => this.tab('placements'), 4: () => this.tab('devices'),
      ...(onLine ? {
        ArrowLeft: () => this.timeline.pan(e.shiftKey ? -0.5 : -0.12), ArrowRight: () => this.timeline.pan(e.shiftKey ? 0.5 : 0.12),
        ArrowUp: () => this.timeline.scrollLanes(-40), ArrowDown: () => this.timeline.scrollLanes(40),
      } : {}),
    };
    if (!keys[e.key]) return;
    e.preventDefault();
    keys[e.key]();
  }

  // The height of the lists.
  listenSplit() {
    const set = (px) => document.documentElement.style.setProperty('--below', `${Math.max(110, Math.min(innerHeight - 330, px))}px`);
    const height = () => $('below').getBoundingClientRect().height;
    $('split').addEventListener('pointerdown', (e) => $('split').setPointerCapture(e.pointerId));
    $('split').addEventListener('pointermove', (e) => { if (e.buttons & 1) set($('left').getBoundingClientRect().bottom - e.clientY - 4); });
    $('split').addEventListener('keydown', (e) => {
      const by = {ArrowUp: 24, ArrowDown: -24}[e.key];
      if (by) { e.preventDefault(); e.stopPropagation(); set(height() + by); }
    });
  }

  scheme() {
    const root = document.documentElement, order = ['', 'dark', 'light'];
    const next = order[(order.indexOf(root.dataset.scheme ?? '') + 1) % 3];
    if (next) root.dataset.scheme = next; else delete root.dataset.scheme;
    this.recolour();
  }
  recolour() {
    this.colours = new Palette();
    this.timeline.map.picture = null;
    this.timeline.redraw();
    this.list.draw();
    this.sequence.show();
    this.tables.placements();
    this.tables.devices();
    if (this.selected !== null) this.details.event(this.selected);
  }

  // The address remembers where one was: it can be sent to somebody who has the same file.
  viewed() {
    clearTimeout(this.addressDue);
    this.addressDue = setTimeout(() => {
      const {timeline} = this, part = new URLSearchParams({at: Math.round(this.instant), view: `${Math.round(timeline.from)}-${Math.round(timeline.to)}`, window: this.windowMode});
      if (this.filter.query) part.set('filter', this.filter.query);
      try { history.replaceState(null, '', '#' + part); } catch { /* not from every place */ }
    }, 250);
  }
  fromAddress() {
    const part = new URLSearchParams(location.hash.slice(1)), at = Number(part.get('at'));
    if (!part.has('at') || !Number.isFinite(at)) return false;
    const [from, to] = (/^(-?\d+)-(-?\d+)$/.exec(part.get('view') ?? '') ?? []).slice(1).map(Number);
    if ([...$('window').options].some((o) => o.value === part.get('window'))) this.setWindow(part.get('window'));
    if (part.get('filter')) { $('filter').value = this.filter.query = part.get('filter'); this.filtered(); }
    if (to > from) this.timeline.view(from, to);
    this.goTo(at);
    return true;
  }
}

let scriptErrors = 0;
document.documentElement.dataset.scriptErrors = 0;
addEventListener('error', () => { document.documentElement.dataset.scriptErrors = ++scriptErrors; });
addEventListener('unhandledrejection', () => { document.documentElement.dataset.scriptErrors = ++scriptErrors; });

const app = new App(JSON.parse($('data').textContent));
app.timeline.resize();
document.documentElement.dataset.ready = 'yes';
