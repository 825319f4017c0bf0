"""The fixed codes that an `/auth/...` route puts behind `/?error=`, and their sentences for the sign-in page."""

SENTENCES = {
    "wrong": "The name or the password is wrong.",
    "setup-code": "Enter the one-time code that the server printed in its terminal at start; "
    "it is needed because this browser runs on another machine.",
    "setup-done": "An administrator exists already. Sign in, or ask the administrator for an account.",
    "weak-password": "Choose a longer password: at least 10 characters, not the user name.",
    "bad-name": "Choose a user name of 1 to 64 visible characters.",
    "taken": "This user name is taken. Choose another.",
    "ticket": "The sign-in took too long or was used already. Please sign in again.",
    "guest-off": "Guests are not allowed here. Sign in with your account.",
    "cross-site": "The request came from another web site and was refused. Please sign in on this page.",
    "storage": "The database could not be written. Nothing was changed; ask the administrator to check the disk.",
    "form": "Enter both the user name and the password.",
}

WAIT = "wait-"


def describe(code: str) -> str | None:
    """Return the sentence for a code, or None for a code that no route sends (a made-up address shows nothing)."""
    if code.startswith(WAIT) and code.removeprefix(WAIT).isdecimal():
        seconds = min(int(code.removeprefix(WAIT)[:6]), 86_400)
        return f"Too many wrong attempts. Please wait {seconds} s before the next one."
    return SENTENCES.get(code)
