// The flow from partners to connectors: a card for each place, a line for each way; a list on a phone.
export default {
  props: { columns: Array, wires: Array },
  data: () => ({ paths: [], width: 0, height: 0 }),
  mounted() {
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(this.$el);
  },
  unmounted() { this.watcher.disconnect(); },
  updated() { this.$nextTick(() => this.draw()); },
  methods: {
    draw() {
      const origin = this.$el.getBoundingClientRect(), cards = new Map(), made = [];
      for (const card of this.$el.querySelectorAll("[data-key]")) cards.set(card.dataset.key, card.getBoundingClientRect());
      for (const wire of this.wires) {
        const a = cards.get(wire.from), b = cards.get(wire.to);
        if (!a || !b) continue;
        const x1 = Math.round(a.right - origin.x), y1 = Math.round(a.y + a.height / 2 - origin.y);
        const x2 = Math.round(b.x - origin.x), y2 = Math.round(b.y + b.height / 2 - origin.y), bend = (x1 + x2) / 2;
        const [x, y] = wire.near === "from" ? [x1 + 6, y1 - 5] : [x2 - 6, y2 - 5];
        made.push({ d: `M${x1} ${y1}C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}`, kind: `wire ${wire.mood} ${wire.busy ? "busy" : ""}`,
          width: wire.width, label: wire.label, x, y, anchor: wire.near === "from" ? "start" : "end" });
      }
      const { width, height } = origin;
      if (JSON.stringify([made, width, height]) === this.drawn) return; // else drawing would be an update that draws
      this.drawn = JSON.stringify([made, width, height]);
      Object.assign(this, { paths: made, width, height });
    },
  },
  template: `<div class="flow">
    <svg class="wires" aria-hidden="true" :viewBox="'0 0 ' + width + ' ' + height">
      <g v-for="path in paths"><path :d="path.d" :class="path.kind" :stroke-width="path.width"/></g>
      <text v-for="path in paths" v-show="path.label" :x="path.x" :y="path.y" :text-anchor="path.anchor">{{ path.label }}</text>
    </svg>
    <section v-for="column in columns" class="flow-column" :aria-label="column.name">
      <h3>{{ column.name }}</h3>
      <ul>
        <li v-for="card in column.cards" :key="card.key" :data-key="card.key" class="flow-card" :class="card.mood">
          <div class="flow-title">
            <a v-if="card.href" :href="card.href">{{ card.name }}</a><span v-else>{{ card.name }}</span>
            <span v-if="card.state" class="badge" :class="card.mood">{{ card.state }}</span>
          </div>
          <p v-for="line in card.lines">{{ line }}</p>
        </li>
      </ul>
    </section>
  </div>`,
};
