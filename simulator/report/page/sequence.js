'use strict';
// The messages around an instant as a sequence diagram: a column for each device that takes part, and
// between the arrows what happened to the devices.

class Sequence {
  static ROWS_MAX = 800;  // beyond, messages that are alike and near in time share a row

  constructor(app) {
    this.app = app;
    $('sequence').addEventListener('scroll', () => { $('columns').scrollLeft = $('sequence').scrollLeft; });
    $('sequence').addEventListener('click', (e) => this.choose(e.target.closest('.row')));
    $('sequence').addEventListener('keydown', (e) => this.key(e));
  }

  show() {
    const {app, app: {model}} = this, [from, to] = app.window(), at = model.messages.at;
    const first = lowerBound(at, from), last = lowerBound(at, to + 1);
    const notes = this.notes(from, to);
    let bucket = 0, groups = this.merge(first, last, 0);
    while (groups.length > Sequence.ROWS_MAX && bucket < (to - from) / 60) {
      bucket = bucket ? bucket * 2 : 1000;
      groups = this.merge(first, last, bucket);
    }
    const left = groups.length - Sequence.ROWS_MAX;
    if (left > 0) groups = this.nearest(groups);
    this.rows = [...groups, ...notes.slice(0, Sequence.ROWS_MAX)].sort((a, b) => a.at - b.at || a.rank - b.rank);
    this.lanes = this.taking(this.rows);
    this.draw(from, to);
    this.note(first, last, bucket, from, left);
    Object.assign(document.documentElement.dataset, {messageRows: groups.length,
      faultRows: notes.filter((n) => n.kind === 'fault').length,
      violationRows: notes.filter((n) => n.kind === 'violation').length});
  }

  nearest(groups) {
    const {instant} = this.app;
    return groups.sort((a, b) => Math.abs(a.at - instant) - Math.abs(b.at - instant)).slice(0, Sequence.ROWS_MAX);
  }

  // Messages of one connection, direction and record that follow each other; with a bucket, those of
  // one direction and record in it.
  merge(first, last, bucket) {
    const {at, connection, from, to, bytes, record} = this.app.model.messages;
    const groups = [], open = new Map();
    let cell = -1;
    for (let i = first; i < last; ++i) {
      const now = bucket ? Math.floor(at[i] / bucket) : i;
      if (now !== cell) { if (bucket) open.clear(); cell = now; }
      const key = `${bucket ? '' : connection[i]} ${from[i]} ${to[i]} ${record[i]}`;
      const before = bucket ? open.get(key) : groups[groups.length - 1];
      if (before && before.key === key && (bucket || at[i] - before.last < 2000)) {
        ++before.count;
        before.bytes += bytes[i];
        before.last = at[i];
        continue;
      }
      const group = {rank: 1, key, at: at[i], last: at[i], count: 1, bytes: bytes[i], record: record[i],
        connection: connection[i], from: from[i], to: to[i]};
      open.set(key, group);
      groups.push(group);
    }
    return groups;
  }

  notes(from, to) {
    const {model} = this.app, found = [];
    for (let i = lowerBound(model.at, from); i < model.length && model.at[i] <= to; ++i) {
      const kind = model.kindOf(i), text = model.textOf(i);
      if (kind === 'connection' || kind === 'battery' || (kind === 'trace' && !text.startsWith('link.'))) continue;
      found.push({rank: 0, at: model.at[i], event: i, kind: kind === 'trace' ? 'link' : kind, device: model.device[i], text: kind === 'trace' ? this.linkText(text) : text});
    }
    // What matters most stays when there is too much.
    if (found.length > Sequence.ROWS_MAX)
      found.sort((a, b) => kindRank(a.kind) - kindRank(b.kind) || a.at - b.at);
    return found;
  }

  // "link.down peer=1a2b3c4d why=…" as people would say it.
  linkText(text) {
    const {model} = this.app, lane = model.byId.get(/peer=(\S+)/.exec(text)?.[1]);
    return lane === undefined ? text : text.replace(/^link\./, '').replace(/peer=\S+/, `to ${model.nameOf(lane)}`).replace(' why=', ': ');
  }

  taking(rows) {
    const all = new Set();
    for (const row of rows) {
      if (row.event === undefined) all.add(row.from).add(row.to);
      else if (row.device >= 0) all.add(row.device);
    }
    const {lanes} = this.app.model;
    if (lanes.length <= 8) return lanes.map((lane) => lane.number);
    return [...all].sort((a, b) => a - b);
  }

