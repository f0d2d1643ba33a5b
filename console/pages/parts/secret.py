"""A secret that was just made: shown once, to be copied, and forgotten with its dialog."""

from collections.abc import Sequence

from nicegui import ui

from console.pages.parts.basics import button, tag

# Without https there is no navigator.clipboard (Secure Contexts, W3C), so the text is selected and copied as by hand.
COPY = """(pressed) => {
  const button = pressed.currentTarget, secret = button.closest(".dialog").querySelector(".copied");
  const range = document.createRange();
  range.selectNodeContents(secret);
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  const said = (done) => { button.textContent = done ? "Copied" : "Selected: press Ctrl+C"; };
  const byHand = () => said(document.execCommand("copy"));
  navigator.clipboard ? navigator.clipboard.writeText(secret.textContent).then(() => said(true), byHand) : byHand();
}"""


async def show_secret(title: str, secret: str, lines: Sequence[str]) -> None:
    """Show a secret until the person says that it is kept; a click beside the dialog does not close it."""
    with ui.context.client.content:
        dialog = ui.dialog().props("persistent")
    with dialog, tag("div", classes="dialog", role="document"):
        heading = tag("h2", title)
        dialog.props["aria-labelledby"] = heading.html_id
        for line in lines:
            tag("p", line)
        tag("pre", secret, "code-block copied secret", tabindex=0, role="region", aria_label=title)
        with tag("div", classes="dialog-acts"):
            tag("button", "Copy", "button", type="button", aria_live="polite").on("click", js_handler=COPY)
            button("I have kept it", dialog.close, "main")
    await dialog
    if not dialog.is_deleted:
        dialog.delete()
