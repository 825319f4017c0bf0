"""Failures of the database in words: what happened, what it means, what to do."""


def describe_failure(label: str, cause: str) -> str:
    """Say what happened, what it means and what to do, from the driver's own words."""
    lowered = cause.lower()
    if "locked" in lowered or "lock timeout" in lowered or "limit of size" in lowered:
        return (
            f"The database {label} is locked by another program. Nothing was changed. "
            "Try again in a moment; if it stays so, close other programs that use the file."
        )
    if "is full" in lowered or "no space left" in lowered or "i/o error" in lowered:
        return (
            f"The database {label} could not be written: the disk is full or does not answer. "
            "What was saved before is untouched. Free some space and try again."
        )
    if "malformed" in lowered or "not a database" in lowered:
        return (
            f"The database {label} is damaged. Restore it from a backup, "
            "or move the file away to start with an empty one."
        )
    if "readonly" in lowered or "read-only" in lowered or "unable to open" in lowered or "permission" in lowered:
        return f"The database {label} cannot be opened for writing. Check DATA_DIR and the permissions of its folder."
    if "no such" in lowered or "does not exist" in lowered:
        return (
            f"The database {label} does not have the tables that this version expects. "
            "Restore it from a backup, or move it away to start with an empty one."
        )
    return f"The database {label} cannot be reached. Check that it runs and that DATABASE_URL is right."
