'use strict';
// Which events are shown: kinds that are switched on, and words that must occur.

class Filter {
  constructor(model) {
    this.model = model;
    this.query = '';
    this.kindsOff = new Set();  // their numbers
    this.lowered = null;
    this.apply();
  }

  // 'lost kind:fault -device:"old phone"' as terms.
  static parse(query) {
    const terms = [];
    for (const [, minus, key, quoted, bare] of
      query.matchAll(/(-?)(?:(kind|device):)?(?:"([^"]*)"?|([^\s"]+))/gi)) {
      const word = (quoted ?? bare ?? '').toLowerCase();
      if (word) terms.push({not: Boolean(minus), key: key?.toLowerCase(), word});
    }
    return terms;
  }

  // One byte a text, a device or a kind: whether it has the word. Each text is looked at once.
  hits(values, word) { return Uint8Array.from(values, (value) => value.includes(word) ? 1 : 0); }

  apply() {
    const m = this.model, visible = [];
    this.lowered ??= m.texts.map((text) => text.toLowerCase());
    const names = ['world', ...m.lanes.map((lane) => lane.name.toLowerCase())];
    const tests = Filter.parse(this.query).map(({not, key, word}) => ({
      not,
      text: key ? null : this.hits(this.lowered, word),
      name: key === 'kind' ? null : this.hits(names, word),
      kind: key === 'device' ? null : this.hits(m.kinds, word),
    }));
    const off = Uint8Array.from(m.kinds, (_, kind) => this.kindsOff.has(kind) ? 1 : 0);
    next: for (let i = 0; i < m.length; ++i) {
      if (off[m.kind[i]]) continue;
      for (const {not, text, name, kind} of tests) {
        const has = (text && text[m.text[i]]) || (name && name[m.device[i] + 1]) || (kind && kind[m.kind[i]]);
        if (Boolean(has) === not) continue next;
      }
      visible.push(i);
    }
    this.visible = Uint32Array.from(visible);
    this.marks = this.sort();
  }

  // By device (the world last) and kind: indices of events, and their times for the search.
  sort() {
    const m = this.model, lists = new Map();
    for (const i of this.visible) {
      const key = m.device[i] * m.kinds.length + m.kind[i];
      let list = lists.get(key);
      if (!list) lists.set(key, list = {device: m.device[i], kind: m.kinds[m.kind[i]], events: [], at: []});
      list.events.push(i);
      list.at.push(m.at[i]);
    }
    return [...lists.values()].sort((a, b) => kindRank(b.kind) - kindRank(a.kind));
  }

  // The visible event nearest to `event` in a direction that `fits`.
  beside(event, direction, fits = () => true) {
    const list = this.visible;
    let i = lowerBound(list, direction > 0 ? event + 1 : event) - (direction > 0 ? 0 : 1);
    for (; i >= 0 && i < list.length; i += direction) if (fits(list[i])) return list[i];
    return null;
  }
}
