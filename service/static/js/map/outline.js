// Borders of a tiling from its own edges: what two neighbours share cancels out.

/** Edges of rings: [[from, to, owner], …] over shared vertex numbers. */
export class Edges {
  constructor() {
    this.numbers = new Map();
    this.points = [];
    this.edges = new Map(); // key -> {a, b, owners}
  }

  vertex(x, y) {
    const key = `${Math.round(x * 50)},${Math.round(y * 50)}`; // 2 cm
    let n = this.numbers.get(key);
    if (n === undefined) { n = this.points.length; this.numbers.set(key, n); this.points.push([x, y]); }
    return n;
  }

  /** Adds a ring (closed, flat) that belongs to `owner`. */
  add(flat, owner) {
    let before = this.vertex(flat[flat.length - 2], flat[flat.length - 1]);
    for (let i = 0; i < flat.length; i += 2) {
      const here = this.vertex(flat[i], flat[i + 1]);
      if (here !== before) {
        const key = before < here ? before * 4194304 + here : here * 4194304 + before;
        const edge = this.edges.get(key);
        if (edge) edge.owners.push(owner); else this.edges.set(key, { a: before, b: here, owners: [owner] });
      }
      before = here;
    }
  }

  /** Pairs of owners that share an edge, as Map(owner -> Set of owners). */
  neighbours() {
    const out = new Map();
    const link = (p, q) => { if (!out.has(p)) out.set(p, new Set()); out.get(p).add(q); };
    for (const { owners } of this.edges.values()) {
      if (owners.length === 2 && owners[0] !== owners[1]) { link(owners[0], owners[1]); link(owners[1], owners[0]); }
    }
    return out;
  }

  /** The lines along which groups end: for each group its own border, and the outer border of all. `groupOf(owner)` names the group. */
  borders(groupOf) {
    const groups = new Map();
    const outer = [];
    const put = (group, edge) => { if (!groups.has(group)) groups.set(group, []); groups.get(group).push(edge); };
    for (const edge of this.edges.values()) {
      const mine = edge.owners.map(groupOf);
      if (edge.owners.length === 1) { put(mine[0], edge); outer.push(edge); } else {
        for (const group of new Set(mine)) if (mine.some((g) => g !== group)) put(group, edge);
      }
    }
    return { groups: new Map([...groups].map(([group, edges]) => [group, this.chain(edges)])), outer: this.chain(outer) };
  }

  /** Edges joined into as few flat lines as possible; [{line, closed}]. */
  chain(edges) {
    const at = new Map();
    for (const edge of edges) for (const end of [edge.a, edge.b]) { if (!at.has(end)) at.set(end, []); at.get(end).push(edge); }
    const used = new Set();
    const out = [];
    const walk = (start, first) => {
      const line = [...this.points[start]];
      let here = start;
      let edge = first;
      while (edge) {
        used.add(edge);
        here = edge.a === here ? edge.b : edge.a;
        line.push(...this.points[here]);
        if (here === start) break;
        edge = at.get(here).find((one) => !used.has(one));
      }
      const closed = here === start;
      if (closed) line.length -= 2;
      out.push({ line, closed });
    };
    const ends = [...at].filter(([, list]) => list.length % 2).map(([end]) => end);
    for (const end of ends) for (const edge of at.get(end)) if (!used.has(edge)) walk(end, edge);
    for (const edge of edges) if (!used.has(edge)) walk(edge.a, edge);
    return out;
  }
}

/** Colours 0..most-1 so that neighbours differ where possible; `linked` is Map(key -> Set of keys). */
export function colourApart(keys, linked, most) {
  const colour = new Map();
  const used = new Array(most).fill(0);
  const order = [...keys].sort((p, q) => (linked.get(q)?.size || 0) - (linked.get(p)?.size || 0) || (p < q ? -1 : 1));
  for (const key of order) {
    const taken = new Set([...(linked.get(key) || [])].map((other) => colour.get(other)));
    let best = -1;
    for (let c = 0; c < most; c += 1) if (!taken.has(c) && (best < 0 || used[c] < used[best])) best = c;
    if (best < 0) best = used.indexOf(Math.min(...used));
    colour.set(key, best);
    used[best] += 1;
  }
  return colour;
}
