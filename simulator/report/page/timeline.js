'use strict';
// The time line: views of it, and what lies on the lanes. The work of a frame grows with the pixels,
// hardly with the events.

class Timeline extends LaneDrawing {
  constructor(app) {
    super();
    Object.assign(this, {app, canvas: $('timeline'), hits: [], scroll: 0, hover: null});
    this.ctx = this.canvas.getContext('2d');
    this.from = 0;
    this.to = app.model.end;
    this.map = new Minimap(app, this);
    new Pointer(app, this);
    new ResizeObserver(() => this.resize()).observe($('lanes'));
    new ResizeObserver(() => this.resize()).observe(this.map.canvas);
  }

  // Sizes and scales.
  resize() {
    const ratio = window.devicePixelRatio || 1;
    const {clientWidth, clientHeight} = $('lanes');
    for (const [canvas, w, h] of [[this.canvas, clientWidth, clientHeight],
      [this.map.canvas, this.map.canvas.clientWidth, this.map.canvas.clientHeight]]) {
      canvas.width = Math.round(w * ratio);
      canvas.height = Math.round(h * ratio);
    }
    Object.assign(this, {ratio, width: clientWidth, height: clientHeight});
    this.map.picture = null;
    this.lay();
    this.draw();  // at once: to size a canvas empties it
  }
  lay() {
    const lanes = this.app.model.lanes.length || 1;
    const room = this.height - AXIS - WORLD - 4;
    this.laneHeight = Math.max(48, Math.min(86, Math.floor(room / lanes)));
    this.scrollMax = Math.max(0, lanes * this.laneHeight - room);
    this.scroll = Math.min(this.scroll, this.scrollMax);
  }
  laneTop(number) { return AXIS + WORLD + number * this.laneHeight - this.scroll; }

