'use strict';
// What stands below the time line: the lists, and the details of what was chosen.

const badge = (kind) => make('span', {class: 'badge', style: {'--k': `var(--${KIND_ORDER.includes(kind) ? kind : 'trace'})`}}, kind);

class EventList {
  static ROW = 24;

  constructor(app) {
    this.app = app;
    this.box = $('events');
    this.space = $('events-space');
    this.box.addEventListener('scroll', () => this.draw(), {passive: true});
    new ResizeObserver(() => this.draw()).observe(this.box);
    this.space.addEventListener('click', (e) => {
      const row = e.target.closest('.event');
      if (row) app.select(Number(row.dataset.event), {reveal: true});
    });
    this.box.addEventListener('keydown', (e) => {
      const page = Math.floor(this.box.clientHeight / EventList.ROW) - 1;
      const by = {ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity}[e.key];
      if (by === undefined) return;
      e.preventDefault();
      e.stopPropagation();
      const list = app.filter.visible;
      if (!list.length) return;
      const here = app.selected === null ? 0 : lowerBound(list, app.selected);
      app.select(list[Math.max(0, Math.min(list.length - 1, here + by))], {reveal: true});
    });
  }
  refresh() {
    this.space.style.height = `${this.app.filter.visible.length * EventList.ROW}px`;
    this.draw();
  }
  show(event) {
    const index = lowerBound(this.app.filter.visible, event), top = index * EventList.ROW;
    const {scrollTop, clientHeight} = this.box;
    if (top < scrollTop + EventList.ROW || top > scrollTop + clientHeight - 2 * EventList.ROW)
      this.box.scrollTop = top - clientHeight / 2;
    this.draw();
  }
  draw() {
    const {model, filter, selected, colours} = this.app;
    if (this.box.hidden) return;
    const first = Math.max(0, Math.floor(this.box.scrollTop / EventList.ROW) - 4);
    const last = Math.min(filter.visible.length, first + Math.ceil(this.box.clientHeight / EventList.ROW) + 8);
    const rows = [];
    for (let i = first; i < last; ++i) {
      const event = filter.visible[i], device = model.device[event];
      rows.push(make('div', {class: `event${event === selected ? ' chosen' : ''}`, 'data-event': event,
        style: {top: `${i * EventList.ROW}px`}},
        make('time', {}, clock(model.story(model.at[event]))),
        make('span', {class: 'who', style: {'--c': colours.device(device)}}, model.nameOf(device)),
        badge(model.kindOf(event)), make('span', {class: 'text'}, model.textOf(event))));
    }
    if (!rows.length) rows.push(make('p', {class: 'empty'}, 'No event passes the filter.'));
    this.space.replaceChildren(...rows);
  }
}

class Tables {
  constructor(app) { this.app = app; }

  violations() {
    const {app, app: {model}} = this, all = model.eventsOfKind('violation');
    $('violations').replaceChildren(...(all.length ? all.map((event) => {
      const text = model.textOf(event), colon = text.indexOf(': ');
      return make('button', {class: 'breach', type: 'button', onclick: () => app.select(event, {zoom: true})},
        make('b', {}, colon < 0 ? 'violation' : text.slice(0, colon)),
        make('span', {}, colon < 0 ? text : text.slice(colon + 2)),
        make('small', {}, `${model.nameOf(model.device[event])} at ${clock(model.story(model.at[event]))}`));
    }) : [make('p', {class: 'empty good'}, 'Everything that must hold did.')]));
  }

  placements() {
    const {app, app: {model}} = this;
    if (!model.placements.length)
      return $('placements').replaceChildren(make('p', {class: 'empty'}, 'No job was placed.'));
    const MOST = 2000;
    $('placements').replaceChildren(make('table', {},
      make('thead', {}, make('tr', {}, ['when', 'job', 'stage', 'on', 'why'].map((head) => make('th', {}, head)))),
      make('tbody', {}, model.placements.slice(0, MOST).map((p) =>
        make('tr', {'data-event': p.event, tabindex: -1, onclick: () => app.select(p.event, {reveal: true})},
          make('td', {class: 'time'}, clock(model.story(model.at[p.event]))),
          make('td', {}, `${p.job.number} · ${model.nameOf(p.job.sink)}`),
          make('td', {title: p.task}, p.stage, p.again ? make('em', {title: 'placed anew'}, ' ↻') : null),
          make('td', {}, make('span', {class: 'who', style: {'--c': app.colours.device(p.device)}}, model.nameOf(p.device))),
          make('td', {class: 'why', title: p.reason}, p.reason))))),
      model.placements.length > MOST ? make('p', {class: 'empty'}, `The first ${count(MOST)} of ${count(model.placements.length)}.`) : '');
  }

  devices() {
    const {app, app: {model, instant}} = this;
    if ($('devices').hidden) return;
    const MOST = 300;
    $('devices').replaceChildren(make('table', {},
      make('thead', {}, make('tr', {}, ['device', 'state', 'battery', 'links to', 'works on'].map((head) => make('th', {}, head)))),
      make('tbody', {}, model.lanes.slice(0, MOST).map((lane) => {
        const {state, from} = model.stateAt(lane, instant), level = model.batteryAt(lane, instant);
        const mains = model.onMainsAt(lane, instant);
        return make('tr', {},
          make('td', {}, make('span', {class: 'who', style: {'--c': app.colours.device(lane.number)}}, lane.name)),
          make('td', {}, make('span', {class: `state ${state}`}, STATES[state]), make('small', {}, ` for ${span(instant - from)}`)),
          make('td', {}, level === null ? '' : `${Math.round(level * 100)}% `, mains === null ? '' : make('small', {}, mains ? 'on mains' : 'on battery')),
          make('td', {}, model.linksAt(lane, instant).map((l) => make('span', {class: 'who', style: {'--c': app.colours.device(l.peer)}},
            l.peer < 0 ? l.id : model.nameOf(l.peer)))),
          make('td', {}, model.stagesAt(lane, instant)
            .map((b) => make('span', {class: 'work'}, b.stage === null ? `job ${b.job.number}` : b.stage))));
      }))));
  }
}

