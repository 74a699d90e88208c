"""Commands about people and alarms: tokens, users, the journal, the horn and the notices."""

# Imports inside the functions keep `jinma --help` and the small commands quick.
# ruff: noqa: PLC0415

from __future__ import annotations

from typing import Annotated

import typer

from cli.failures import reported
from cli.options import Api, DataDir, FirstStation, Journal, Json

journal_commands = typer.Typer(no_args_is_help=True, help="The alarm journal.")
alarm_commands = typer.Typer(no_args_is_help=True, help="Alarms: horn and notices.")
user_commands = typer.Typer(no_args_is_help=True, help="Users with passwords.")
token_commands = typer.Typer(no_args_is_help=True, help="Tokens of machines and people.")


@token_commands.command("create", epilog="Example: jinma token create wall-screen --role viewer --expires 365d")
@reported
def token_create(
    name: Annotated[str, typer.Argument(help="Who or what will use it; stands in the journal.")],
    role: Annotated[str, typer.Option(help="viewer, operator, engineer or admin.")] = "viewer",
    expires: Annotated[str | None, typer.Option(help="Dies after this long, e.g. 90d; default never.")] = None,
    journal: Journal = None,
    data_dir: DataDir = None,
    json: Json = False,
) -> None:
    """Make a token and print it, this once."""
    from cli.tokens import create

    create(name, role, expires, journal=journal, data_dir=data_dir, as_json=json)


@token_commands.command("list", epilog="Example: jinma token list --json")
@reported
def token_list(journal: Journal = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Show the tokens: never the secrets."""
    from cli.tokens import show

    show(journal=journal, data_dir=data_dir, as_json=json)


@token_commands.command("revoke", epilog="Example: jinma token revoke jm12ab34cd")
@reported
def token_revoke(
    prefix: Annotated[str, typer.Argument(help="The part before the dot.")],
    journal: Journal = None,
    data_dir: DataDir = None,
) -> None:
    """Revoke a token: it opens nothing any more, and its streams close within 5 s."""
    from cli.tokens import revoke

    revoke(prefix, journal=journal, data_dir=data_dir)


@journal_commands.command("verify", epilog="Example: jinma journal verify --data-dir data")
@reported
def journal_verify(journal: Journal = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Walk the chain of hashes: 0 where every row is as it was written, 1 naming the first that is not."""
    from cli.journal import verify

    raise typer.Exit(verify(journal=journal, data_dir=data_dir, as_json=json))


@alarm_commands.command("test", epilog="Example: jinma alarms test --api http://127.0.0.1:8000")
@reported
def alarms_test(api: Api = None, station: FirstStation = None, json: Json = False) -> None:
    """Sound the horn of every console, and send a test notice to every target."""
    from cli.alarms import test_notices

    raise typer.Exit(test_notices(api=api, station=station, as_json=json))


Name = Annotated[str, typer.Argument(help="Name of the user.")]
Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from stdin instead of asking.")]


@user_commands.command("add", epilog="Example: jinma user add li.wei --role operator")
@reported
def user_add(
    name: Name,
    role: Annotated[str, typer.Option(help="viewer, operator, engineer or admin.")],
    password_stdin: Stdin = False,
    journal: Journal = None,
    data_dir: DataDir = None,
) -> None:
    """Make a user; the password is asked for, at least 12 characters."""
    from cli.users import add

    add(name, role, from_stdin=password_stdin, journal=journal, data_dir=data_dir)


@user_commands.command("list", epilog="Example: jinma user list --json")
@reported
def user_list(journal: Journal = None, data_dir: DataDir = None, json: Json = False) -> None:
    """Show the users: never a password."""
    from cli.users import show

    show(journal=journal, data_dir=data_dir, as_json=json)


@user_commands.command("password", epilog="Example: jinma user password li.wei")
@reported
def user_password(name: Name, password_stdin: Stdin = False, journal: Journal = None, data_dir: DataDir = None) -> None:
    """Give a user another password; open sessions end within 5 s."""
    from cli.users import set_password

    set_password(name, from_stdin=password_stdin, journal=journal, data_dir=data_dir)


@user_commands.command("role", epilog="Example: jinma user role li.wei --role engineer")
@reported
def user_role(
    name: Name,
    role: Annotated[str, typer.Option(help="viewer, operator, engineer or admin.")],
    journal: Journal = None,
    data_dir: DataDir = None,
) -> None:
    """Give a user another role."""
    from cli.users import change

    change(name, role=role, journal=journal, data_dir=data_dir)


@user_commands.command("disable", epilog="Example: jinma user disable li.wei")
@reported
def user_disable(name: Name, journal: Journal = None, data_dir: DataDir = None) -> None:
    """Shut a user out; sessions and streams close within 5 s."""
    from cli.users import change

    change(name, disabled=True, journal=journal, data_dir=data_dir)


@user_commands.command("enable", epilog="Example: jinma user enable li.wei")
@reported
def user_enable(name: Name, journal: Journal = None, data_dir: DataDir = None) -> None:
    """Let a user in again."""
    from cli.users import change

    change(name, disabled=False, journal=journal, data_dir=data_dir)


@user_commands.command("remove", epilog="Example: jinma user remove li.wei")
@reported
def user_remove(name: Name, journal: Journal = None, data_dir: DataDir = None) -> None:
    """Delete a user; what they did stays in journal and audit."""
    from cli.users import remove

    remove(name, journal=journal, data_dir=data_dir)
