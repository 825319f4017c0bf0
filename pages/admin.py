"""For administrators: users, settings, weights, trainings, storage, audit log, health."""

import streamlit as st

from core.labels import Role
from pages.ui import admin_audit, admin_health, admin_jobs, admin_settings, admin_users, admin_weights, guard

user = guard.require_role(Role.ADMIN)
db = guard.database()

st.title("Admin")
names = ["Users", "Settings", "Weights", "Trainings", "Storage", "Audit log", "Health"]
parts = [
    admin_users.show,
    admin_settings.show,
    admin_weights.show,
    admin_jobs.show,
    admin_health.show_storage,
    admin_audit.show,
    admin_health.show,
]
for tab, part in zip(st.tabs(names, key="admin_tab", on_change="rerun"), parts, strict=True):
    if tab.open:
        with tab:
            part(db, user)
