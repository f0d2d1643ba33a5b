"use strict";
// Partners' data is hostile: every text reaches the page through textContent, never as markup.
const EVERY = 2000, KEPT = "crossdock-token", MOST = 100;
const $ = (id) => document.getElementById(id);
const cards = new Map(), before = new Map();
let token = "", shownLetters = "", timer = 0, wires = [];

class Refused extends Error {}

function el(tag, given = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (name === "class") made.className = value;
    else if (name === "on") made.addEventListener("click", value);
    else made.setAttribute(name, value);
  }
  made.append(...children.map((child) => (child instanceof Node ? child : document.createTextNode(String(child)))));
  return made;
}

function fill(place, ...nodes) {
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.key : undefined;
  place.replaceChildren(...nodes);
  if (focused) place.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

async function call(path, body) {
  const headers = { authorization: `Bearer ${token}` };
  if (body) headers["content-type"] = "application/json";
  const options = { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), cache: "no-store" };
  const answer = await fetch(`/ops/v1/${path}`, options);
  if (answer.status === 401) { leave("This token is not valid here."); throw new Refused("signed out"); }
  const found = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(typeof found.detail === "string" ? found.detail : `refused with ${answer.status}`);
  return found;
}

const number = (n) => (n ?? 0).toLocaleString("en");
const plural = (n, word) => `${number(n)} ${word}${n === 1 ? "" : "s"}`;
const sum = (rows, name) => rows.reduce((total, row) => total + (row[name] ?? 0), 0);
const words = (text) => String(text).replaceAll("_", " ");
function when(ms) {
  const text = new Date(ms).toISOString();
  return (Date.now() - ms > 86400000 ? text.slice(0, 10) + " " : "") + text.slice(11, 23) + "Z";
}
const MOODS = { delivered: "good", routed: "good", accepted: "good", resolved: "good", closed: "good", dead_lettered: "bad",
  open: "bad", retried: "warn", replayed: "warn", replaying: "warn", half_open: "warn", paused: "warn", full: "warn", unknown: "warn" };
const mood = (word) => MOODS[word] ?? "";

function showContent(content) {
  const behind = Object.entries(content.processes).filter(([, one]) => one.revision !== content.revision);
  const said = behind.map(([name, one]) => el("p", {}, `${name} works by revision ${one.revision}, not by ${content.revision}`));
  const rejected = content.rejected?.problems ?? [];
  if (rejected.length) said.push(el("p", {}, `The last change, ${when(content.rejected.at)}, was not put in force:`));
  for (const one of rejected) said.push(el("p", { class: "bad" }, `${one.file}:${one.line}:${one.column}  ${one.message}`));
  for (const [name, word] of Object.entries(content.leaving)) {
    said.push(el("p", {}, `The route ${name} was removed; what is left of it is ${word === "drain" ? "delivered" : "given up"}`));
  }
  $("content").hidden = !said.length;
  fill($("content"), ...said);
}

function rate(key, count, now) {
  const last = before.get(key);
  if (!last || now - last.at > 500) before.set(key, { count, at: now });
  return last && now > last.at ? Math.max(0, ((count - last.count) * 1000) / (now - last.at)) : 0;
}
const perSecond = (value) => (value >= 0.05 ? ` · ${value >= 10 ? Math.round(value) : value.toFixed(1)}/s` : "");

function card(place, key, name, note) {
  if (!cards.has(key)) {
    const made = { root: el("div", { class: "card" }), state: el("span"), note: el("div", { class: "facts" }),
      facts: el("div", { class: "facts" }), act: null };
    made.root.append(el("div", { class: "row" }, el("span", { class: "name" }, name), made.state), made.note, made.facts);
    place.append(made.root);
    cards.set(key, made);
  }
  const made = cards.get(key);
  made.note.textContent = note;
  made.note.hidden = !note;
  return made;
}