  draw(from, to) {
    const {app, app: {model}} = this, n = Math.max(1, this.lanes.length);
    const column = new Map(this.lanes.map((number, i) => [number, (i + 0.5) / n * 100]));
    for (const id of ['columns', 'sequence']) $(id).style.setProperty('--columns', n);
    $('columns').replaceChildren(make('div', {class: 'track'}, this.lanes.map((number) =>
      make('span', {style: {left: `${column.get(number)}%`, '--c': app.colours.device(number)}, title: model.nameOf(number)},
        model.nameOf(number)))));
    const children = [make('div', {class: 'lifelines', 'aria-hidden': 'true'}, this.lanes.map((number) =>
      make('i', {style: {left: `${column.get(number)}%`, '--c': app.colours.device(number)}})))];
    const gapFrom = Math.max(2e5, (to - from) / 12);
    let before = null, marked = false;
    const mark = () => children.push(make('div', {class: 'now', id: 'now'}, make('b', {}, clock(model.story(app.instant)))));
    this.rows.forEach((row, i) => {
      if (!marked && row.at > app.instant) { marked = true; mark(); before = null; }
      if (before !== null && row.at - before > gapFrom) children.push(make('div', {class: 'gap'}, span(row.at - before)));
      before = row.last ?? row.at;
      children.push(row.event === undefined ? this.arrow(row, i, column) : this.happening(row, i, column));
    });
    if (!marked) mark();
    $('sequence').replaceChildren(make('div', {class: 'rows'}, children));
    const now = $('now');
    $('sequence').scrollTop = now.offsetTop - $('sequence').clientHeight * 0.6;
  }

  // Seconds from the instant.
  offset(us) {
    const by = (us - this.app.instant) / SECOND;
    return (by < 0 ? '−' : '+') + (Math.abs(by) < 60 ? Math.abs(by).toFixed(3) : clock(Math.abs(us - this.app.instant), SECOND));
  }

  arrow(row, i, column) {
    const a = column.get(row.from), b = column.get(row.to);
    const name = recordName(row.record);
    return make('div', {class: 'row', 'data-row': i, title: `${this.app.model.nameOf(row.from)} → ${this.app.model.nameOf(row.to)}`},
      make('time', {}, this.offset(row.at)),
      make('div', {class: 'track'},
        make('span', {class: `arrow ${a < b ? 'right' : 'left'}${isHandshake(row.record) ? ' shake' : ''}`,
          style: {left: `${Math.min(a, b)}%`, width: `${Math.abs(b - a)}%`, '--c': this.app.colours.device(row.from)}}),
        make('span', {class: `label${RECORDS[row.record] ? '' : ' part'}`, style: {left: `${(a + b) / 2}%`}},
          make('b', {}, name), row.count > 1 ? ` ×${count(row.count)}` : null, make('i', {}, ' ' + size(row.bytes)))));
  }

  happening(row, i, column) {
    const x = column.get(row.device), world = x === undefined;
    return make('div', {class: `row happening${world ? ' world' : ''}${row.event === this.app.selected ? ' chosen' : ''}`, 'data-row': i, title: row.text},
      make('time', {}, this.offset(row.at)),
      make('div', {class: 'track'},
        make('span', {class: `note ${x > 50 ? 'before' : ''}`,
          style: {'--x': world ? '0%' : `${x}%`, '--k': `var(--${KIND_ORDER.includes(row.kind) ? row.kind : 'trace'})`}},
          make('b', {}, row.kind), ' ' + row.text)));
  }

  note(first, last, bucket, from, left) {
    const {data, messages} = this.app.model, parts = [];
    if (data.messagesMissing && messages.at.length && from < messages.at[0])
      parts.push(`Only the newest ${count(messages.at.length)} messages are kept: those before ` +
        `${clock(this.app.model.story(messages.at[0]))} are gone.`);
    if (left > 0) parts.push(`The ${count(Sequence.ROWS_MAX)} rows nearest to the instant.`);
    if (bucket) parts.push(`${count(last - first)} messages; alike ones within ${span(bucket)} share a row.`);
    else if (last > first) parts.push(`${plural(last - first, 'message')}.`);
    $('sequence-note').replaceChildren(parts.join(' '), last === first ? this.nearestMessage(first) : '');
  }

  nearestMessage(next) {
    const {app, app: {instant, model: {messages: {at}}}} = this;
    if (!at.length) return 'No message was kept.';
    const i = next === at.length || (next > 0 && instant - at[next - 1] < at[next] - instant) ? next - 1 : next;
    return make('span', {}, ' No message in this window. ', make('button', {type: 'button', class: 'link', onclick: () => app.goTo(at[i], true)},
      `The nearest: ${span(Math.abs(at[i] - instant))} ${at[i] < instant ? 'before' : 'later'}`));
  }

  choose(element) {
    const row = element && this.rows[element.dataset.row];
    if (!row) return;
    for (const old of $('sequence').querySelectorAll('.row.chosen')) old.classList.remove('chosen');
    element.classList.add('chosen');
    this.at = Number(element.dataset.row);
    if (row.event !== undefined) this.app.select(row.event, {stay: true});
    else this.app.details.message(row);
  }
  key(e) {
    const step = {ArrowDown: 1, ArrowUp: -1, j: 1, k: -1}[e.key];
    if (!step || !this.rows?.length) return;
    e.preventDefault();
    e.stopPropagation();
    const next = Math.max(0, Math.min(this.rows.length - 1, (this.at ?? -1) + step));
    const element = $('sequence').querySelector(`[data-row="${next}"]`);
    element.scrollIntoView({block: 'nearest'});
    this.choose(element);
  }
}
