"""The cookie: who gets it, with which flags, and what comes back otherwise."""

import pytest
from httpx import Response
from starlette.testclient import TestClient

from core import auth
from core.auth.tickets import issue_ticket
from core.db import Database
from core.db.settings import AppSettings, save_app_settings
from tests.api.people import PASSWORD

SIGN_IN = {"name": "ada", "password": PASSWORD}
ABROAD = {"Origin": "https://elsewhere.example"}


def where(response: Response) -> str:
    assert response.status_code == 303
    return response.headers["location"]


def test_setting_up_signs_the_administrator_in(client: TestClient, database: Database) -> None:
    response = client.post("/auth/setup", data=SIGN_IN)
    assert where(response) == "/"
    cookie = response.headers["set-cookie"]
    assert all(flag in cookie for flag in ("HttpOnly", "SameSite=lax", "Path=/", f"Max-Age={7 * 86_400}"))
    assert "Secure" not in cookie
    user = auth.user_for_session(database, client.cookies["workbench_session"])
    assert user is not None
    assert (user.name, user.role) == ("ada", "admin")


def test_the_cookie_is_secure_where_the_setting_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.config import get_settings

    monkeypatch.setattr(get_settings(), "secure_cookie", True)
    assert "Secure" in client.post("/auth/setup", data=SIGN_IN).headers["set-cookie"]


def test_another_machine_needs_the_code_from_the_terminal(client: TestClient) -> None:
    proxied = {"X-Forwarded-For": "203.0.113.7"}
    assert where(client.post("/auth/setup", data=SIGN_IN, headers=proxied)) == "/?error=setup-code"
    with_code = SIGN_IN | {"code": auth.setup_code()}
    assert where(client.post("/auth/setup", data=with_code, headers=proxied)) == "/"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"name": "ada", "password": "short"}, "weak-password"),
        ({"name": "a\x00b", "password": PASSWORD}, "bad-name"),
        ({"name": "ada"}, "form"),
        ({}, "form"),
    ],
)
def test_setting_up_says_what_is_wrong(client: TestClient, fields: dict[str, str], code: str) -> None:
    assert where(client.post("/auth/setup", json=fields)) == f"/?error={code}"


def test_nobody_sets_up_twice(client: TestClient) -> None:
    client.post("/auth/setup", data=SIGN_IN)
    assert where(client.post("/auth/setup", data=SIGN_IN)) == "/?error=setup-done"


def test_a_form_and_json_sign_in(client: TestClient) -> None:
    client.post("/auth/setup", data=SIGN_IN)
    for sent in ({"data": SIGN_IN}, {"json": SIGN_IN}):
        client.cookies.clear()
        assert where(client.post("/auth/sign-in", **sent)) == "/"
        assert "workbench_session" in client.cookies


def test_a_wrong_password_and_then_waiting(client: TestClient) -> None:
    client.post("/auth/setup", data=SIGN_IN)
    wrong = SIGN_IN | {"password": "not this one"}
    places = [where(client.post("/auth/sign-in", data=wrong)) for _ in range(7)]
    assert places[0] == "/?error=wrong"
    assert places[-1].startswith("/?error=wait-")


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff\xfe", b'{"name": "\\ud800", "password": "x"}', b"x" * 100_000])
def test_a_damaged_form_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/auth/sign-in", content=body, headers={"Content-Type": "application/json"})
    assert where(answer) == "/?error=form"


@pytest.mark.parametrize("route", ["sign-in", "setup", "guest", "sign-out"])
def test_another_site_cannot_post(client: TestClient, route: str) -> None:
    assert where(client.post(f"/auth/{route}", data=SIGN_IN, headers=ABROAD)) == "/?error=cross-site"


@pytest.mark.parametrize("route", ["guest", "sign-out"])
def test_a_get_without_an_origin_changes_nothing(client: TestClient, route: str) -> None:
    client.post("/auth/setup", data=SIGN_IN)
    assert where(client.get(f"/auth/{route}")) == "/?error=cross-site"
    assert "workbench_session" in client.cookies


def test_signing_out_ends_the_session_on_the_server(client: TestClient, database: Database) -> None:
    client.post("/auth/setup", data=SIGN_IN)
    token = client.cookies["workbench_session"]
    assert client.get("/api/history").status_code == 200
    assert where(client.get("/auth/sign-out", headers={"Sec-Fetch-Site": "same-origin"})) == "/"
    assert "workbench_session" not in client.cookies
    assert auth.user_for_session(database, token) is None
    assert client.get("/api/history", headers={"Cookie": f"workbench_session={token}"}).status_code == 401


def test_a_new_sign_in_ends_the_browsers_former_session(client: TestClient, database: Database) -> None:
    client.post("/auth/setup", data=SIGN_IN)
    former = client.cookies["workbench_session"]
    client.post("/auth/sign-in", data=SIGN_IN)
    assert client.cookies["workbench_session"] != former
    assert auth.user_for_session(database, former) is None


def test_a_ticket_brings_the_cookie_once(client: TestClient, database: Database) -> None:
    client.post("/auth/setup", data=SIGN_IN)
    client.cookies.clear()
    ticket = issue_ticket(database, auth.sign_in(database, "ada", PASSWORD))
    assert where(client.get(f"/auth/accept?ticket={ticket}")) == "/"
    assert client.get("/api/history").status_code == 200
    assert where(client.get(f"/auth/accept?ticket={ticket}")) == "/?error=ticket"
    assert where(client.get("/auth/accept")) == "/?error=ticket"


def test_guests_come_in_only_where_they_may(client: TestClient, database: Database) -> None:
    assert where(client.post("/auth/guest")) == "/?error=guest-off"
    save_app_settings(database, auth.command_line_user(), AppSettings(guest_mode=True))
    assert where(client.post("/auth/guest")) == "/"
    assert client.get("/api/models").status_code == 200
    refused = client.get("/api/history")
    assert refused.status_code == 403
    assert refused.json()["detail"]
