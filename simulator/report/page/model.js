'use strict';
// What the run was, made ready to be asked: events in columns, and for each device the spans in which
// it was in a state, had links, worked on jobs. Times are whole microseconds since the world began.

// The first index whose value is not below `value`.
function lowerBound(sorted, value, from = 0, to = sorted.length) {
  while (from < to) {
    const middle = (from + to) >> 1;
    if (sorted[middle] < value) from = middle + 1; else to = middle;
  }
  return from;
}

class Lane {
  constructor(number, device) {
    Object.assign(this, {number, name: device.name, kind: device.kind, id: device.id});
    this.states = [];     // {from, to, state, event}
    this.batteries = {at: [], level: []};
    this.mains = [];      // {at, on}
    this.links = [];      // {from, to, peer, event, why}; peer: a lane, or -1
    this.stages = [];     // {from, to, job, stage, event}; stage null: it is the sink of the job
    this.bars = [];       // {from, to, job, stages, isSink, row, event}: what it does for one job
    this.power = this.daemon = this.asleep = false;
    this.up = new Map();  // name of the peer: link
  }
  get state() { return !this.power ? 'off' : this.asleep ? 'asleep' : this.daemon ? 'running' : 'on'; }
}

class Model {
  constructor(data) {
    this.data = data;
    this.at = Float64Array.from(data.events.at);
    this.device = Int32Array.from(data.events.device);
    this.kind = Uint16Array.from(data.events.kind);
    this.text = Uint32Array.from(data.events.text);
    this.kinds = data.kinds;
    this.texts = data.texts;
    this.length = this.at.length;
    this.lanes = data.devices.map((device, i) => new Lane(i, device));
    this.byId = new Map(this.lanes.filter((l) => l.id).map((l) => [l.id, l.number]));
    this.byLength = [...this.lanes].sort((a, b) => b.name.length - a.name.length);
    this.end = Math.max(data.virtualS * 1e6, this.length ? this.at[this.length - 1] : 0, 1000);
    this.began = data.beganUs ?? 0;
    this.healed = data.healedUs;
    this.kindCounts = new Uint32Array(this.kinds.length);
    for (const kind of this.kind) ++this.kindCounts[kind];
    this.jobs = new Map();   // "sink:number": {from, to, ...}
    this.placements = [];    // {event, job, stage, device, reason}
    this.faults = [];        // {from, to, device, what, event}: those that had an end
    this.messages = {};
    for (const column of ['at', 'connection', 'from', 'to', 'bytes', 'record'])
      this.messages[column] = Float64Array.from(data.messages[column]);
    this.live();
    for (const lane of this.lanes) this.pack(lane);
  }

  kindOf(event) { return this.kinds[this.kind[event]]; }
  textOf(event) { return this.texts[this.text[event]]; }
  nameOf(device) { return device < 0 ? 'world' : this.lanes[device]?.name ?? `device ${device}`; }
  eventsOfKind(name) {
    const kind = this.kinds.indexOf(name), found = [];
    if (kind >= 0) for (let i = 0; i < this.length; ++i) if (this.kind[i] === kind) found.push(i);
    return found;
  }
  story(us) { return us - this.began; }

  // Goes through all that happened, once.
  live() {
    for (const lane of this.lanes) lane.states.push({from: 0, to: this.end, state: 'off', event: -1});
    for (let i = 0; i < this.length; ++i) {
      const lane = this.lanes[this.device[i]], kind = this.kindOf(i);
      if (kind === 'fault ends') this.liveFault(i, this.textOf(i));
      if (!lane) continue;
      if (kind === 'state') this.liveState(lane, i, this.textOf(i));
      else if (kind === 'trace') this.liveTrace(lane, i, this.textOf(i));
      else if (kind === 'job') this.liveJob(lane, i, this.textOf(i));
      else if (kind === 'battery') this.liveBattery(lane, i, parseFloat(this.textOf(i)));
    }
    for (const lane of this.lanes) for (const link of lane.up.values()) link.to = this.end;
    for (const job of this.jobs.values()) this.endStages(job, this.end);
  }

  // "cut after 5000 ms"
  liveFault(event, text) {
    const [, what, ms] = /^([^]*) after (\d+) ms$/.exec(text) ?? [];
    if (what === undefined) return;
    const to = this.at[event];
    this.faults.push({from: to - ms * 1000, to, device: this.device[event], what, event});
  }

  liveState(lane, event, text) {
    const at = this.at[event];
    if (text === 'on') lane.power = true, lane.daemon = false;
    else if (text === 'off') lane.power = lane.daemon = lane.asleep = false;
    else if (text === 'daemon starts') lane.daemon = true;
    else if (text === 'killed' || text === 'stopped' || text.startsWith('does not start')) lane.daemon = false;
    else if (text === 'asleep') lane.asleep = true;
    else if (text === 'awake') lane.asleep = false;
    else if (text === 'on mains' || text === 'on battery') lane.mains.push({at, on: text === 'on mains'});
    if (!lane.daemon) {
      this.endLinks(lane, at, text);
      this.endJobsOf(lane, at, text);
    }
    const last = lane.states[lane.states.length - 1];
    if (last.state === lane.state) return;
    last.to = at;
    lane.states.push({from: at, to: this.end, state: lane.state, event});
  }

