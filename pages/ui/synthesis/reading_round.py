"""One image after the other, answered with buttons or keys; the same for stored tests and for a round in the session.

round_ = reading_round.in_session(Question.ORIGIN, items, key="tour")       # stores nothing
if round_.finished:
    reading_round.own_result(round_, key="tour")
"""

import time
from collections.abc import Callable, Sequence

import streamlit as st

from core.reading.round import Answer, Item, Question, Round
from pages.ui import errors, keys

SURE = {1: "a guess", 2: "fairly", 3: "sure"}
TILE_WIDTH_PX, WHOLE_WIDTH_PX = 384, 520
TITLES = {"real": "Real", "synthetic": "Synthetic"}
KEYS = {
    Question.ORIGIN: {"r": "real", "s": "synthetic", "ArrowLeft": "real", "ArrowRight": "synthetic"},
    Question.PR: {"n": "PR-", "p": "PR+", "ArrowLeft": "PR-", "ArrowRight": "PR+"},
    Question.HER2: {"0": "0", "1": "1+", "2": "2+", "3": "3+"},
}
HINTS = {
    Question.ORIGIN: "Keys: R for real, S for synthetic, or the arrows left and right",
    Question.PR: "Keys: N for PR-, P for PR+, or the arrows left and right",
    Question.HER2: "Keys: 0 to 3",
}
ASKED = {
    Question.ORIGIN: "Is this tissue real, or was the image made by a generator?",
    Question.HER2: "Which HER2 score has this image?",
    Question.PR: "Is this image PR positive or negative?",
}


def show(
    round_: Round,
    *,
    key: str,
    picture: Callable[[Item], bytes],
    answer: Callable[[Answer], None],
    take_back: Callable[[], None],
) -> None:
    """Show the next image with its buttons; nothing where every image has its answer.

    Args:
        picture: gives the image of an item.
        answer: stores an answer; may raise an AppError.
        take_back: takes the last answer back; may raise an AppError.
    """
    item = round_.next
    if item is None:
        return
    done, total = len(round_.answers), len(round_.items)
    shown = st.session_state.setdefault(f"{key}-since", {})
    shown.setdefault(item.id, time.monotonic())
    st.progress(done / total, text=f"Image {done + 1} of {total}")
    with st.container(horizontal_alignment="center", key=f"{key}-reading"):
        width = TILE_WIDTH_PX if round_.question is Question.ORIGIN else WHOLE_WIDTH_PX
        with errors.shown():
            st.image(picture(item), width=width, alt=f"Image {done + 1} of {total}")
        st.markdown(ASKED[round_.question], text_alignment="center")
        with st.container(horizontal=True, horizontal_alignment="center", key=f"{key}-answers"):
            for value in round_.question.answers:
                st.button(
                    TITLES.get(value, value),
                    key=f"{key}-{value}",
                    type="primary",
                    on_click=_give,
                    args=(item.id, value, key, answer),
                )
        st.caption(HINTS[round_.question], text_alignment="center")
        st.segmented_control(
            "How sure are you? Choose before you answer, or leave it out.",
            list(SURE),
            format_func=SURE.__getitem__,
            key=_sure_key(key, item.id),
        )
        if round_.answers:
            st.button(
                "Take back the last answer",
                icon=":material/undo:",
                type="tertiary",
                key=f"{key}-back",
                on_click=_take_back,
                args=(take_back,),
            )
        keys.listen(
            KEYS[round_.question],
            key=f"{key}-keys",
            item=item.id,
            pressed=lambda item_id, value: _give(item_id, value, key, answer),
        )


def in_session(question: Question, items: Sequence[Item], *, key: str) -> Round:
    """Show a round that lives in this browser tab alone, and return how far it is.

    Args:
        items: with their pictures and truths, in the order in which they are shown; the first call's count.
    """
    state = f"{key}-round"
    if state not in st.session_state:
        st.session_state[state] = Round(question, tuple(items))
    round_: Round = st.session_state[state]

    def answer(given: Answer) -> None:
        now: Round = st.session_state[state]
        st.session_state[state] = now.answer(
            given.item_id, given.value, confidence=given.confidence, seconds=given.seconds
        )

    def take_back() -> None:
        st.session_state[state] = st.session_state[state].take_back()

    show(round_, key=key, picture=lambda item: item.picture, answer=answer, take_back=take_back)
    return round_


def restart(key: str) -> None:
    """Forget a round of this browser tab."""
    for name in (f"{key}-round", f"{key}-since"):
        st.session_state.pop(name, None)


def _give(item_id: str, value: str, key: str, answer: Callable[[Answer], None]) -> None:
    since = st.session_state.get(f"{key}-since", {}).get(item_id)
    seconds = time.monotonic() - since if since is not None else 0.0
    sure = st.session_state.get(_sure_key(key, item_id))
    with errors.shown(stop=False):
        answer(Answer(item_id, value, sure, seconds))


def _take_back(take_back: Callable[[], None]) -> None:
    with errors.shown(stop=False):
        take_back()


def _sure_key(key: str, item_id: str) -> str:
    return f"{key}-sure-{item_id}"
