"""Where on the Training page somebody is: the tab, the open run; a reload of the address finds both again."""

import streamlit as st

NEW, RUNS, DATA = "New run", "Runs", "Data sets"
TAB, LAST, NEXT = "training_tab", "training_last_tab", "training_next_tab"
OPEN, COMPARED = "training_open_run", "training_compared"


def restore() -> None:
    """Choose the tab before the tabs are drawn: where a button led, what the address says, or as it was left."""
    state = st.session_state
    asked = st.query_params.get("run")
    if TAB not in state and asked:
        state[OPEN], state[LAST] = asked, RUNS
    following = state.pop(NEXT, None) or (state.get(LAST) if TAB not in state else None)
    if following:
        state[TAB] = following
    state[LAST] = state.get(TAB, NEW)
    opened = state.get(OPEN) if state[LAST] == RUNS else None
    if opened:
        st.query_params["run"] = opened
    elif asked:
        del st.query_params["run"]


def opened() -> str | None:
    """Identifier of the run on the screen."""
    run_id: str | None = st.session_state.get(OPEN)
    return run_id


def compared() -> list[str]:
    """Identifiers of the runs that are shown beside each other."""
    return list(st.session_state.get(COMPARED, ()))


def open_run(run_id: str) -> None:
    """Show one run from the next run of the page on."""
    st.session_state[OPEN], st.session_state[NEXT], st.session_state[COMPARED] = run_id, RUNS, []


def open_runs(run_ids: list[str]) -> None:
    """Show runs beside each other."""
    st.session_state[OPEN], st.session_state[NEXT], st.session_state[COMPARED] = None, RUNS, run_ids


def go(tab: str) -> None:
    """Show another tab from the next run of the page on."""
    st.session_state[NEXT] = tab
