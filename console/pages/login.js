"use strict";
const $ = (id) => document.getElementById(id);
const LOOK = "crossdock-look";
if (!document.cookie.includes(`${LOOK}=`)) {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.cookie = `${LOOK}=${dark ? "dark" : "light"}; path=/; max-age=31536000; samesite=strict`;
}
document.documentElement.dataset.look = document.cookie.includes(`${LOOK}=dark`) ? "dark" : "light";

const asked = new URLSearchParams(location.search).get("next") ?? "/";
const next = /^\/(?![/\\])/.test(asked) ? asked : "/"; // a page of this console, never another site
const given = new URLSearchParams(location.hash.slice(1)).get("token");
if (given) history.replaceState(null, "", location.pathname + location.search);

async function signIn(body) {
  $("fault").textContent = "";
  const options = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  try {
    const answer = await fetch("/ops/v1/session", options);
    if (answer.ok) return location.replace(next);
    const told = await answer.json().catch(() => ({}));
    $("fault").textContent = typeof told.detail === "string" ? told.detail : "That cannot be used to sign in.";
  } catch {
    $("fault").textContent = "The console does not answer. Try again.";
  }
  return show($("by-token").hidden ? "by-name" : "by-token");
}

function show(form) {
  $("wait").hidden = true;
  for (const name of ["by-name", "by-token"]) $(name).hidden = name !== form;
  for (const field of document.querySelectorAll("input[type=password]")) field.value = "";
  $(form).querySelector("input").focus();
}

function submits(form, body) {
  $(form).addEventListener("submit", (event) => {
    event.preventDefault();
    signIn(body());
  });
}
submits("by-name", () => ({ user: $("user").value, password: $("password").value }));
submits("by-token", () => ({ token: $("token").value.trim() }));
$("to-token").addEventListener("click", () => show("by-token"));
$("to-name").addEventListener("click", () => show("by-name"));

async function begin() {
  if (given) return signIn({ token: given });
  const answer = await fetch("/ops/v1/session").catch(() => null);
  if (answer?.ok) return location.replace(next);
  const told = (await answer?.json().catch(() => null)) ?? {};
  $("company").hidden = !told.oidc;
  $("company").href = `/login/oidc?next=${encodeURIComponent(next)}`;
  if (new URLSearchParams(location.search).has("refused")) $("fault").textContent = "Your company account was not let in.";
  return show("by-name");
}
begin();
