// The draft's grids on the board: as on the map, with what was changed, picked, refused, or saved by somebody else.
import { Faults } from '../map/faults.js';
import { meets, trace } from '../map/frame.js';
import { Grids } from '../map/grids.js';
import { FONT, token } from '../map/style.js';
import { labelOf, ringsOf } from './shapes.js';
import { area, short, word } from './words.js';

export class DrawnGrids extends Grids {
  constructor(board, state) {
    super(board, state);
    this.picked = new Set();
    this.others = new Set(); // codes that somebody else has just changed
    this.around = new Path2D();
    board.step('world', 85, 'always', (ctx, view) => this.beside(ctx, view));
    board.step('world', 92, 'always', (ctx, view) => this.marks(ctx, view));
    board.step('over', 101, 'always', (ctx, view) => this.picks(ctx, view));
  }

  /** Shows the model; its neighbours when they are new. */
  take(model, beside = false) {
    const properties = (grid) => {
      const { at, r } = grid.label ? { at: grid.label, r: grid.r } : labelOf(grid.geometry);
      return { code: grid.code, short: short(grid.code), name: grid.name, kind: grid.kind, community: grid.community_code, label: at, r, leader: grid.leader?.name || null, vacant: !grid.leader && grid.kind !== 'micro_grid', ha: grid.area_m2 / 1e4, open: 0, overdue: 0, status: grid.status };
    };
    const communities = model.communities.map(({ code, name }, i) => ({ code, name, colour: i }));
    this.parse({ communities, features: model.list.map((grid) => ({ geometry: grid.geometry, properties: properties(grid) })) });
    if (beside) this.around = model.around.reduce((path, feature) => ringsOf(feature.geometry).reduce((p, ring) => trace(p, this.board.frame.line(ring), true), path), new Path2D());
    this.answers += 1;
    for (const fn of this.ready) fn(this);
    this.board.request('all');
  }

  find(code) { return this.byCode.get(code) || this.micro.find((grid) => grid.code === code) || null; }

  get chosen() { return this.state.grid ? this.find(this.state.grid) : null; }

  beside(ctx, view) {
    ctx.strokeStyle = token('--ink-3'); ctx.globalAlpha = 0.5; ctx.lineWidth = view.w(0.8);
    ctx.stroke(this.around);
    ctx.globalAlpha = 1;
  }

  /** Vacancies hatched, changes edged. */
  marks(ctx, view) {
    if (!this.paths) return;
    ctx.globalAlpha = 0.62;
    this.hatch(ctx, view, this.paths.vacant);
    ctx.globalAlpha = 1;
    for (const grid of [...this.list, ...this.micro]) {
      if (grid.status === 'unchanged' || !meets(grid.box, view.box)) continue;
      ctx.save();
      ctx.clip(grid.path);
      ctx.strokeStyle = token(grid.status === 'new' ? '--done-fill' : '--way-fill');
      ctx.lineWidth = view.w(6);
      ctx.stroke(grid.path);
      ctx.restore();
    }
  }

  picks(ctx, view) {
    view.world(ctx);
    for (const code of this.picked) {
      const grid = this.find(code);
      if (!grid) continue;
      ctx.globalAlpha = 0.16; ctx.fillStyle = token('--accent'); ctx.fill(grid.path);
      ctx.globalAlpha = 1; ctx.strokeStyle = token('--accent'); ctx.lineWidth = view.w(2.8); ctx.stroke(grid.path);
    }
    for (const code of this.others) {
      const grid = this.find(code);
      if (!grid) continue;
      ctx.globalAlpha = 0.2; ctx.fillStyle = token('--way-fill'); ctx.fill(grid.path);
      ctx.globalAlpha = 1; ctx.strokeStyle = token('--way-fill'); ctx.lineWidth = view.w(4); ctx.stroke(grid.path);
    }
  }
}

/** Faults of the draft, and those for which a step was refused: the latter with their area written beside them. */
export class DrawnFaults extends Faults {
  constructor(board, state) {
    super(board, state);
    this.refused = [];
    board.step('over', 150, 'always', (ctx, view) => this.areas(ctx, view));
  }

  show(own, refused = []) {
    const asFeature = ({ geometry, ...properties }) => ({ geometry, properties });
    this.take([...own, ...refused].map(asFeature));
    this.refused = this.list.slice(this.list.length - refused.filter((one) => one.geometry).length);
    this.board.request('all');
  }

  areas(ctx, view) {
    ctx.font = `600 13px ${FONT}`; ctx.textAlign = 'center'; ctx.textBaseline = 'alphabetic'; ctx.lineJoin = 'round';
    for (const fault of this.refused) {
      const [x0, y0, x1, y1] = fault.box;
      const [x, y] = view.px((x0 + x1) / 2, y1);
      const text = word('fault_words', { kind: word(fault.kind), area: area(fault.area_m2 || 0) });
      ctx.strokeStyle = token('--halo'); ctx.lineWidth = 4; ctx.strokeText(text, x, y - 14);
      ctx.fillStyle = token('--late'); ctx.fillText(text, x, y - 14);
    }
  }
}
