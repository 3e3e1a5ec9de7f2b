// Writing along a line: one upright character after the other, where it is straight and free.

/** The longest run of a line's points (canvas pixels) that lies in the view. */
function visibleRun(points, width, height, margin = 60) {
  let best = [];
  let run = [];
  const flush = () => { if (lengthOf(run) > lengthOf(best)) best = run; run = []; };
  for (let i = 1; i < points.length; i += 1) {
    const [a, b] = [points[i - 1], points[i]];
    const seen = Math.max(a[0], b[0]) > -margin && Math.min(a[0], b[0]) < width + margin && Math.max(a[1], b[1]) > -margin && Math.min(a[1], b[1]) < height + margin;
    if (!seen) { flush(); continue; }
    if (!run.length) run.push(a);
    run.push(b);
  }
  flush();
  return best;
}

function lengthOf(points) {
  let sum = 0;
  for (let i = 1; i < points.length; i += 1) sum += Math.hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]);
  return sum;
}

/** A walker along points: at(d) → [x, y, angle]. */
function walker(points) {
  const sums = [0];
  for (let i = 1; i < points.length; i += 1) sums.push(sums[i - 1] + Math.hypot(points[i][0] - points[i - 1][0], points[i][1] - points[i - 1][1]));
  const total = sums[sums.length - 1];
  const at = (d) => {
    let i = 1;
    while (i < sums.length - 1 && sums[i] < d) i += 1;
    const t = (d - sums[i - 1]) / (sums[i] - sums[i - 1] || 1);
    const [a, b] = [points[i - 1], points[i]];
    return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, Math.atan2(b[1] - a[1], b[0] - a[0])];
  };
  return { total, at };
}

/** Distances to try for the middle of the name: the middle first, then alternately outward. */
function middles(total, lo, hi) {
  const out = [];
  for (let k = 0; k <= 24; k += 1) {
    const share = 0.5 + ((k % 2 ? 1 : -1) * Math.ceil(k / 2)) / 26;
    if (share >= lo && share <= hi) out.push(share * total);
  }
  return out;
}

const HAN = /[\u3400-\u9fff]/;

/** Writes `text` along `line` (flat metres) with the painter `names`; true when it found a place. */
export function along(names, line, text, { font, colour, lo, hi, lift = 0, wide = false }) {
  const { ctx, view, board } = names;
  const points = [];
  for (let i = 0; i < line.length; i += 2) points.push(view.px(line[i], line[i + 1]));
  const run = visibleRun(points, view.width, view.height);
  if (run.length < 2) return false;
  const { total, at } = walker(run);
  ctx.font = font;
  const half = ctx.measureText('网').width / 2;
  const letters = [...text].map((ch) => [ch, wide ? 2 * half + 4 : ctx.measureText(ch).width + 0.5]);
  const need = letters.reduce((sum, [, width]) => sum + width, 0);
  if (total < need * 1.25) return false;
  for (const mid of middles(total, lo, hi)) {
    const head = at(mid - need / 2);
    const tail = at(mid + need / 2);
    const dir = Math.atan2(tail[1] - head[1], tail[0] - head[0]);
    const steep = HAN.test(text) && Math.abs(Math.sin(dir)) > 0.8;
    const flip = steep ? Math.sin(dir) < 0 : Math.cos(dir) < 0;
    let d = mid - need / 2;
    const glyphs = (flip ? [...letters].reverse() : letters).map(([ch, width]) => { d += width; return [...at(d - width / 2), ch]; });
    if (glyphs.some((g) => Math.abs(Math.atan2(Math.sin(g[2] - dir), Math.cos(g[2] - dir))) > 0.3)) continue;
    const boxes = glyphs.map((g) => [g[0] - half, g[1] - half + lift, g[0] + half, g[1] + half + lift]);
    if (!boxes.every((box) => names.within(box) && board.free(box))) continue;
    for (const box of boxes) board.take(box);
    const turn = dir + (flip ? Math.PI : 0) - (steep ? Math.PI / 2 : 0);
    for (const [x, y, , ch] of glyphs) {
      ctx.save();
      ctx.translate(x, y); ctx.rotate(turn); ctx.translate(0, lift);
      if (wide) { ctx.font = font; ctx.textAlign = 'center'; ctx.fillStyle = colour; ctx.fillText(ch, 0, half * 0.68); } else names.text(ch, 0, half * 0.72, font, colour, 2.6);
      ctx.restore();
    }
    return true;
  }
  return false;
}
