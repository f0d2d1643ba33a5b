"""`/dead-letters/{letter}/edit`: an event that is wrong, mended by hand or by a JSON Patch, tried dry and sent."""

import json
from typing import Any
from urllib.parse import quote

from nicegui.element import Element

from console.pages.api import Refusal
from console.pages.parts.ask import Field, ask
from console.pages.parts.basics import badge, button, empty, facts, link, section, tag, words
from console.pages.parts.compare import show_changes
from console.pages.parts.content import LONGEST, document
from console.pages.parts.fault import show_fault
from console.pages.planning import make_plan
from console.pages.visit import Visit
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Refused
from dlq.patchof import between

_EVENT, _PATCH = "Edit the event", "Write a JSON Patch"
_OTHERS = (
    "Each gets this patch on its own event, at the same places. What it does not fit is not sent: the dry run of the "
    "plan says which."
)


class _Edit:
    """The parts of one opened page; `_event` and `_patch` are the texts that a person has written so far."""

    def __init__(self, visit: Visit, shown: dict[str, Any]) -> None:
        self._visit, self._shown = visit, shown
        self._path = f"dead-letters/{quote(shown['id'], safe='')}"
        self._before: Any = None
        self._event, self._patch, self._by_patch = "", "[]", False
        self._tried: Any = None
        self._place = tag("div", classes="stack")
        with section("Dry run"):
            self._result = tag("div", classes="stack", aria_live="polite")
            with self._result:
                empty("Nothing is sent before you have seen what would come of it.")

    async def load(self, why: str = "") -> None:
        """Show the event to be edited; with a reason its personal fields too."""
        self._before = (await self._visit.api.get(f"{self._path}/document", reveal=why))["document"]
        self._event = json.dumps(self._before, indent=2, ensure_ascii=False)
        self._by_patch = self._by_patch or len(self._event) > LONGEST
        self._draw()

    def _draw(self) -> None:
        self._place.clear()
        with self._place:
            with tag("fieldset", classes="options"):
                tag("legend", "How")
                for name in (_EVENT, _PATCH):
                    self._way(name)
            if self._by_patch:
                hint = 'The whole event is the document, so places begin with "/data".'
                self._editor("The JSON Patch", hint, self._patch, self._keep_patch)
                if len(self._event) <= LONGEST:
                    with tag("details", classes="form"):
                        tag("summary", "The event")
                        document(self._event, "The event")
            else:
                hint = "What you leave as ***, a personal field that is masked, stays as it is."
                self._editor("The event", hint, self._event, self._keep_event)
            with tag("div", classes="acts-row"):
                button("Dry run", self._try, "main")
                button("Show personal fields …", self._reveal)
                link("Back to the dead letter", f"/{self._path}", "button plain")

    def _way(self, name: str) -> None:
        with tag("label"):
            made = tag("input", type="radio", name="how", value=name)
            made.props["checked"] = self._by_patch is (name == _PATCH)
            if name == _EVENT and len(self._event) > LONGEST:
                made.props["disabled"] = True
            made.on("change", lambda: self._turn(by_patch=name == _PATCH))
            tag("span", name)

    def _editor(self, label: str, hint: str, text: str, keep: Any) -> Element:
        def kept(typed: str) -> None:
            field.props["value"] = typed  # or the next change of the page puts the old text back
            field.update()
            keep(typed)

        with tag("div", classes="labelled") as made:
            rows = min(30, max(6, text.count("\n") + 2))
            field = tag("textarea", classes="field mono", rows=rows, spellcheck="false", autocomplete="off", value=text)
            told = tag("span", hint, "quiet")
            field.props["aria-describedby"] = told.html_id
            tag("label", label, **{"for": field.html_id}).move(target_index=0)
            field.on("change", lambda typed: kept(str(typed.args)), js_handler="(typed) => emit(typed.target.value)")
        return made

    def _keep_event(self, text: str) -> None:
        self._event = text

    def _keep_patch(self, text: str) -> None:
        self._patch = text

    def _turn(self, *, by_patch: bool) -> None:
        """Go on in the other way, with what was written in this one as a patch."""
        if by_patch and (made := self._read()) is not None:
            self._patch = json.dumps(made, indent=2, ensure_ascii=False)
        self._by_patch = by_patch
        self._draw()

    def _read(self) -> Any:
        """Return the patch that was written, or that makes what was written; say what is wrong and return None."""
        text = self._patch if self._by_patch else self._event
        try:
            found = jsontext.loads(text.encode())
        except Refused as error:
            said = (part for one in error.problems for part in (one.message, one.hint) if part)
            self._warn(". ".join(("What you wrote cannot be read", *(part[:1].upper() + part[1:] for part in said))))
            return None
        return found if self._by_patch else [*between(self._before, found)]

    def _warn(self, text: str) -> None:
        """Say it where the result stands, until the next try."""
        self._result.clear()
        with self._result:
            tag("p", f"{text}.", "lead", role="alert")

    async def _try(self) -> None:
        patch = self._read()
        if patch is None:
            return
        if not patch:
            self._warn("Nothing is changed yet")
            return
        told, refused = dict[str, Any](), None
        try:
            told = await self._visit.api.send("POST", f"{self._path}/edit", {"patch": patch, "dry_run": True})
        except Refusal as refusal:
            refused = refusal
        self._result.clear()
        with self._result:
            if refused is not None:
                tag("p", str(refused), "lead", role="alert")
                for one in refused.document.get("problems", []):
                    show_fault(one)
                return
            self._tried = patch
            self._tell(told)

    def _tell(self, told: dict[str, Any]) -> None:
        routes = ", ".join(one["route"] for one in told["requests"])
        facts(
            [
                ("Outcome", lambda: badge(told["outcome"])), ("Routes that take it", routes or "none"),
                ("By revision", told["revision"][:12]),
            ]
        )  # fmt: skip
        for one in told["problems"]:
            show_fault(one)
        tag("h3", "What changes")
        show_changes(told["changes"], "What changes")
        for one in told["requests"]:
            with tag("details", classes="form", open=True):
                tag("summary", f"{one['route']}: {one.get('method', '')} {one.get('url', '')}")
                document(one.get("body", ""), f"Body for {one['route']}")
        if told["canonical"]:
            with tag("details", classes="form"):
                tag("summary", "Canonical")
                document(told["canonical"], "Canonical")
        with tag("details", classes="form"):
            tag("summary", "The patch")
            document(self._tried, "The patch")
        with tag("div", classes="acts-row"):
            button("Send it …", self._send, "main")
            if self._shown.get("problem"):
                button("Apply the same to all alike …", self._alike)

    def _is_tried(self) -> bool:
        if (patch := self._read()) is not None and jsontext.dumps(patch) == jsontext.dumps(self._tried):
            return True
        self._visit.say("You have changed it since the dry run. Try it dry again.", "negative")
        return False

    async def _send(self) -> None:
        if not self._is_tried():
            return
        route = self._shown["route"]
        where = f"to {route}, under the key of its original" if route else "through the process step"
        lines = [f"1 event is sent again as you changed it, {where}. What was stored stays as it was."]
        why = Field("why", "Reason", required=True)
        if (given := await ask("Edit and replay", lines, [why], act="Send 1")) is None:
            return
        body = {"patch": self._tried, "why": given["why"]}
        done = await self._visit.act(self._visit.api.send("POST", f"{self._path}/edit", body))
        if done is not None:
            self._say(done)

    def _say(self, done: dict[str, Any]) -> None:
        self._place.clear()
        self._result.clear()
        sent = done["outcome"] == "sent"
        with self._place, tag("div", classes=f"banner {'good' if sent else 'warn'}", role="status"):
            tag("strong", f"Sent as edit {done['edit']}." if sent else f"Not sent: {done['reason']}.")
            link("What comes of it", f"/{self._path}")

    async def _alike(self) -> None:
        if self._is_tried():
            await make_plan(self._visit, {"problem": self._shown["problem"], "patch": self._tried}, _OTHERS)

    async def _reveal(self) -> None:
        lines = ["What you look at, and why, is kept in the audit log. What you have changed so far is lost."]
        why = await ask("Show personal fields", lines, [Field("why", "Reason", required=True)], act="Show")
        if why is not None:
            await self._visit.act(self.load(why["why"]))


async def edit(visit: Visit) -> None:
    """Build the page."""
    shown = await visit.api.get(f"dead-letters/{quote(visit.path['letter'], safe='')}")
    tag("p", f"{words(shown['reason'])}: {shown['detail']}", "lead")
    if shown["state"] != "open" or shown.get("gone"):
        state = "past its retention" if shown.get("gone") else shown["state"]
        empty(f"{shown['id']} is {state}; only an open dead letter is edited.")
        return
    await _Edit(visit, shown).load()
