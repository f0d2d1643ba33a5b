// A time: how long ago, and exactly when on hover and focus; the button of the header turns all of them over.
import { ref } from "vue";

const KEPT = "crossdock-times";
const now = ref(Date.now());
const exactly = ref(localStorage.getItem(KEPT) === "exact");
setInterval(() => (now.value = Date.now()), 1000);
addEventListener(KEPT, () => {
  exactly.value = !exactly.value;
  localStorage.setItem(KEPT, exactly.value ? "exact" : "");
});
const UNITS = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];

function span(seconds) { // rounded, as two hours less a second are no hour
  for (const [unit, size] of UNITS) if (Math.round(seconds) >= size) return `${Math.round(seconds / size)} ${unit}`;
  return "";
}

export function relative(at, at_present) {
  const seconds = (at_present - at) / 1000, told = span(Math.abs(seconds));
  if (!told) return "now";
  return seconds > 0 ? `${told} ago` : `in ${told}`;
}

export default {
  props: { at: Number, before: String, still: Boolean },
  computed: {
    iso() { return new Date(this.at).toISOString(); },
    exact() { return this.iso.replace("T", " ").replace("Z", " UTC"); },
    said() { return exactly.value ? this.exact : relative(this.at, now.value); },
  },
  template: `<time v-if="at" class="moment" :datetime="iso" :data-exact="exact" :title="exact"
    :tabindex="still ? undefined : 0">{{ before }}{{ said }}</time><span v-else>never</span>`,
};
