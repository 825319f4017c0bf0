"""One-time tickets carry a session token once, for a short time."""

from datetime import UTC, datetime, timedelta

import pytest

from core.auth.tickets import issue_ticket, redeem_ticket
from core.db import Database
from core.errors import AuthenticationError

TOKEN = "nqv0X0c3L4xJ3n1bJ7m2oZ1p9rT5yU8wA6sD4fG2hK0"


def test_a_ticket_gives_its_token_once(database: Database) -> None:
    ticket = issue_ticket(database, TOKEN)
    assert redeem_ticket(database, ticket) == TOKEN
    with pytest.raises(AuthenticationError, match="sign in again"):
        redeem_ticket(database, ticket)


def test_a_ticket_expires(database: Database) -> None:
    ticket = issue_ticket(database, TOKEN)
    with pytest.raises(AuthenticationError):
        redeem_ticket(database, ticket, now=datetime.now(UTC) + timedelta(seconds=31))


@pytest.mark.parametrize("ticket", ["", "made up", "\x00", "ü" * 500])
def test_a_made_up_ticket_is_refused(database: Database, ticket: str) -> None:
    with pytest.raises(AuthenticationError):
        redeem_ticket(database, ticket)


def test_two_tickets_do_not_get_in_each_others_way(database: Database) -> None:
    first, second = issue_ticket(database, TOKEN), issue_ticket(database, TOKEN[::-1])
    assert redeem_ticket(database, second) == TOKEN[::-1]
    assert redeem_ticket(database, first) == TOKEN
