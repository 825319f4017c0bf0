"""The current time, and days as spans of it."""

from datetime import UTC, date, datetime, time, timedelta


def utc_now() -> datetime:
    """Return the current time, aware and UTC."""
    return datetime.now(UTC)


def start_of(day: date) -> datetime:
    """Return the first moment of a UTC day."""
    return datetime.combine(day, time.min, tzinfo=UTC)


def end_of(day: date) -> datetime:
    """Return the first moment after a UTC day."""
    return start_of(min(day, date.max - timedelta(days=1)) + timedelta(days=1))  # the last day has no next
