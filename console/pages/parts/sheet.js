// A table: filter, sort, CSV, cards on a phone. Every text of a cell is interpolated by Vue, so it stays text.
const FORMULA = /^[=+\-@\t\r]/; // a spreadsheet would compute a cell that begins so

function field(text) {
  const safe = FORMULA.test(text) && !/^-?[\d.]+$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export default {
  props: { caption: String, columns: Array, rows: Array, empty: String, file: String, filters: Boolean, more: String },
  emits: ["act"],
  data: () => ({ wanted: "", by: -1, down: false, cut: false }),
  mounted() {
    this.watched = new ResizeObserver(() => this.look());
    this.watched.observe(this.$el);
  },
  updated() { this.look(); },
  unmounted() { this.watched.disconnect(); },
  computed: {
    shown() {
      const wanted = this.wanted.trim().toLowerCase();
      const found = wanted ? this.rows.filter((row) => row.cells.some((cell) => this.said(cell).toLowerCase().includes(wanted))) : [...this.rows];
      if (this.by < 0) return found;
      const value = (row) => row.cells[this.by].sort ?? row.cells[this.by].at ?? row.cells[this.by].text ?? "";
      const order = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));
      found.sort((a, b) => order(value(a), value(b)) * (this.down ? -1 : 1));
      return found;
    },
    count() {
      const all = this.rows.length, some = this.shown.length, more = this.more ? ` ${this.more}` : "";
      return (some === all ? `${all}` : `${some} of ${all}`) + more;
    },
  },
  methods: {
    look() { // whether there is more to the right, which not every browser tells by a scrollbar
      const body = this.$refs.body;
      this.cut = !!body && body.scrollWidth - body.clientWidth - body.scrollLeft > 1;
    },
    said(cell) { return cell.at ? new Date(cell.at).toISOString() : String(cell.text ?? ""); },
    turn(place) {
      this.down = this.by === place ? !this.down : false;
      this.by = place;
    },
    sorted(place) { return this.by === place ? (this.down ? "descending" : "ascending") : undefined; },
    save() {
      const lines = [this.columns.map((column) => field(column.unit ? `${column.label} (${column.unit})` : column.label)), ...this.shown.map((row) => row.cells.map((cell) => field(String(cell.raw ?? this.said(cell)))))];
      const made = URL.createObjectURL(new Blob([lines.map((line) => line.join(",")).join("\r\n") + "\r\n"], { type: "text/csv;charset=utf-8" }));
      const link = Object.assign(document.createElement("a"), { href: made, download: `${this.file}.csv` });
      link.click();
      URL.revokeObjectURL(made);
    },
  },
  template: `<div class="sheet">
    <div class="sheet-head" v-if="filters && rows.length">
      <input class="field" type="search" v-model="wanted" :aria-label="'Filter ' + caption" placeholder="Filter" autocomplete="off" spellcheck="false">
      <span class="quiet" role="status">{{ count }}</span>
      <button class="button plain" type="button" @click="save">Export CSV</button>
    </div>
    <p v-if="!shown.length" class="empty">{{ rows.length ? "Nothing fits the filter." : empty }}</p>
    <div v-else class="sheet-box" :class="{ cut }">
    <div class="sheet-body" ref="body" tabindex="0" role="region" :aria-label="caption + ', table'" @scroll.passive="look">
      <table>
        <caption class="hidden">{{ caption }}</caption>
        <thead><tr>
          <th v-for="(column, place) in columns" scope="col" :class="column.kind" :aria-sort="sorted(place)">
            <button type="button" @click="turn(place)">{{ column.label }}<span v-if="by === place" aria-hidden="true" class="arrow">{{ down ? "↓" : "↑" }}</span></button>
          </th>
          <td v-if="rows.some((row) => row.acts.length)"></td>
        </tr></thead>
        <tbody>
          <tr v-for="row in shown" :key="row.key" :class="row.mood">
            <td v-for="(cell, place) in row.cells" :class="columns[place].kind" :data-label="columns[place].label">
              <nicegui-moment v-if="cell.at" :at="cell.at" still></nicegui-moment>
              <a v-else-if="cell.href" :href="cell.href">{{ cell.text }}</a>
              <span v-else-if="cell.mood !== undefined" class="badge" :class="cell.mood">{{ cell.text }}</span>
              <template v-else>{{ cell.text }}</template>
            </td>
            <td v-if="row.acts.length" class="acts">
              <button v-for="act in row.acts" type="button" class="button small" :aria-label="act + ' ' + row.name" @click="$emit('act', { act, key: row.key })">{{ act }}</button>
            </td>
          </tr>
        </tbody>
      </table>
    </div>
    </div>
  </div>`,
};
