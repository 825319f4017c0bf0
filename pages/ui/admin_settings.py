"""What the administrator may change while the workbench runs."""

from dataclasses import replace

import streamlit as st

from core.db.engine import Database
from core.db.records import User
from core.db.settings import AppSettings, get_app_settings, save_app_settings
from pages.ui import errors

HERE, ELSEWHERE = "in this workbench", "on another workbench"


def show(db: Database, actor: User) -> None:
    """Guests, limits and originals on the left, where networks run on the right."""
    with errors.shown():
        settings = get_app_settings(db)
    left, right = st.columns(2, gap="large")
    with left:
        _limits(db, actor, settings)
    with right:
        _inference(db, actor, settings)


def _limits(db: Database, actor: User, settings: AppSettings) -> None:
    st.subheader("Access and storage")
    with st.form("limits"):
        guests = st.toggle("Guests may try the samples", settings.guest_mode, key="guest_mode")
        limit = st.number_input("Upload limit (MB)", 1, 500, min(500, settings.upload_limit_mb), key="upload_limit_mb")
        keep = st.toggle(
            "Keep uploaded images with the history",
            settings.keep_originals,
            key="keep_originals",
            help="Without it only the result and its pictures are kept; another explanation needs the image again.",
        )
        days = st.number_input(
            "Remove kept images after (days, 0 = never)", 0, 36500, settings.retention_days, key="retention_days"
        )
        sent = st.form_submit_button("Save", type="primary", icon=":material/save:", key="save_limits")
    if sent:
        _save(
            db,
            actor,
            replace(settings, guest_mode=guests, upload_limit_mb=limit, keep_originals=keep, retention_days=days),
        )


def _inference(db: Database, actor: User, settings: AppSettings) -> None:
    st.subheader("Where networks run")
    with st.form("inference"):
        where = st.radio("Inference", [HERE, ELSEWHERE], index=int(bool(settings.remote_url)), key="where")
        url = st.text_input(
            "Address of the other workbench",
            settings.remote_url,
            key="remote_url",
            placeholder="https://workbench.example:8501",
        )
        token = st.text_input(
            "Its API token",
            type="password",
            key="remote_token",
            placeholder="stored; leave empty to keep it" if settings.remote_token else "made on its Account page",
            autocomplete="off",
        )
        with st.container(horizontal=True):
            sent = st.form_submit_button("Save", type="primary", icon=":material/save:", key="save_inference")
            check = st.form_submit_button("Check", icon=":material/network_check:", key="check_remote")
    chosen = replace(
        settings,
        remote_url=(url or "").strip() if where == ELSEWHERE else "",
        remote_token=(token or settings.remote_token) if where == ELSEWHERE else "",
    )
    if check:
        _check((url or "").strip(), token or settings.remote_token)
    if sent:
        _save(db, actor, chosen)


def _check(url: str, token: str) -> None:
    from core.remote import RemoteWorkbench  # with its networks and pictures, only when asked for

    with errors.shown(stop=False), st.spinner("Asking the other workbench..."):
        health = RemoteWorkbench(url, token).health()
        usable = [name for name, sha256 in health.models.items() if sha256]
        st.success(
            f"Reached in {health.seconds:.1f} s: version {health.version}, {health.backend} on {health.device}, "
            f"models {', '.join(usable) or 'none'}.",
            icon=":material/check:",
        )


def _save(db: Database, actor: User, settings: AppSettings) -> None:
    with errors.shown(stop=False):
        save_app_settings(db, actor, settings)
        st.toast("Saved.", icon=":material/check:")
