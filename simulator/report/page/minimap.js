'use strict';
// The map of the time line: how much happened when, faults and violations, and the part in view.

class Minimap {
  constructor(app, timeline) {
    Object.assign(this, {app, timeline, canvas: $('minimap'), picture: null});
    this.ctx = this.canvas.getContext('2d');
    this.listen();
  }
  x(us) { return GUTTER + us / this.app.model.end * this.timeline.plot; }
  draw() {
    const {ctx, timeline, app: {colours}} = this, {plot, ratio} = timeline, h = this.canvas.clientHeight;
    this.picture ??= this.paint(h, plot, ratio);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, this.canvas.width, this.canvas.height);
    ctx.drawImage(this.picture, 0, 0);
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    const a = Math.max(GUTTER, this.x(timeline.from)), b = Math.min(GUTTER + plot, this.x(timeline.to));
    ctx.fillStyle = colours.bg;
    ctx.globalAlpha = 0.62;
    ctx.fillRect(GUTTER, 0, a - GUTTER, h);
    ctx.fillRect(b, 0, GUTTER + plot - b, h);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colours.accent;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    ctx.roundRect(a, 1.5, Math.max(3, b - a), h - 3, 4);
    ctx.stroke();
    ctx.fillStyle = colours.accent;
    ctx.fillRect(this.x(this.app.instant) - 0.75, 3, 1.5, h - 6);
  }
  paint(h, plot, ratio) {
    const {colours, model, filter} = this.app;
    const picture = document.createElement('canvas');
    picture.width = this.canvas.width;
    picture.height = this.canvas.height;
    const ctx = picture.getContext('2d');
    ctx.scale(ratio, ratio);
    const cells = Math.ceil(plot / 3), counts = new Float64Array(cells);
    for (const i of filter.visible)
      counts[Math.max(0, Math.min(cells - 1, Math.floor(model.at[i] / model.end * cells)))] += 1;
    const most = Math.log1p(Math.max(...counts, 1));
    ctx.fillStyle = colours.dim;
    ctx.globalAlpha = 0.5;
    for (let c = 0; c < cells; ++c) {
      const bar = Math.log1p(counts[c]) / most * (h - 12);
      ctx.fillRect(GUTTER + c * 3, h - 4 - bar, 2, bar);
    }
    ctx.globalAlpha = 1;
    for (const kind of ['fault', 'violation']) {
      ctx.fillStyle = colours[kind];
      for (const list of filter.marks) {
        if (list.kind !== kind) continue;
        for (const at of list.at)
          ctx.fillRect(this.x(at) - 0.75, kind === 'fault' ? 4 : 2, 1.5, kind === 'fault' ? 5 : h - 4);
      }
    }
    return picture;
  }

  listen() {
    const {canvas, timeline} = this;
    const jump = (e) => {
      const x = e.clientX - canvas.getBoundingClientRect().left;
      const us = (x - GUTTER) / timeline.plot * this.app.model.end, half = (timeline.to - timeline.from) / 2;
      timeline.view(us - half, us + half);
    };
    canvas.addEventListener('pointerdown', (e) => { canvas.setPointerCapture(e.pointerId); jump(e); });
    canvas.addEventListener('pointermove', (e) => { if (e.buttons & 1) jump(e); });
    canvas.addEventListener('wheel', (e) => { e.preventDefault(); timeline.zoom(Math.exp(e.deltaY / 420)); }, {passive: false});
  }
}
