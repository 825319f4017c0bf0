"""The password of everybody in the page tests."""

PASSWORD = "a long enough password"
