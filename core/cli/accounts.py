"""`python -m core user ...` and `python -m core token ...`"""

import getpass
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.terminal import in_words
from core.errors import InvalidOptionError
from core.labels import Role

if TYPE_CHECKING:
    from core.db import Database, User

users = typer.Typer(help="Users: add, list, reset a password, disable.", no_args_is_help=True)
tokens = typer.Typer(help="API tokens: add, list, revoke.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name the user signs in with.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@users.command("add")
def add_user(
    name: Name,
    role: Annotated[Role, typer.Option(help="What the user may do.")] = Role.PATHOLOGIST,
    password_stdin: PasswordStdin = False,
) -> None:
    """Add a user."""
    from core import auth

    with in_words():
        db = _database()
        user = auth.add_user(db, auth.command_line_user(), name, _password(from_stdin=password_stdin), role)
    typer.echo(f"Added {user.name} as {user.role.value}.")


@users.command("list")
def list_users() -> None:
    """List all users."""
    from core import auth

    with in_words():
        found = auth.list_users(_database(), auth.command_line_user())
    if not found:
        typer.echo("There are no users yet. Add one with: python -m core user add NAME --role admin", err=True)
    width = max((len(user.name) for user in found), default=0)
    for user in found:
        state = "disabled" if user.disabled else "active"
        typer.echo(f"{user.name:<{width}}  {user.role.value:<11}  {state:<8}  since {user.created:%Y-%m-%d}")


@users.command("reset-password")
def reset_password(name: Name, password_stdin: PasswordStdin = False) -> None:
    """Give a user a new password; all sessions of that user end."""
    from core import auth

    with in_words():
        db = _database()
        user = _find(db, name)
        auth.reset_password(db, auth.command_line_user(), user.id, _password(from_stdin=password_stdin))
    typer.echo(f"{user.name} has a new password and is signed out everywhere.")


@users.command("disable")
def disable_user(name: Name) -> None:
    """Keep a user from signing in; the history stays."""
    _set_disabled(name, disabled=True)


@users.command("enable")
def enable_user(name: Name) -> None:
    """Let a disabled user sign in again."""
    _set_disabled(name, disabled=False)


@tokens.command("add")
def add_token(
    name: Name,
    label: Annotated[str, typer.Option(help="What the token is for.")] = "command line",
) -> None:
    """Make an API token for a user and print it once."""
    from core import auth

    with in_words():
        db = _database()
        token = auth.create_token(db, _find(db, name), label)
    typer.echo(token)
    typer.echo("Keep it now: it is stored hashed and cannot be shown again.", err=True)


@tokens.command("list")
def list_tokens(name: Name) -> None:
    """List the tokens of a user by number and label."""
    from core import auth

    with in_words():
        db = _database()
        found = auth.list_tokens(db, _find(db, name))
    for token in found:
        used = f"last used {token.last_used:%Y-%m-%d}" if token.last_used else "never used"
        typer.echo(f"{token.id:>4}  {token.label}  made {token.created:%Y-%m-%d}, {used}")


@tokens.command("revoke")
def revoke_token(
    name: Name, number: Annotated[int, typer.Argument(metavar="NUMBER", help="As shown by `token list`.")]
) -> None:
    """Revoke a token: requests that carry it are refused from now on."""
    from core import auth

    with in_words():
        db = _database()
        auth.revoke_token(db, _find(db, name), number)
    typer.echo(f"Token {number} of {name} is revoked.")


def _set_disabled(name: str, *, disabled: bool) -> None:
    from core import auth

    with in_words():
        db = _database()
        user = auth.set_disabled(db, auth.command_line_user(), _find(db, name).id, disabled)
    typer.echo(f"{user.name} is {'disabled' if disabled else 'enabled'}.")


def _database() -> "Database":
    from core.db import get_database

    return get_database()


def _find(db: "Database", name: str) -> "User":
    from core import auth

    return auth.find_user(db, auth.command_line_user(), name)


def _password(*, from_stdin: bool) -> str:
    """Read a password: the first line of standard input, or typed twice without showing it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InvalidOptionError("There is no terminal to type a password in. Pipe it and add --password-stdin.")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        raise InvalidOptionError("The two passwords differ. Nothing was changed; try again.")
    return first