  // Views.
  view(from, to) {
    const end = this.app.model.end, width = Math.min(Math.max(to - from, 200), end * 1.02);
    const middle = (from + to) / 2;
    from = Math.max(-end * 0.01, Math.min(middle - width / 2, end * 1.01 - width));
    this.from = from;
    this.to = from + width;
    this.redraw();
    this.app.viewed();
  }
  zoom(factor, around = (this.from + this.to) / 2) {
    this.view(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }
  pan(share) { const by = share * (this.to - this.from); this.view(this.from + by, this.to + by); }
  reveal(us) {
    if (us >= this.from && us <= this.to) return;
    const half = (this.to - this.from) / 2;
    this.view(us - half, us + half);
  }
  revealLane(number) {
    if (number < 0) return;
    const top = number * this.laneHeight, room = this.height - AXIS - WORLD;
    if (top < this.scroll) this.scroll = top;
    else if (top + this.laneHeight > this.scroll + room) this.scroll = top + this.laneHeight - room;
    this.scroll = Math.max(0, Math.min(this.scroll, this.scrollMax));
  }

  scrollLanes(by) {
    this.scroll = Math.max(0, Math.min(this.scrollMax, this.scroll + by));
    this.redraw();
  }

  redraw() {
    if (this.due) return;
    this.due = requestAnimationFrame(() => { this.due = 0; this.draw(); });
  }

  draw() {
    if (!this.width) return;
    const began = performance.now(), {ctx, app} = this;
    this.hits = [];
    ctx.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    ctx.clearRect(0, 0, this.width, this.height);
    ctx.textBaseline = 'middle';
    this.drawGround();
    ctx.save();
    ctx.beginPath();
    ctx.rect(0, AXIS + WORLD, this.width, this.height);
    ctx.clip();
    for (const lane of app.model.lanes) {
      const top = this.laneTop(lane.number);
      if (top + this.laneHeight > AXIS && top < this.height) this.drawLane(lane, top);
    }
    ctx.restore();
    this.drawMarks();
    this.drawInstant();
    this.drawAxis();
    this.drawHover();
    if (this.marking) this.drawMarking();
    this.drawScroll();
    this.map.draw();
    document.documentElement.dataset.drawMs = (performance.now() - began).toFixed(1);
  }

  // Grid, the phases of the run, and the lane of the world.
  drawGround() {
    const {ctx, colours, app: {model}} = this;
    ctx.fillStyle = colours.lane;
    for (const lane of model.lanes) {
      if (lane.number % 2) continue;
      const top = Math.max(this.laneTop(lane.number), AXIS + WORLD);
      const bottom = this.laneTop(lane.number) + this.laneHeight;
      if (bottom > top) ctx.fillRect(0, top, this.width, bottom - top);
    }
    ctx.fillStyle = colours.faint;
    for (const us of this.ticks()) ctx.fillRect(Math.round(this.x(us)), AXIS, 1, this.height);
    const phases = [['set-up', 0, model.data.beganUs, 'dim'],
      ['story', model.data.beganUs ?? 0, model.healed ?? model.end, 'accent'],
      ['healing', model.healed, model.end, 'running']];
    for (const [name, from, to, colour] of phases) {
      if (from === null || to === null || to <= from) continue;
      const a = Math.max(this.x(from), GUTTER), b = Math.min(this.x(to), GUTTER + this.plot);
      if (b <= a) continue;
      ctx.fillStyle = colours[colour];
      ctx.globalAlpha = 0.16;
      ctx.fillRect(a, AXIS + WORLD - 14, b - a, 10);
      ctx.globalAlpha = 0.8;
      ctx.fillRect(a, AXIS + WORLD - 14, 2, 10);
      ctx.globalAlpha = 1;
      if (b - a > 44) this.text(name, a + 6, AXIS + WORLD - 8.5, {font: 9, colour: colours.dim, weight: 600});
      if (name !== 'story') {
        ctx.fillStyle = colours.dim;
        ctx.globalAlpha = 0.05;
        ctx.fillRect(a, AXIS + WORLD, b - a, this.height);
        ctx.globalAlpha = 1;
      }
    }
    this.text('world', 14, AXIS + WORLD / 2, {weight: 600, font: 12, colour: colours.dim});
    ctx.fillStyle = colours.line;
    ctx.fillRect(0, AXIS + WORLD - 1, this.width, 1);
  }

  // Marks of events: small ticks for what is frequent, signs for what matters, both thinned out.
  drawMarks() {
    const {ctx, app} = this;
    ctx.save();
    ctx.beginPath();
    ctx.rect(GUTTER - 6, AXIS, this.plot + 12, this.height - AXIS);
    ctx.clip();
    const kind = app.model.kinds.indexOf('fault');
    if (!app.filter.kindsOff.has(kind)) this.drawFaults();
    let faults = 0;
    for (const list of app.filter.marks) {
      const top = list.device < 0 ? AXIS : this.laneTop(list.device);
      if (list.kind === 'violation') { this.drawViolations(list, top); continue; }
      if (list.device >= 0 && (top + MARKS < AXIS + WORLD || top > this.height)) continue;
      if (SIGNS[list.kind]) this.drawSigns(list, top + 10);
      else this.drawTicks(list, top + (list.device < 0 ? 15 : MARKS - 2));
      if (list.kind === 'fault') faults += list.events.length;
    }
    document.documentElement.dataset.faultMarks = faults;
    ctx.restore();
  }
  // How long a fault lasted, behind the sign of its beginning.
  drawFaults() {
    const {ctx, colours, app: {model}} = this;
    let spans = 0;
    ctx.fillStyle = colours.fault;
    ctx.globalAlpha = 0.4;
    for (const fault of model.faults) {
      if (fault.to < this.from || fault.from > this.to) continue;
      const top = fault.device < 0 ? AXIS : this.laneTop(fault.device);
      if (fault.device >= 0 && (top + MARKS < AXIS + WORLD || top > this.height)) continue;
      const x = this.x(fault.from), w = Math.max(1, this.x(fault.to) - x);
      ctx.fillRect(x, top + 8, w, 4);
      this.hit(x, top + 6, w, 8, {fault, event: fault.event});
      ++spans;
    }
    ctx.globalAlpha = 1;
    document.documentElement.dataset.faultSpans = spans;
  }
  drawTicks(list, bottom) {
    const {ctx, colours} = this;
    ctx.fillStyle = colours[list.kind] ?? colours.trace;
    ctx.globalAlpha = 0.5;
    let i = lowerBound(list.at, this.from);
    while (i < list.at.length && list.at[i] <= this.to) {
      const x = this.x(list.at[i]), next = lowerBound(list.at, this.us(x + 1.5), i + 1);
      const h = Math.min(9, 3 + Math.log2(next - i + 1));
      ctx.fillRect(x - 0.5, bottom - h, 1, h);
      if (next - i < 40 || next === list.at.length) this.hit(x - 2, bottom - 9, 4, 10, {list, from: i, to: next, event: list.events[i]});
      i = next;
    }
    ctx.globalAlpha = 1;
  }
  drawSigns(list, y) {
    const {ctx, colours} = this;
    let i = lowerBound(list.at, this.us(GUTTER - 6));
    const last = this.us(GUTTER + this.plot + 6);
    while (i < list.at.length && list.at[i] <= last) {
      const x = this.x(list.at[i]), next = lowerBound(list.at, this.us(x + 12), i + 1);
      const chosen = this.app.selected !== null && this.app.selected >= list.events[i] &&
        this.app.selected <= list.events[next - 1] && list.events.slice(i, next).includes(this.app.selected);
      ctx.fillStyle = colours[list.kind];
      ctx.strokeStyle = colours.bg;
      ctx.lineWidth = 1.5;
      ctx.beginPath();
      SIGNS[list.kind](ctx, x, y, chosen ? 6.5 : 5);
      ctx.stroke();
      ctx.fill();
      if (chosen) {
        ctx.strokeStyle = colours.text;
        ctx.stroke();
      }
      if (next - i > 1) this.text(next - i < 1000 ? String(next - i) : `${Math.round((next - i) / 1000)}k`, x + 6.5, y - 4.5, {font: 8.5, weight: 700, colour: colours[list.kind]});
      this.hit(x - 7, y - 8, 14, 16, {list, from: i, to: next, event: list.events[i]});
      i = next;
    }
  }
  drawViolations(list, top) {
    const {ctx, colours} = this;
    for (let i = 0; i < list.at.length; ++i) {
      const x = this.x(list.at[i]);
      if (x < GUTTER - 6 || x > GUTTER + this.plot + 6) continue;
      if (i && x - this.x(list.at[i - 1]) < 0.5 && i < list.at.length - 1) continue;
      const glow = ctx.createLinearGradient(x - 26, 0, x + 26, 0);
      glow.addColorStop(0, 'transparent');
      glow.addColorStop(0.5, colours.violation);
      glow.addColorStop(1, 'transparent');
      ctx.fillStyle = glow;
      ctx.globalAlpha = 0.14;
      ctx.fillRect(x - 26, AXIS, 52, this.height);
      ctx.globalAlpha = 1;
      ctx.fillStyle = colours.violation;
      ctx.fillRect(x - 0.75, AXIS, 1.5, this.height);
      ctx.strokeStyle = colours.bg;
      ctx.lineWidth = 1.5;
      for (const y of new Set([AXIS + 9, Math.max(top + 10, AXIS + 9)])) {
        ctx.beginPath();
        burst(ctx, x, y, 7.5);
        ctx.stroke();
        ctx.fill();
        this.hit(x - 9, y - 9, 18, 18, {list, from: i, to: i + 1, event: list.events[i]});
      }
    }
  }

  drawInstant() {
    const {ctx, colours, app} = this, x = this.x(app.instant);
    const [a, b] = app.window().map((us) => Math.max(GUTTER, Math.min(GUTTER + this.plot, this.x(us))));
    ctx.fillStyle = colours.accent;
    ctx.globalAlpha = 0.075;
    if (b - a > 1) ctx.fillRect(a, AXIS, b - a, this.height);
    ctx.globalAlpha = 1;
    if (x < GUTTER || x > GUTTER + this.plot) return;
    ctx.fillRect(x - 0.75, AXIS - 4, 1.5, this.height);
    ctx.beginPath();
    ctx.moveTo(x - 5, AXIS - 9);
    ctx.lineTo(x + 5, AXIS - 9);
    ctx.lineTo(x, AXIS - 2);
    ctx.fill();
  }

  ticks() {
    const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, SECOND,
      2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE,
      15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY];
    const wanted = (this.to - this.from) / (this.plot / 96);
    const step = STEPS.find((s) => s >= wanted) ?? STEPS[STEPS.length - 1];
    const zero = this.app.model.began, all = [];
    for (let us = zero + Math.ceil((this.from - zero) / step) * step; us <= this.to; us += step) all.push(us);
    this.tickStep = step;
    return all;
  }
  drawAxis() {
    const {ctx, colours, app: {model}} = this;
    for (const us of this.ticks()) {
      const x = this.x(us);
      if (x < GUTTER + 4 || x > GUTTER + this.plot - 14) continue;
      this.text(clock(model.story(us), this.tickStep), x, 11, {font: 10.5, colour: colours.dim, align: 'center'});
    }
    ctx.fillStyle = colours.line;
    ctx.fillRect(0, AXIS - 1, this.width, 1);
    ctx.fillRect(GUTTER - 0.5, AXIS, 1, this.height);
    this.text(span(this.to - this.from), 14, 12, {font: 10.5, colour: colours.dim});
  }
  drawHover() {
    if (!this.hover) return;
    const {ctx, colours, app: {model}} = this, {x} = this.hover;
    if (x < GUTTER || x > GUTTER + this.plot) return;
    ctx.fillStyle = colours.text;
    ctx.globalAlpha = 0.25;
    ctx.fillRect(Math.round(x), AXIS, 1, this.height);
    ctx.globalAlpha = 1;
    const label = clock(model.story(this.us(x)), this.tickStep >= 20 * SECOND ? SECOND : this.tickStep >= 5e4 ? 1000 : 1);
    ctx.font = `600 10.5px ${FONT}`;
    const w = ctx.measureText(label).width + 12, left = Math.max(GUTTER, Math.min(x - w / 2, this.width - w));
    ctx.fillStyle = colours.text;
    ctx.beginPath();
    ctx.roundRect(left, 2, w, 18, 4);
    ctx.fill();
    this.text(label, left + w / 2, 11.5, {font: 10.5, weight: 600, colour: colours.bg, align: 'center'});
  }
  drawMarking() {
    const {ctx, colours, marking: [a, b]} = this;
    ctx.fillStyle = colours.accent;
    ctx.globalAlpha = 0.22;
    ctx.fillRect(Math.min(a, b), AXIS, Math.abs(b - a), this.height);
    ctx.globalAlpha = 1;
  }
  drawScroll() {
    if (!this.scrollMax) return;
    const room = this.height - AXIS - WORLD, whole = room + this.scrollMax;
    this.ctx.fillStyle = this.colours.dim;
    this.ctx.globalAlpha = 0.4;
    this.ctx.beginPath();
    this.ctx.roundRect(this.width - 6, AXIS + WORLD + this.scroll / whole * room, 4, Math.max(20, room * room / whole), 2);
    this.ctx.fill();
    this.ctx.globalAlpha = 1;
  }
}
