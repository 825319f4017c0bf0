"""Times on the screen: those of the reader's clock."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st


def local(time: datetime | None) -> str:
    """ "21 Nov 2026, 20:49" in the browser's time zone; empty for None."""
    if time is None:
        return ""
    aware = time if time.tzinfo else time.replace(tzinfo=UTC)
    here = aware.astimezone(_zone())
    return f"{here.day} {here:%b %Y, %H:%M}"


def _zone() -> tzinfo:
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return UTC
