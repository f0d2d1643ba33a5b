"""Problems of content and of events: what is wrong, where, and by which rule."""

from collections.abc import Mapping
from typing import Any

from console.pages.parts.basics import tag, words


def show_fault(one: Mapping[str, Any]) -> None:
    """Show a problem as the API tells it, with the line of the content that it failed by."""
    with tag("div", classes="banner bad"):
        tag("strong", words(one.get("code", "")))
        if one.get("pointer"):
            tag("span", one["pointer"], "mono")
        tag("span", one.get("message", ""), "banner-line")
        if one.get("hint"):
            tag("span", one["hint"], "banner-line quiet")
        show_rule(one)


def show_rule(one: Mapping[str, Any]) -> None:
    """Show where a rule stands, and the line that stands there."""
    if not one.get("file"):
        return
    with tag("p", classes="rule banner-line"):
        tag("span", ":".join(str(one[name]) for name in ("file", "line", "column") if one.get(name)), "mono")
        if one.get("text"):
            tag("code", one["text"].strip(), "mono")
