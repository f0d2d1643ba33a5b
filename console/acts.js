// What a person does on the page: dead letters, replays, the ledger, signing in. Follows page.js in one script.
async function refreshLetters() {
  const state = $("letters-state").value;
  const asked = [call(`dead-letters?state=open&limit=${MOST}`)];
  if (state !== "open") asked.push(call(`dead-letters?state=${state}&limit=${MOST}`));
  const [open, rest] = await Promise.all(asked);
  const others = rest ? rest.items : [];
  const listed = state === "" ? [...open.items, ...others.filter((one) => one.state !== "open")] : state === "open" ? open.items : others;
  const text = state + JSON.stringify([open.items, listed]);
  if (text === shownLetters) return;
  shownLetters = text;
  showGroups(open.items);
  if (!listed.length) {
    const what = state ? `No dead letters are ${state}.` : "No dead letters: everything was delivered or is on its way.";
    fill($("letters"), el("p", { class: "quiet" }, what));
    return;
  }
  const columns = [["state"], ["reason"], ["detail"], ["event"], ["source or route"], ["failures", "number"], ["last failure", "at"], ["acts", "acts"]];
  const cut = listed.length >= MOST ? [el("p", { class: "quiet" }, `The oldest ${MOST} of a state are shown.`)] : [];
  fill($("letters"), table(columns, listed.map(letterRow)), ...cut);
}

function letterRow(one) {
  const acts = el("span", {}, el("button", { type: "button", class: "plain", "data-key": `see ${one.id}`,
    "aria-label": `Inspect ${one.id}`, on: () => inspect(one.id) }, "Inspect"));
  if (one.state === "open" || one.state === "replaying") {
    acts.append(el("button", { type: "button", class: "plain", "data-key": `send ${one.id}`, "aria-label": `Replay ${one.id}`,
      on: () => replay({ ids: [one.id] }, `dead letter ${one.id}`) }, "Replay"));
  }
  const event = el("button", { type: "button", class: "plain mono", "data-key": `event ${one.id}`, on: () => trace(one.event_id) }, one.event_id);
  return [el("span", { class: `pill ${mood(one.state)}` }, one.state), words(one.reason), one.detail, event,
    one.route || one.source, number(one.attempts), when(one.last_seen), acts];
}

function showGroups(open) {
  const groups = new Map();
  for (const one of open) {
    const [key, name] = one.route ? ["route", one.route] : ["reason", one.reason];
    const found = groups.get(key + name) ?? { selection: { [key]: name }, name, key, n: 0 };
    groups.set(key + name, { ...found, n: found.n + 1 });
  }
  fill($("groups"), ...[...groups.values()].map(({ selection, name, key, n }) => el("button", { type: "button", "data-key": key + name,
    on: () => replay(selection, `the open dead letters of ${key} ${name}`) }, `Replay ${n} of ${words(name)}`)));
}

function ask(title, body, acts) {
  $("box-title").textContent = title;
  $("box-body").replaceChildren(...body);
  const close = el("button", { type: "button", on: () => $("box").close() }, acts.length ? "Cancel" : "Close");
  $("box-acts").replaceChildren(close, ...acts);
  if (!$("box").open) $("box").showModal();
  close.focus();
}

const outcomes = (items) => ["sent", "skipped", "gone"].map((word) => [word, items.filter((item) => item.outcome === word).length]);

async function replay(selection, what) {
  try {
    const planned = new Map(outcomes((await call("replays", { ...selection, dry_run: true })).items));
    const sent = planned.get("sent");
    const notes = [planned.get("gone") && `${plural(planned.get("gone"), "dead letter")} past retention cannot be sent.`,
      planned.get("skipped") && `${planned.get("skipped")} no longer open.`].filter(Boolean);
    const text = [sent ? `${plural(sent, "event")} will be sent again. A target sees the same idempotency key as before.`
      : "Nothing would be sent.", ...notes].join(" ");
    const go = el("button", { type: "button", class: "main", on: () => send(selection, go) }, `Send ${sent} again`);
    ask(`Replay ${what}?`, [el("p", {}, text)], sent ? [go] : []);
  } catch (error) { trouble(error); }
}