class Details {
  constructor(app) { this.app = app; }

  show(...children) {
    $('details').replaceChildren(...children.filter(Boolean));
    $('details').scrollTop = 0;
  }
  rows(pairs) {
    return make('dl', {}, pairs.filter(([, value]) => value !== null && value !== undefined && value !== '')
      .map(([name, value]) => [make('dt', {}, name), make('dd', {}, value)]));
  }
  nothing() {
    const {data, began} = this.app.model;
    this.show(make('p', {class: 'empty'}, 'Click on a mark, a band or a message.'),
      this.rows([['replay', data.replay && make('code', {}, data.replay)],
        ['story from', began ? clock(began) : null], ['wall time', data.wallS ? `${data.wallS.toFixed(1)} s` : null],
        ['CPU time', data.cpuS ? `${data.cpuS.toFixed(1)} s` : null]]),
      data.eventsMissing ? make('p', {class: 'warn'}, 'More happened than a history keeps: the last events are missing.') : null);
  }

  event(event, among) {
    const {app, app: {model}} = this, kind = model.kindOf(event), device = model.device[event], at = model.at[event];
    this.show(
      make('div', {class: 'top'}, badge(kind),
        make('span', {class: 'who', style: {'--c': app.colours.device(device)}}, model.nameOf(device)),
        make('span', {class: 'steps'},
          make('button', {type: 'button', title: 'The event before ([)', onclick: () => app.step(-1)}, '‹'),
          make('button', {type: 'button', title: 'The event after (])', onclick: () => app.step(1)}, '›'))),
      make('p', {class: `said ${kind}`}, this.named(model.textOf(event))),
      this.rows([['when', clock(model.story(at), 1)], model.began ? ['since start', clock(at, 1)] : ['', ''],
        ...this.more(event, kind)]),
      among && among.length > 1 ? this.listed(`${plural(among.length, 'event')} lie together here`, among.slice(0, 100), event) : null,
      this.listed('Just before, on the same device', this.before(event), event));
  }
  // Ids of devices in traces, with the names of the devices.
  named(text) {
    const {model, colours} = this.app, parts = [];
    let from = 0;
    for (const found of text.matchAll(/=([0-9a-f]{8})\b/g)) {
      const lane = model.byId.get(found[1]);
      if (lane === undefined) continue;
      parts.push(text.slice(from, found.index + found[0].length), ' ',
        make('span', {class: 'who', style: {'--c': colours.device(lane)}}, model.nameOf(lane)));
      from = found.index + found[0].length;
    }
    return [...parts, text.slice(from)];
  }
  more(event, kind) {
    const {model} = this.app;
    if (kind === 'job') {
      const placed = model.placements.find((p) => p.event === event);
      const [, number] = /^(\d+) /.exec(model.textOf(event)) ?? [];
      const job = model.jobs.get(`${model.device[event]}:${number}`);
      return [['stage', placed && `${placed.stage} (${placed.task})`], ['placed on', placed && model.nameOf(placed.device)],
        ['because', placed?.reason], ['job', job && `${job.number}, ${span(job.to - job.from)}`], ['came to', job?.result]];
    }
    if (kind === 'violation') {
      const fault = this.app.filter.beside(event, -1, (e) => model.kindOf(e) === 'fault');
      return [['last fault', fault === null ? null : make('button', {class: 'link', type: 'button',
        onclick: () => this.app.select(fault, {reveal: true})}, `${model.textOf(fault)} on ${model.nameOf(model.device[fault])}, ${span(model.at[event] - model.at[fault])} before`)],
      ['replay', model.data.replay && make('code', {}, model.data.replay)]];
    }
    return [];
  }
  before(event) {
    const {model} = this.app, found = [];
    for (let i = event - 1; i >= 0 && i > event - 5000 && found.length < 6; --i)
      if (model.device[i] === model.device[event] && model.kindOf(i) !== 'connection') found.push(i);
    return found;
  }
  listed(head, events, near) {
    const {app, app: {model}} = this;
    if (!events.length) return null;
    return make('div', {class: 'listed'}, make('h3', {}, head), events.map((e) =>
      make('button', {type: 'button', class: e === near ? 'chosen' : '', onclick: () => app.select(e, {reveal: true})},
        make('time', {}, e === near ? 'this' : `${model.at[e] <= model.at[near] ? '−' : '+'}${span(Math.abs(model.at[near] - model.at[e]))}`),
        badge(model.kindOf(e)), make('span', {class: 'text'}, model.textOf(e)))));
  }

  message(row) {
    const {app, app: {model}} = this;
    const who = (n) => make('span', {class: 'who', style: {'--c': app.colours.device(n)}}, model.nameOf(n));
    this.show(
      make('div', {class: 'top'}, make('span', {class: 'badge', style: {'--k': 'var(--link)'}}, 'message'), who(row.from), '→', who(row.to)),
      make('p', {class: 'said'}, RECORDS[row.record] ? `${recordName(row.record)}` : 'The middle of a longer record'),
      this.rows([['when', clock(model.story(row.at), 1)],
        ['until', row.count > 1 ? clock(model.story(row.last), 1) : null],
        ['first byte', hexByte(row.record)], ['bytes', `${count(row.bytes)}`],
        ['messages', row.count > 1 ? count(row.count) : null], ['connection', count(row.connection)]]));
  }
}