function showFlow(seen) {
  const now = performance.now();
  wires = [];
  for (const source of seen.sources) {
    const speed = rate(`source ${source.source}`, source.accepted, now);
    const made = card($("sources"), `source ${source.source}`, source.source, `partner ${source.partner}`);
    const away = source.poll?.away ? ` · ${source.poll.connector} is away: ${source.poll.away}` : "";
    made.facts.textContent = `${number(source.accepted)} accepted${perSecond(speed)}${away}`;
    wires.push([`source ${source.source}`, "process", away ? "bad" : speed > 0 ? "busy" : ""]);
  }
  const process = card($("process"), "process", "process", "check, dedupe, transform");
  process.facts.textContent = [`${number(sum(seen.sources, "routed"))} routed`,
    plural(sum(seen.sources, "duplicate"), "duplicate"),
    `${number(sum(seen.sources, "dead_lettered"))} dead-lettered`, `lag ${number(seen.lag)}`].join(" · ");
  seen.routes.forEach((route) => showRoute(route, now));
  for (const name of new Set(seen.routes.map((route) => route.connector))) showConnector(name, seen.routes);
  draw();
}

function showRoute(route, now) {
  const key = `route ${route.route}`, speed = rate(key, route.delivered, now);
  const made = card($("routes"), key, route.route, route.behind ? "behind: reads on its own" : route.behind === false ? "follows the feed" : "");
  const paused = route.breaker === "paused", closed = route.breaker.startsWith("closed until"), bad = closed ? "warn" : mood(route.breaker);
  const told = { paused: "paused", full: "full", unknown: "no worker" };
  made.state.textContent = closed ? route.breaker : told[route.breaker] ?? `breaker ${words(route.breaker)}`;
  made.state.className = `pill ${bad}`;
  made.root.className = `card ${bad === "good" ? "" : bad}`;
  made.facts.textContent = [`${number(route.delivered)} delivered${perSecond(speed)}`, `lag ${number(route.lag)}`,
    route.retried && `${number(route.retried)} retried`, route.dead_lettered && `${number(route.dead_lettered)} dead-lettered`]
    .filter(Boolean).join(" · ");
  if (!made.act) {
    made.act = el("button", { type: "button", class: "plain", on: () => pause(route.route, made) });
    made.state.after(made.act);
  }
  made.paused = paused;
  made.act.textContent = paused ? "Resume" : "Pause";
  made.act.setAttribute("aria-label", `${made.act.textContent} ${route.route}`);
  wires.push(["process", key, speed > 0 ? "busy" : bad === "good" ? "" : bad]);
  wires.push([key, `connector ${route.connector}`, bad !== "good" ? bad : speed > 0 ? "busy" : ""]);
}

function connectorLag(routes) {  // each consumer once: routes that share one show the same lag
  return [...new Map(routes.map((route) => [route.consumer, route.lag])).values()].reduce((all, lag) => all + lag, 0);
}

function showConnector(name, routes) {
  const mine = routes.filter((route) => route.connector === name);
  const states = mine.map((route) => route.breaker.startsWith("closed until") ? "paused" : route.breaker);
  const worst = ["open", "half_open", "unknown", "full", "closed", "paused"].find((state) => states.includes(state)) ?? "unknown";
  const made = card($("connectors"), `connector ${name}`, name, plural(mine.length, "route"));
  const told = { open: "not answering", half_open: "being tried", full: "slow", closed: "answering", paused: "paused", unknown: "no worker" };
  made.state.textContent = told[worst];
  made.state.className = `pill ${mood(worst)}`;
  made.facts.textContent = `${number(sum(mine, "delivered"))} delivered · lag ${number(connectorLag(mine))}`;
}

function draw() {
  const origin = $("flow").getBoundingClientRect(), paths = [];
  for (const [from, to, kind] of wires) {
    const a = cards.get(from)?.root.getBoundingClientRect(), b = cards.get(to)?.root.getBoundingClientRect();
    if (!a || !b) continue;
    const [x1, y1, x2, y2] = [a.right - origin.x, a.y + a.height / 2 - origin.y, b.x - origin.x, b.y + b.height / 2 - origin.y];
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", `M${x1} ${y1}C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`);
    path.setAttribute("class", kind);
    paths.push(path);
  }
  $("wires").replaceChildren(...paths);
}

