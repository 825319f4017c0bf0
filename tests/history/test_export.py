"""History and audit log as CSV."""

import csv
import io
from collections.abc import Callable

from core import history
from core.db import Database, User, audit
from core.types import Result


def test_exports_what_the_table_shows(database: Database, anna: User, make_result: Callable[..., Result]) -> None:
    saved = history.save(database, anna, make_result(name="=cmd|' /C calc'!A0"), b"upload")
    assert saved is not None
    row = history.record_own_score(database, anna, saved.entry_id, "3+", "+1, größer")
    text = history.export_csv(history.list_entries(database, anna))
    assert text.encode().startswith(b"\xef\xbb\xbf")
    (cells,) = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    assert cells == {
        "date (UTC)": f"{row.created:%Y-%m-%d %H:%M:%S}",
        "name": "'=cmd|' /C calc'!A0",
        "marker": "HER2",
        "score": "2+",
        "confidence": "0.7000",
        "own score": "3+",
        "disagrees": "yes",
        "comment": "'+1, größer",
        "stain": "IHC",
        "stain source": "real",
        "tiles": "1",
        "warnings": "blurred",
        "width": "64",
        "height": "48",
        "image SHA-256": "0" * 64,
        "id": saved.entry_id,
    }


def test_exports_the_audit_log(database: Database, anna: User) -> None:
    text = history.audit_csv(audit.list_audit(database, anna))
    assert text.splitlines()[0] == "\ufeffdate (UTC),user,action,detail,address"
    assert text.splitlines()[1].endswith(",Anna,first administrator created,,")
