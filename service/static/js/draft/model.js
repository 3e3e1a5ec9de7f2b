// The draft as the browser knows it: its grids, steps, faults, and the version that the next save builds on.

export class Model {
  constructor() { this.told = []; this.grids = new Map(); this.steps = []; this.faults = []; this.warnings = []; this.can = {}; this.gone = []; this.version = 0; }

  /** Everything anew, as the interface tells it. */
  load(json) {
    Object.assign(this, { id: json.id, name: json.name, state: json.state, version: json.version, communities: json.communities, steps: json.steps, can: json.can, faults: json.faults, warnings: json.warnings || [], gone: json.gone || [] });
    this.around = json.around?.features || [];
    this.grids = new Map(json.grids.features.map((feature) => [feature.properties.code, flat(feature)]));
    this.base = new Set([...this.gone, ...[...this.grids.values()].map((grid) => grid.origin).filter(Boolean)]);
    this.tell(true);
  }

  /** What a save, an undo or a redo changed. */
  apply(answer, kind) {
    for (const code of answer.removed || []) this.grids.delete(code);
    for (const feature of answer.changed || []) this.grids.set(feature.properties.code, flat(feature));
    this.version = answer.version;
    this.can = answer.can || this.can;
    this.faults = answer.faults || this.faults;
    this.warnings = answer.warnings || [];
    if (answer.steps) this.steps = answer.steps;
    else if (answer.step) this.put(answer.step, kind);
    const kept = new Set([...this.grids.values()].map((grid) => grid.origin));
    this.gone = answer.gone || [...this.base].filter((code) => !kept.has(code)).sort();
    this.tell((answer.changed || []).some((feature) => feature.geometry) || (answer.removed || []).length > 0);
  }

  put(step, kind) {
    if (kind === 'undo' || kind === 'redo') this.steps = this.steps.map((one) => (one.number === step.number ? step : one));
    else this.steps = [...this.steps.filter((one) => !one.undone && one.number !== step.number), step];
  }

  tell(shapes) { for (const fn of this.told) fn(shapes); }

  /** The tiles and micro-grids by code. */
  get list() { return [...this.grids.values()].sort((a, b) => (a.code < b.code ? -1 : 1)); }

  get tiles() { return this.list.filter((grid) => grid.kind !== 'micro_grid'); }

  get vacant() { return this.tiles.filter((grid) => !grid.leader); }

  get plans() { return this.list.flatMap((grid) => (grid.planned || []).map((plan) => ({ ...plan, grid }))); }

  /** The steps that hold, the last one last. */
  get done() { return this.steps.filter((step) => !step.undone); }
}

const flat = ({ geometry, properties }) => ({ ...properties, geometry });
