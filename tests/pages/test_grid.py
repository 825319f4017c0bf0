"""A grid of pictures: what is marked before anybody touches it, and after it was forgotten."""

import io

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.ui import grid


def picture() -> bytes:
    """A small white PNG."""
    packed = io.BytesIO()
    Image.fromarray(np.full((8, 8, 3), 255, np.uint8)).save(packed, "PNG")
    return packed.getvalue()


def page(data: bytes) -> None:
    """Three cells: marked, unmarked, and one without a star."""
    import streamlit as st

    from pages.ui import grid

    cells = [grid.Cell("a", data, marked=True), grid.Cell("b", data, marked=False), grid.Cell("c", data)]
    touched = grid.show(cells, key="some")
    st.text(f"{touched.opened} {sorted(touched.marked)}")


def test_the_cells_own_marks_count_until_somebody_touches_them():
    app = AppTest.from_function(page, kwargs={"data": picture()}).run()
    assert app.text[0].value == "None ['a']"


def test_what_was_touched_counts_from_then_on():
    app = AppTest.from_function(page, kwargs={"data": picture()})
    app.session_state["some-stars"] = {"a": False, "b": True, "elsewhere": True}
    app.session_state["some-opened"] = "b"
    assert app.run().text[0].value == "b ['b']"


def test_a_picture_is_sent_with_its_own_type():
    assert grid._address(picture()).startswith("data:image/png;base64,")
    assert grid._address(b"\xff\xd8\xff\xe0").startswith("data:image/jpeg;")