  liveTrace(lane, event, text) {
    if (!text.startsWith('link.')) return;
    const peer = /\bpeer=(\S+)/.exec(text)?.[1];
    if (peer === undefined) return;
    const up = lane.up.get(peer), at = this.at[event];
    if (up) up.to = at, up.why = /\bwhy=(.*)/.exec(text)?.[1], lane.up.delete(peer);
    if (!text.startsWith('link.up')) return;
    const link = {from: at, to: this.end, peer: this.byId.get(peer) ?? -1, id: peer, event};
    lane.up.set(peer, link);
    lane.links.push(link);
  }
  endLinks(lane, at, why) {
    for (const link of lane.up.values()) link.to = at, link.why = why;
    lane.up.clear();
  }

  liveBattery(lane, event, level) {
    if (!(level >= 0 && level <= 1)) return;
    lane.batteries.at.push(this.at[event]);
    lane.batteries.level.push(level);
  }

  // "3 placed transcribe laptop audio.transcribe on laptop: why", "3 is over: done , 40 of 40 words".
  liveJob(sink, event, text) {
    const [, number, what, rest] = /^(\d+) (\S+) ?([^]*)$/.exec(text) ?? [];
    if (number === undefined) return;
    const key = `${sink.number}:${number}`, at = this.at[event];
    let job = this.jobs.get(key);
    if (!job) {
      job = {key, number, sink: sink.number, from: at, to: this.end, state: 'running', event, stages: new Map()};
      job.bar = {from: at, to: this.end, job, stage: null, event};
      this.jobs.set(key, job);
      sink.stages.push(job.bar);
    }
    if (what === 'is') {
      const result = rest.replace(/^over: /, '').replace(/\s+,/, ',');
      return this.endJob(job, at, result.split(/[\s,]/)[0], result);
    }
    const blank = rest.indexOf(' '), stage = blank < 0 ? rest : rest.slice(0, blank);
    const tail = blank < 0 ? '' : rest.slice(blank + 1);
    const device = this.byLength.find((l) => tail === l.name || tail.startsWith(l.name + ' '));
    if (what === 'placed' && device) this.place(job, stage, device, event, tail.slice(device.name.length + 1));
    if (what === 'lost' || what === 'failed') {
      for (const [name, bar] of job.stages)
        if (name === stage || (!stage && bar.lane === device)) bar.to = at, job.stages.delete(name);
    }
  }
  place(job, stage, device, event, message) {
    const before = job.stages.get(stage), at = this.at[event];
    if (before) before.to = at;
    const bar = {from: at, to: this.end, job, stage, event, lane: device};
    job.stages.set(stage, bar);
    device.stages.push(bar);
    const colon = message.indexOf(': ');
    this.placements.push({event, job, stage, device: device.number, again: Boolean(before),
      task: message.split(' ')[0], reason: colon < 0 ? message : message.slice(colon + 2)});
  }
  // A job lives in the daemon of its sink.
  endJobsOf(lane, at, why) {
    for (const job of this.jobs.values()) {
      if (job.sink === lane.number && job.state === 'running') this.endJob(job, at, 'gone', `gone with its daemon: ${why}`);
    }
  }
  endJob(job, at, state, result) {
    Object.assign(job, {to: at, state, result});
    job.bar.to = at;
    this.endStages(job, at);
  }
  endStages(job, at) {
    for (const bar of job.stages.values()) bar.to = at;
    job.stages.clear();
  }

  // What a device does for one job without a break is one bar. Bars that overlap in time lie in rows,
  // as many as it takes, at most four.
  pack(lane) {
    const ends = [], latest = new Map();
    for (const stage of lane.stages.sort((a, b) => a.from - b.from)) {
      let bar = latest.get(stage.job);
      if (!bar || stage.from > bar.to) {
        bar = {from: stage.from, to: stage.to, job: stage.job, stages: [], event: stage.event, isSink: false};
        latest.set(stage.job, bar);
        lane.bars.push(bar);
      }
      bar.to = Math.max(bar.to, stage.to);
      if (stage.stage === null) bar.isSink = true; else bar.stages.push(stage);
    }
    for (const bar of lane.bars) {
      bar.label = [bar.isSink ? `job ${bar.job.number}` : '', ...new Set(bar.stages.map((s) => s.stage))].filter(Boolean).join(' ');
      let row = ends.findIndex((end) => end <= bar.from);
      if (row < 0) row = ends.length < 4 ? ends.length : 3;
      ends[row] = Math.max(ends[row] ?? 0, bar.to);
      bar.row = row;
    }
  }

  // What a device was at an instant.
  stateAt(lane, us) {
    let from = 0, to = lane.states.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (lane.states[middle].from <= us) from = middle + 1; else to = middle;
    }
    return lane.states[Math.max(0, from - 1)];
  }
  batteryAt(lane, us) {
    const {at, level} = lane.batteries;
    if (!at.length) return null;
    const next = lowerBound(at, us);
    if (next === 0) return level[0];
    if (next === at.length) return level[next - 1];
    const share = (us - at[next - 1]) / (at[next] - at[next - 1]);
    return level[next - 1] + share * (level[next] - level[next - 1]);
  }
  onMainsAt(lane, us) {
    let on = null;
    for (const change of lane.mains) if (change.at <= us) on = change.on;
    return on;
  }
  linksAt(lane, us) { return lane.links.filter((l) => l.from <= us && us < l.to); }
  stagesAt(lane, us) { return lane.stages.filter((b) => b.from <= us && us < b.to); }
}
