"""Single keys that answer a question: an own component that shows nothing and listens to the keyboard."""

from collections.abc import Callable, Mapping
from functools import cache

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

# Letters are caught before Streamlit's own (R runs the page again); arrow keys are left to a group of choices that has
# the focus, and everything to a field that somebody types in.
SCRIPT = """
const listening = new WeakMap()

export default function ({ data, parentElement, setTriggerValue }) {
  const stop = () => window.removeEventListener("keydown", listening.get(parentElement), true)
  stop()
  const listen = event => {
    const value = data?.keys?.[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    const at = event.composedPath()[0]
    const typed = at?.matches?.("input:not([type=radio]):not([type=checkbox]), textarea, select, [contenteditable]")
    const choosing = event.key.startsWith("Arrow") && at?.closest?.("[role=radiogroup], [role=tablist], [role=slider]")
    if (!value || typed || choosing || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return
    if (document.querySelector("[role=dialog]")) return
    event.preventDefault()
    event.stopImmediatePropagation()
    setTriggerValue("pressed", { item: data.item, value })
  }
  listening.set(parentElement, listen)
  window.addEventListener("keydown", listen, true)
  return stop
}
"""


@cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("ihc_keys", js=SCRIPT)


def listen(keys: Mapping[str, str], *, key: str, item: str, pressed: Callable[[str, str], None]) -> None:
    """Listen until the page shows something else.

    Args:
        keys: what each key stands for, by its name in the browser ("r", "ArrowLeft"); letters in lower case.
        item: what is asked about now; a key that was pressed twice says the same item twice.
        pressed: called with item and value before the page runs again.
    """

    def changed() -> None:
        found = st.session_state[key].get("pressed")
        if isinstance(found, dict) and found.get("value") in keys.values():
            pressed(str(found.get("item", "")), str(found["value"]))

    _component()(data={"keys": dict(keys), "item": item}, key=key, height=1, on_pressed_change=changed)
