"""Requests from this machine, from a page of this site and from elsewhere."""

import pytest

from core.auth.origin import client_address, is_same_site, is_this_machine

HOST = {"Host": "localhost:8501"}


@pytest.mark.parametrize("address", [None, "127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_a_loopback_client_is_at_this_machine(address: str | None) -> None:
    assert is_this_machine(address, HOST)


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("192.168.1.20", HOST),
        ("::ffff:192.168.1.20", HOST),
        ("127.0.0.1", HOST | {"X-Forwarded-For": "203.0.113.7"}),
        ("127.0.0.1", HOST | {"Forwarded": "for=203.0.113.7"}),
        ("127.0.0.1", {"host": "rebound.example:8501"}),
        ("testclient", HOST),
        ("127.0.0.1", {}),
    ],
)
def test_others_are_not(address: str, headers: dict[str, str]) -> None:
    assert not is_this_machine(address, headers)


def test_the_bracketed_loopback_name_counts() -> None:
    assert is_this_machine("::1", {"Host": "[::1]:8501"})


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8501"}, False),
        ({"Origin": "http://localhost:8501"}, True),
        ({"Origin": "http://localhost:9999"}, False),
        ({"Origin": "null"}, False),
        ({"Referer": "http://localhost:8501/history"}, True),
        ({"Referer": "https://elsewhere.example/"}, False),
        ({}, True),
    ],
)
def test_a_post_from_another_site_is_recognised(headers: dict[str, str], expected: bool) -> None:
    assert is_same_site(HOST | headers) is expected


def test_a_get_that_changes_something_must_show_where_it_comes_from() -> None:
    assert not is_same_site(HOST, browser_only=True)


def test_the_outer_name_behind_a_proxy_counts() -> None:
    headers = {
        "Host": "10.0.0.5:8501",
        "X-Forwarded-Host": "ihc.hospital.example",
        "Origin": "https://ihc.hospital.example",
    }
    assert is_same_site(headers)


@pytest.mark.parametrize(
    ("address", "headers", "counted"),
    [
        (None, HOST, "127.0.0.1"),
        ("192.168.1.20", HOST, "192.168.1.20"),
        ("127.0.0.1", HOST | {"X-Forwarded-For": "203.0.113.7"}, ""),
    ],
)
def test_the_address_that_counts_attempts(address: str | None, headers: dict[str, str], counted: str) -> None:
    assert client_address(address, headers) == counted