async function send(selection, go) {
  go.disabled = true;
  try {
    const done = outcomes((await call("replays", selection)).items).filter(([, n]) => n).map(([word, n]) => `${n} ${word}`).join(", ");
    ask("Replayed", [el("p", {}, `${done || "nothing to send"}. Each ends resolved, or open again with its new reason.`)], []);
  } catch (error) { ask("Not replayed", [el("p", { class: "bad" }, error.message)], []); }
  refresh();
}

async function inspect(id) {
  try {
    const letter = await call(`dead-letters/${encodeURIComponent(id)}`);
    const facts = [["reason", words(letter.reason)], ["detail", letter.detail], ["state", letter.state], ["event", letter.event_id],
      ["type", letter.type], ["partner", letter.partner], ["source", letter.source], ["route", letter.route], ["business key", letter.key],
      ["first failure", when(letter.first_seen)], ["last failure", when(letter.last_seen)], ["revision", letter.revision]];
    const list = el("dl", {}, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
    const content = letter.payload === undefined ? el("p", { class: "warn" }, "The content is past its retention.") : el("pre", { tabindex: "0" }, indented(letter.payload));
    ask(`Dead letter ${id}`, [list, el("h3", {}, "content as it came in"), content], []);
  } catch (error) { trouble(error); }
}

// Works on the text: reading it as JSON would round integers beyond 2^53.
function indented(text) {
  try { JSON.parse(text); } catch { return text; }
  let depth = 0;
  return text.replace(/"(?:[^"\\]|\\.)*"|[{}[\],:]|\s+/g, (mark) => {
    if (/^\s/.test(mark)) return "";
    if (mark === ":") return ": ";
    if (mark === ",") return `,\n${"  ".repeat(depth)}`;
    if (mark === "{" || mark === "[") return `${mark}\n${"  ".repeat(++depth)}`;
    if (mark === "}" || mark === "]") return `\n${"  ".repeat(--depth)}${mark}`;
    return mark;
  });
}

async function prove() {
  $("prove").disabled = true;
  $("ledger-text").textContent = "Reading the streams …";
  try {
    const found = await call("ledger");
    $("ledger").className = `banner ${found.balanced ? "good" : "bad"}`;
    $("ledger-text").textContent = found.balanced ? `Balanced at ${when(Date.now())}: every event has an outcome or is on its way.`
      : `NOT balanced: ${plural(found.unexplained.length, "event")} without an outcome.`;
    const sums = [found.sources, found.routes].filter((rows) => rows.length).map((rows) => {
      const names = Object.keys(rows[0]);
      return table(names.map((name, i) => [words(name), i ? "number" : ""]), rows.map((row) => names.map((name, i) => (i ? number(row[name]) : row[name]))), false);
    });
    const lost = found.unexplained.slice(0, MOST).map((item) => [item.stream, item.seq, item.event_id, item.at, item.why]);
    if (lost.length) sums.unshift(table([["stream"], ["sequence"], ["event"], ["at"], ["why"]], lost, false));
    fill($("ledger-sums"), ...sums);
  } catch (error) {
    $("ledger").className = "banner bad";
    $("ledger-text").textContent = `The ledger cannot be read: ${error.message}`;
  }
  $("prove").textContent = "Prove it again";
  $("prove").disabled = false;
}

function enter(given) {
  token = given;
  sessionStorage.setItem(KEPT, token);
  $("gate").hidden = true;
  refresh();
}

function leave(why = "") {
  token = "";
  clearTimeout(timer);
  sessionStorage.removeItem(KEPT);
  $("gate-error").textContent = why;
  $("gate").hidden = false;
  $("desk").hidden = $("leave").hidden = true;
  $("link").textContent = "not signed in";
  $("link").className = "pill";
  $("token").value = "";
  $("token").focus();
}

function takeFragment() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) history.replaceState(null, "", location.pathname);
  return given;
}

$("gate").addEventListener("submit", (sent) => { sent.preventDefault(); enter($("token").value.trim()); });
$("search").addEventListener("submit", (sent) => { sent.preventDefault(); trace($("key").value.trim()); });
$("leave").addEventListener("click", () => leave());
$("prove").addEventListener("click", prove);
$("letters-state").addEventListener("change", refresh);
addEventListener("resize", draw);
addEventListener("hashchange", () => { const given = takeFragment(); if (given) enter(given); });
const given = takeFragment() ?? sessionStorage.getItem(KEPT);
if (given) enter(given); else leave();
