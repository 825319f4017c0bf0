"""The start page: drop images, see the score, why, and what it was measured from."""

import streamlit as st

from core.db.settings import get_app_settings
from pages.ui import errors, guard, inputs, results, rounds, several, work
from pages.ui.workspace import open_entry, workspace

user = guard.require_user()
db = guard.database()
space = workspace(user)
warming = work.warm_up(db)

with errors.shown():
    settings = get_app_settings(db)
uploads = inputs.uploads(user, settings.upload_limit_mb)
options = inputs.options()
inputs.say_where(settings.remote_url)
waiting = st.empty()

rounds.start_new(space, uploads, options, user, db)
rounds.collect(space, user, db)
wanted = st.query_params.get("entry")
if wanted and not rounds.running(space) and (space.opened is None or space.opened.entry_id != wanted):
    with errors.shown(stop=False):
        space.opened = open_entry(db, user, wanted)
        space.rows = []

problem, hint, table = st.empty(), st.empty(), st.container()
# While another image is analysed its result is not there yet, and the former one must not be taken for it.
result = st.empty() if rounds.replaces(space) else st.container()
if rounds.replaces(space) and len(space.rows) == 1:
    rounds.wait(space, waiting, warming)
    rounds.collect(space, user, db)
    result = result.container()
if len(space.rows) == 1:
    rounds.show_problem(space, problem, options, user, db)
elif space.rows:
    with table:
        several.show(space, user)
elif space.opened is None:
    hint.caption(inputs.invitation(user))
if space.opened is not None and not rounds.replaces(space):
    with result:
        results.show(space.opened, space, options, user)

if rounds.running(space):
    rounds.wait(space, waiting, warming)
    st.rerun()
