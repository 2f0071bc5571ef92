'use strict';
// Draws one device's lane: its states and battery, its links, the jobs it works on.

const GUTTER = 132, AXIS = 26, WORLD = 34, MARKS = 17, BAND = 13;

class LaneDrawing {
  get plot() { return Math.max(50, this.width - GUTTER - 10); }
  x(us) { return GUTTER + (us - this.from) / (this.to - this.from) * this.plot; }
  us(x) { return this.from + (x - GUTTER) / this.plot * (this.to - this.from); }

  text(text, x, y, {font = 11, weight = 400, colour = this.colours.text, align = 'left', most = Infinity} = {}) {
    const {ctx} = this;
    ctx.font = `${weight} ${font}px ${FONT}`;
    ctx.textAlign = align;
    ctx.fillStyle = colour;
    if (most < Infinity && ctx.measureText(text).width > most) {
      while (text.length > 1 && ctx.measureText(text + '…').width > most) text = text.slice(0, -1);
      text += '…';
    }
    ctx.fillText(text, x, y);
  }
  get colours() { return this.app.colours; }

  drawLane(lane, top) {
    const {ctx, colours, app} = this, us = app.instant;
    ctx.fillStyle = colours.faint;
    ctx.fillRect(0, top + this.laneHeight - 1, this.width, 1);
    ctx.fillStyle = colours.device(lane.number);
    ctx.beginPath();
    ctx.roundRect(14, top + 13, 8, 8, 2.5);
    ctx.fill();
    this.text(lane.name, 28, top + 17, {weight: 600, font: 12.5, most: GUTTER - 36});
    this.text(lane.kind, 28, top + 31, {font: 10, colour: colours.dim, most: GUTTER - 36});
    const level = app.model.batteryAt(lane, us), now = app.model.stateAt(lane, us).state;
    this.text(now + (level === null ? '' : ` · ${Math.round(level * 100)}%`), 28, top + 44,
      {font: 10, colour: now === 'off' ? colours.dim : colours[now], most: GUTTER - 36});
    ctx.save();
    ctx.beginPath();
    ctx.rect(GUTTER, top, this.plot, this.laneHeight);
    ctx.clip();
    const linksTop = top + MARKS + BAND + 7;
    const rest = this.laneHeight - (linksTop - top) - 4;
    const barsHeight = rest >= 18 ? Math.min(14, rest - 7) : Math.max(5, Math.floor(rest * 0.5));
    this.drawStates(lane, top + MARKS + 4);
    const linksHeight = Math.max(3, Math.min(rest - barsHeight - 2, 18, 4 * (app.model.lanes.length - 1)));
    this.drawLinks(lane, linksTop, linksHeight);
    this.drawBars(lane, Math.min(linksTop + linksHeight + 4, top + this.laneHeight - barsHeight - 3), barsHeight);
    ctx.restore();
  }

  // The part of a list of spans that is in view; spans too narrow to see count once a pixel.
  spansInView(spans, draw) {
    let shownTo = -Infinity;
    for (const one of spans) {
      if (one.to < this.from) continue;
      if (one.from > this.to) break;
      const a = Math.max(this.x(one.from), GUTTER - 3), b = Math.min(this.x(one.to), GUTTER + this.plot + 3);
      if (b <= shownTo + 0.4) continue;
      shownTo = b;
      draw(one, a, Math.max(b - a, 0.8));
    }
  }

