"""The command line. Each command imports what it needs when it is called, so that `--help` answers at once."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from airouter import settings as environment
from airouter.running.errors import CannotStart
from airouter.settings import SettingsInvalid

Command = Callable[[argparse.Namespace], int]

EXAMPLES = """\
examples:
  airouter up                                  everything on this machine, for a look (`make run` does this)
  airouter migrate && airouter serve           production; the environment is explained in .env.example
  airouter operator create --email me@example.com
  airouter audit --json | jq .drift
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it did what it says, 1 when it refused, 2 for a wrong call."""
    asked = _parser().parse_args(arguments)
    command: Command = asked.command
    return refusing(lambda: command(asked))


def refusing(act: Callable[[], int]) -> int:
    """What `act` answers; refusals become a sentence on standard error and a 1."""
    try:
        return act()
    except (CannotStart, SettingsInvalid) as refusal:
        print(f"airouter: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="airouter",
        description="A gateway to AI models with prepaid quota and exact books.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(name: str, command: Command, what: str, examples: str = "") -> argparse.ArgumentParser:
        added = commands.add_parser(
            name,
            help=what,
            description=what[0].upper() + what[1:] + ".",
            epilog=f"examples:\n{examples}" if examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        added.set_defaults(command=command)
        return added

    up = add("up", _up, "start everything on this machine: Postgres, API and console",
             "  airouter up\n  AIROUTER_PORT=9000 airouter up\n  AIROUTER_DATABASE_URL=… airouter up\n")  # fmt: skip
    up.add_argument("--reload", action="store_true", help="restart on changed sources, with the console's own server")
    up.add_argument("--console", type=Path, metavar="DIR", help="the built console (default: frontend/dist)")

    serve = add(
        "serve", _serve, "serve the API without a console", "  airouter serve\n  AIROUTER_WORKERS=4 airouter serve\n"
    )
    serve.add_argument("--migrate", action="store_true", help="bring the database up to date first")

    console = add("console", _console, "serve the built console alone, for an API on another address",
                  "  AIROUTER_PUBLIC_URL=https://api.example.com airouter console\n")  # fmt: skip
    console.add_argument("--console", type=Path, metavar="DIR", help="the built console (default: frontend/dist)")

    add("migrate", _migrate, "bring the database up to date (as its owner)", "  airouter migrate\n")

    audit = add("audit", _audit, "recompute the books and compare; exit 1 when anything drifts",
                "  airouter audit\n  airouter audit --json\n  airouter audit --full\n")  # fmt: skip
    audit.add_argument("--json", action="store_true", help="one JSON object")
    audit.add_argument("--full", action="store_true", help="price every record anew and search for doubles, too")

    export = add(
        "export-openapi", _export_openapi, "write the OpenAPI documents", "  airouter export-openapi openapi\n"
    )
    export.add_argument("directory", type=Path, nargs="?", default=Path("openapi"))

    operator = commands.add_parser("operator", help="operators of this installation")
    operators = operator.add_subparsers(required=True, metavar="COMMAND")
    create = operators.add_parser(
        "create",
        help="print a one-time link that makes an operator",
        epilog="examples:\n  airouter operator create --email me@example.com\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    create.add_argument("--email", required=True)
    create.set_defaults(command=_operator_create)
    withdraw = operators.add_parser(
        "withdraw-second-factor",
        help="take away the second factor that somebody lost",
        epilog="examples:\n  airouter operator withdraw-second-factor --email me@example.com\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    withdraw.add_argument("--email", required=True)
    withdraw.set_defaults(command=_withdraw_second_factor)

    secrets = commands.add_parser("secrets", help="secret keys")
    generate = secrets.add_subparsers(required=True, metavar="COMMAND").add_parser(
        "generate",
        help="print a fresh value for AIROUTER_SECRET_KEYS",
        epilog="examples:\n  airouter secrets generate\n  airouter secrets generate --id k2   (goes before the old)\n",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    generate.add_argument("--id", default="k1", help="stored beside what the key encrypts (default: k1)")
    generate.set_defaults(command=_secrets_generate)

    wipe = add("wipe", _wipe, "delete all data below AIROUTER_HOME, after asking", "  airouter wipe\n")
    wipe.add_argument("--yes", action="store_true", help="do not ask")

    add("version", _version, "print the version")
    return parser


def _say(text: str) -> None:
    print(text, flush=True)


def _up(asked: argparse.Namespace) -> int:
    from airouter.running.serve import run
    from airouter.running.up import CONSOLE, Up

    up = Up(os.environ, _say, console=asked.console or CONSOLE, reloads=asked.reload)
    return run(up.run(), up.hurry)


def _serve(asked: argparse.Namespace) -> int:
    from airouter.running.serve import run, serve

    return run(serve(environment.load(), _say, migrates=asked.migrate))


def _console(asked: argparse.Namespace) -> int:
    from airouter.running.console_server import serve_console
    from airouter.running.up import CONSOLE

    serve_console(_lenient_settings(), asked.console or CONSOLE)
    return 0


def _migrate(_asked: argparse.Namespace) -> int:
    from airouter.running.migration import bring_up_to_date

    applied = asyncio.run(bring_up_to_date(environment.load()))
    _say("\n".join(f"applied {name}" for name in applied) or "the database is up to date")
    return 0


def _audit(asked: argparse.Namespace) -> int:
    from msgspec.structs import asdict

    from airouter.running.books import audit

    report = asdict(asyncio.run(audit(_lenient_settings(), is_full=asked.full)))
    if asked.json:
        _say(json.dumps(report, indent=2))
    else:
        for problem in report["problems"]:
            _say(f"✗ {problem}")
        _say(", ".join(f"{name}: {value}" for name, value in report.items() if name != "problems"))
    return 0 if report["ok"] else 1


def _export_openapi(asked: argparse.Namespace) -> int:
    from airouter.app import openapi_documents

    asked.directory.mkdir(parents=True, exist_ok=True)
    for name, document in openapi_documents().items():
        (asked.directory / name).write_bytes(document)
        _say(f"wrote {asked.directory / name}")
    return 0


def _operator_create(asked: argparse.Namespace) -> int:
    from airouter.running.operators import operator_link

    settings = environment.load()
    link = asyncio.run(operator_link(settings, asked.email))
    _say(link)
    print("It works once, within a day. Without the console: POST its last part as", file=sys.stderr)
    print(f'  {{"token": "…", "password": "…"}} to {settings.public_url}/api/v1/auth/accept', file=sys.stderr)
    return 0


def _withdraw_second_factor(asked: argparse.Namespace) -> int:
    from airouter.running.operators import withdraw_second_factor

    if asyncio.run(withdraw_second_factor(environment.load(), asked.email)):
        _say(f"{asked.email} has no second factor any more, every session has ended, and a letter says so.")
    else:
        _say(f"{asked.email} has no second factor.")
    return 0


def _secrets_generate(asked: argparse.Namespace) -> int:
    _say(environment.generate_secret_key(asked.id, os.urandom(environment.SECRET_KEY_BYTES)))
    return 0


def _wipe(asked: argparse.Namespace) -> int:
    from airouter.running.binaries import server_user
    from airouter.running.home import Home
    from airouter.running.postgres import stop_left_behind

    home = Home(_lenient_settings().home)
    if not home.path.exists():
        _say(f"There is nothing at {home.path}.")
        return 0
    home.take()
    if not asked.yes and input(f"Delete all data in {home.path}? [y/N] ").strip().lower() != "y":
        _say("Nothing was deleted.")
        return 1
    asyncio.run(stop_left_behind(home.postgres_place(server_user())))
    home.wipe()
    _say(f"Deleted {home.path}.")
    return 0


def _version(_asked: argparse.Namespace) -> int:
    from importlib.metadata import version

    _say(version("airouter"))
    return 0


def _lenient_settings() -> environment.Settings:
    """Settings for commands that look at an instance and need not be able to start one."""
    return environment.load({**os.environ, "AIROUTER_MODE": "demo"})
