'use strict';
// Colours, and the signs of events.

// Colours as the style sheet has them, in the scheme of the moment.
class Palette {
  constructor() {
    const probe = $('tip');
    const resolve = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    for (const name of ['bg', 'panel', 'lane', 'line', 'faint', 'text', 'dim', 'accent', ...KIND_ORDER,
      'running', 'on', 'asleep', 'off', 'ink'])
      this[name] = resolve(name);
    this.dark = resolve('dark-probe') === 'rgb(0, 0, 0)';
    probe.style.color = '';
  }
  device(n) {
    const HUES = [205, 28, 152, 318, 262, 55, 182, 350, 98, 232];
    return n < 0 ? this.dim : `hsl(${HUES[n % HUES.length]} ${this.dark ? '62% 64%' : '60% 42%'})`;
  }
}

// The signs of kinds that matter; all others are ticks.
function burst(ctx, x, y, r) {
  for (let i = 0; i < 16; ++i) {
    const a = i * Math.PI / 8 - Math.PI / 2, d = i % 2 ? r * 0.55 : r;
    ctx[i ? 'lineTo' : 'moveTo'](x + d * Math.cos(a), y + d * Math.sin(a));
  }
  ctx.closePath();
}
const polygon = (...points) => (ctx, x, y, r) => {
  points.forEach(([dx, dy], i) => ctx[i ? 'lineTo' : 'moveTo'](x + dx * r, y + dy * r));
  ctx.closePath();
};
const SIGNS = {
  fault: polygon([0, -1.15], [1.15, 0], [0, 1.15], [-1.15, 0]),
  step: (ctx, x, y, r) => { ctx.arc(x, y, r * 0.9, 0, 7); ctx.closePath(); },
  log: polygon([0, -1], [1, 0.8], [-1, 0.8]),
};
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif';
