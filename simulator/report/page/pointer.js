'use strict';
// Wheel, drag, hover and click on the time line.

class Pointer {
  constructor(app, timeline) {
    Object.assign(this, {app, timeline, canvas: timeline.canvas});
    this.listen();
  }

  listen() {
    const {canvas, timeline} = this;
    let drag = null;
    const place = (e) => {
      const box = canvas.getBoundingClientRect();
      return {x: e.clientX - box.left, y: e.clientY - box.top};
    };
    canvas.addEventListener('wheel', (e) => {
      e.preventDefault();
      const {x} = place(e);
      if (x < GUTTER && !e.ctrlKey) timeline.scrollLanes(e.deltaY);
      else if (e.shiftKey || Math.abs(e.deltaX) > Math.abs(e.deltaY)) timeline.pan((e.deltaX || e.deltaY) / 900);
      else timeline.zoom(Math.exp(Math.max(-240, Math.min(240, e.deltaY)) / 420), timeline.us(x));
      this.overAgain(place(e));
    }, {passive: false});
    canvas.addEventListener('pointerdown', (e) => {
      if (e.button !== 0) return;
      canvas.setPointerCapture(e.pointerId);
      drag = {...place(e), from: timeline.from, to: timeline.to, scroll: timeline.scroll, moved: false, marks: e.shiftKey};
    });
    canvas.addEventListener('pointermove', (e) => {
      const at = place(e);
      if (drag && (drag.moved ||= Math.hypot(at.x - drag.x, at.y - drag.y) > 4)) {
        $('tip').hidden = true;
        canvas.style.cursor = drag.marks ? 'col-resize' : 'grabbing';
        if (drag.marks) timeline.marking = [drag.x, at.x], timeline.redraw();
        else {
          const by = (drag.x - at.x) / timeline.plot * (drag.to - drag.from);
          timeline.scroll = Math.max(0, Math.min(timeline.scrollMax, drag.scroll + drag.y - at.y));
          timeline.view(drag.from + by, drag.to + by);
        }
        return;
      }
      this.overAgain(at);
    });
    canvas.addEventListener('pointerup', (e) => {
      const at = place(e);
      if (drag && !drag.moved) this.click(at);
      if (timeline.marking) {
        const [a, b] = timeline.marking.map((x) => timeline.us(x)).sort((p, q) => p - q);
        timeline.marking = null;
        timeline.view(a, b);
      }
      drag = null;
      canvas.style.cursor = '';
    });
    canvas.addEventListener('pointercancel', () => { drag = timeline.marking = null; });
    canvas.addEventListener('pointerleave', () => { timeline.hover = null; $('tip').hidden = true; timeline.redraw(); });
    canvas.addEventListener('dblclick', (e) => timeline.zoom(0.25, timeline.us(place(e).x)));
    canvas.addEventListener('contextmenu', (e) => e.shiftKey && e.preventDefault());
  }
  overAgain(at) {
    const {timeline} = this;
    timeline.hover = at;
    const what = timeline.under(at.x, at.y);
    this.canvas.style.cursor = what && what.event >= 0 ? 'pointer' : '';
    this.app.tip(what, at, timeline.us(at.x));
    timeline.redraw();
  }
  click({x, y}) {
    const {timeline} = this;
    const what = timeline.under(x, y);
    if (what?.list) this.app.select(what.event, {among: what.list.events.slice(what.from, what.to)});
    else if (what && what.event >= 0) this.app.select(what.event, {at: timeline.us(x)});
    else if (x >= GUTTER) this.app.goTo(timeline.us(x));
  }
}