  // How full the band is shows the battery, where it is known.
  drawStates(lane, top) {
    const {ctx, colours, app: {model}} = this;
    const known = lane.batteries.at.length > 0;
    this.spansInView(lane.states, (one, x, w) => {
      const colour = colours[one.state];
      if (one.state === 'off') {
        ctx.fillStyle = colour;
        ctx.fillRect(x, top + BAND / 2 - 0.5, w, 1);
      } else {
        ctx.fillStyle = colour;
        ctx.globalAlpha = known ? 0.3 : 0.92;
        ctx.fillRect(x, top, w, BAND);
        ctx.globalAlpha = 1;
        if (known) this.fillBattery(lane, one, top, colour);
        if (one.state === 'asleep') this.hatch(x, top, w);
        ctx.fillStyle = colours.bg;
        if (w > 3) ctx.fillRect(x - 0.5, top, 1, BAND);
        if (w > 74) {
          ctx.globalAlpha = 0.9;
          this.text(one.state === 'on' ? 'no daemon' : one.state, Math.max(x, GUTTER) + 6, top + BAND / 2 + 0.5,
            {font: 9.5, weight: 600, colour: known ? colours.text : colours.ink});
          ctx.globalAlpha = 1;
        }
      }
      this.hit(x, top, w, BAND, {lane, state: one, event: one.event});
    });
  }
  fillBattery(lane, one, top, colour) {
    const {ctx, app: {model}} = this;
    const a = Math.max(one.from, this.from), b = Math.min(one.to, this.to);
    const step = (this.to - this.from) / this.plot * 2;
    ctx.beginPath();
    ctx.moveTo(this.x(a), top + BAND);
    for (let us = a; us < b + step; us += step) {
      const t = Math.min(us, b);
      ctx.lineTo(this.x(t), top + BAND * (1 - model.batteryAt(lane, t)));
    }
    ctx.lineTo(this.x(b), top + BAND);
    ctx.fillStyle = colour;
    ctx.globalAlpha = 0.75;
    ctx.fill();
    ctx.globalAlpha = 1;
  }
  hatch(x, y, w) {
    const {ctx, colours} = this;
    if (w < 5) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, y, w, BAND);
    ctx.clip();
    ctx.strokeStyle = colours.bg;
    ctx.globalAlpha = 0.28;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    for (let s = Math.floor(x / 7) * 7 - BAND; s < x + w; s += 7) {
      ctx.moveTo(s, y + BAND);
      ctx.lineTo(s + BAND, y);
    }
    ctx.stroke();
    ctx.restore();
  }

  // A thread for each peer in the peer's colour; with many peers, how many there are.
  drawLinks(lane, top, height) {
    const {ctx, colours, app: {model}} = this;
    const peers = model.lanes.length - 1;
    if (!lane.links.length) return;
    if (peers > height) return this.drawLinkCount(lane, top, height);
    const pitch = Math.min(4, height / Math.max(1, peers)), thick = Math.max(1, Math.floor(pitch - 0.4));
    const shown = new Map();
    for (const link of lane.links) {
      if (link.to < this.from || link.from > this.to) continue;
      const x = this.x(link.from), w = Math.max(1, this.x(link.to) - x);
      const row = link.peer < 0 ? 0 : link.peer - (link.peer > lane.number ? 1 : 0);
      if (x + w <= (shown.get(row) ?? -1) + 0.4) continue;
      shown.set(row, x + w);
      ctx.fillStyle = colours.device(link.peer);
      ctx.fillRect(x, Math.round(top + row * pitch), w, thick);
      this.hit(x, top + row * pitch - 0.5, w, pitch, {lane, link, event: link.event});
    }
  }
  drawLinkCount(lane, top, height) {
    const {ctx, colours, app: {model}} = this;
    lane.linkSteps ??= this.stepsOf(lane.links);
    const {at, up} = lane.linkSteps, most = Math.max(1, model.lanes.length - 1);
    ctx.fillStyle = colours.link;
    for (let px = 0; px < this.plot; px += 2) {
      const i = lowerBound(at, this.us(GUTTER + px)) - 1;
      const h = i < 0 ? 0 : Math.max(1, up[i] / most * height);
      if (i >= 0 && up[i]) ctx.fillRect(GUTTER + px, top + height - h, 2, h);
    }
    this.hit(GUTTER, top, this.plot, height, {lane, links: true, event: -1});
  }
  stepsOf(spans) {
    const changes = spans.flatMap((s) => [[s.from, 1], [s.to, -1]]).sort((a, b) => a[0] - b[0]);
    const at = [], up = [];
    let now = 0;
    for (const [t, by] of changes) { at.push(t); up.push(now += by); }
    return {at, up};
  }

  drawBars(lane, top, height) {
    const {ctx, colours} = this;
    const inView = lane.bars.filter((bar) => bar.to >= this.from && bar.from <= this.to);
    const rows = 1 + inView.reduce((most, bar) => Math.max(most, bar.row), 0), row = height / rows;
    for (let r = 0; r < rows; ++r) this.spansInView(inView.filter((bar) => bar.row === r), (bar, x, w) => {
      const y = top + bar.row * row, h = Math.max(1.5, row - 1);
      ctx.fillStyle = colours.job;
      ctx.globalAlpha = bar.isSink ? 0.2 : 0.8;
      ctx.beginPath();
      ctx.roundRect(x, y, w, h, Math.min(3, h / 2));
      ctx.fill();
      ctx.globalAlpha = 1;
      if (bar.isSink && w > 4 && h > 4) {
        ctx.strokeStyle = bar.job.state === 'done' || bar.job.state === 'running' ? colours.job : colours.fault;
        ctx.lineWidth = 1;
        ctx.beginPath();
        ctx.roundRect(x + 0.5, y + 0.5, w - 1, h - 1, Math.min(3, h / 2));
        ctx.stroke();
      }
      const visible = Math.max(x, GUTTER), room = Math.min(x + w, GUTTER + this.plot) - visible - 8;
      if (h >= 8 && room > 22)
        this.text(bar.label, visible + 5, y + h / 2 + 0.5,
          {font: 9, weight: 600, colour: bar.isSink ? colours.text : colours.ink, most: room});
      this.hit(x, y - 1, w, h + 2, {lane, bar, event: bar.event});
    });
  }

  // What lies where, for the pointer.
  hit(x, y, w, h, what) { this.hits.push({x, y, w: Math.max(w, 3), h, what}); }
  under(x, y) {
    for (let i = this.hits.length - 1; i >= 0; --i) {
      const r = this.hits[i];
      if (x >= r.x && x <= r.x + r.w && y >= r.y && y <= r.y + r.h) return r.what;
    }
    return null;
  }
}