async function pause(route, made) {
  made.act.disabled = true;
  try { await call(`routes/${encodeURIComponent(route)}/${made.paused ? "resume" : "pause"}`, {}); } catch (error) { trouble(error); }
  made.act.disabled = false;
  refresh();
}

function showTotals(seen) {
  const totals = [["accepted", sum(seen.sources, "accepted")], ["delivered", sum(seen.routes, "delivered")],
    ["waiting", seen.waiting], ["repeats", sum(seen.sources, "duplicate")], ["open dead letters", seen.dead_letters]];
  $("totals").replaceChildren(...totals.map(([name, value]) =>
    el("div", {}, el("dt", {}, name), el("dd", { class: name.startsWith("open") && value ? "bad" : "" }, number(value)))));
}

function table(columns, rows, sheet = true) {
  const head = el("tr", {}, ...columns.map(([name, kind]) => el("th", { scope: "col", class: kind ?? "" }, name)));
  const body = rows.map((row) => el("tr", {}, ...row.map((cell, i) =>
    el("td", { class: columns[i][1] ?? "", "data-label": columns[i][0] }, cell))));
  return el("div", sheet ? { class: "sheet", tabindex: "0" } : {}, el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
}

function showRecent(lines) {
  if (!lines.length) return;
  const rows = lines.slice(0, 12).map((line, n) => [when(line.at), words(line.stage), line.route ?? line.source ?? "", outcome(line.outcome),
    el("button", { type: "button", class: "plain mono", "data-key": `recent ${n}`, on: () => trace(line.id ?? "") }, line.id ?? "")]);
  fill($("recent"), table([["at", "at"], ["stage"], ["source or route"], ["outcome"], ["event"]], rows));
}
const outcome = (word) => el("span", { class: mood(word) }, words(word));

async function trace(text) {
  $("key").value = text;
  try {
    const found = await call(`events/${encodeURIComponent(text)}`);
    const ids = [...new Set(found.hops.map((hop) => hop.raw ?? hop.id))];
    const keys = found.event.business_keys.join(", ");
    const about = `${plural(ids.length, "event")} of partner ${found.event.partner}${keys ? `, business key ${keys}` : ""}`;
    fill($("journey"), el("p", { class: "quiet" }, about), ...ids.map((id) => journey(found.hops.filter((hop) => (hop.raw ?? hop.id) === id))));
  } catch (error) { fill($("journey"), el("p", { class: "bad" }, error.message)); }
}

function journey(hops) {
  const first = hops[0];
  const steps = hops.map((hop) => el("li", { class: mood(hop.outcome) },
    el("div", { class: "row" }, el("strong", {}, words(hop.outcome)), el("span", {}, [words(hop.stage), hop.route].filter(Boolean).join(" · ")),
      el("span", { class: "quiet mono" }, when(hop.at))),
    el("div", { class: "quiet" }, [hop.type !== first.type ? hop.type : "", hop.reason, hop.detail, hop.ms ? `after ${number(hop.ms)} ms` : ""]
      .filter(Boolean).join(" · "))));
  return el("div", {}, el("p", {}, el("span", { class: "mono" }, first.id ?? ""), ` ${first.type ?? ""}`), el("ol", { class: "journey" }, ...steps));
}

function trouble(error) {
  if (!token) return;
  const text = error instanceof Refused ? error.message : "The operations API does not answer; trying again.";
  $("trouble").textContent = text;
  $("trouble").hidden = false;
  $("link").textContent = error instanceof Refused ? "trouble" : "not reachable";
  $("link").className = "pill bad";
}

async function refresh() {
  clearTimeout(timer);
  if (!token) return;
  try {
    const [seen] = await Promise.all([call("overview"), refreshLetters()]);
    $("gate").hidden = $("trouble").hidden = true;
    $("desk").hidden = $("leave").hidden = false;
    $("revision").textContent = `revision ${seen.revision}`;
    showContent(await call("content"));
    $("link").textContent = "live";
    $("link").className = "pill good";
    showTotals(seen);
    showFlow(seen);
    showRecent(seen.recent);
  } catch (error) { trouble(error); }
  clearTimeout(timer);
  if (token) timer = setTimeout(refresh, EVERY);
}
