"""The command line: thin; each command parses and calls a room. `scripts/manage COMMAND`."""

from __future__ import annotations

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from service.clock import local_date, utcnow
from service.config import Settings, load_settings
from service.errors import BadSetting, StewardError

KINDS = (
    "communities",
    "grids",
    "people",
    "organisations",
    "duties",
    "frontages",
    "incidents",
    "streets",
    "buildings",
    "places",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """网格管家 · Grid Steward."""


def main() -> None:
    """Run a command; a domain error is one line on stderr and exit code 2."""
    try:
        cli(standalone_mode=False)
    except click.ClickException as fault:
        fault.show()
        sys.exit(fault.exit_code)
    except click.exceptions.Abort:
        sys.exit(130)
    except StewardError as fault:
        click.echo(f"错误：{fault.message}", err=True)
        sys.exit(2)


def settings() -> Settings:
    return load_settings()


@cli.command()
def migrate() -> None:
    """Bring the database to this version's tables; backs up first when it holds data."""
    from service.serving import migrate_store

    click.echo(migrate_store(settings()))


@cli.command()
@click.option("--remove", is_flag=True, help="去掉演示数据，别的都不动。")
def demo(remove: bool) -> None:
    """Load the demo into an empty database, or remove it."""
    from service.db.engine import Database
    from service.intake.demo import load_demo, remove_demo
    from service.serving import migrate_store

    given = settings()
    migrate_store(given)
    database = Database(given.store_url)
    counts = remove_demo(database, utcnow()) if remove else load_demo(database, given, utcnow())
    click.echo(json.dumps(counts, ensure_ascii=False))


@cli.command()
def serve() -> None:
    """Migrate, load the demo into an empty database, and serve."""
    from service.serving import serve as run

    run(settings())


@cli.command()
def jobs() -> None:
    """The job process alone; `serve` starts and watches it."""
    from service.jobs.process import run

    run(settings())


@cli.command()
def check() -> None:
    """Configuration, database, assets; exit 1 with the reasons."""
    from service.serving import check as run

    try:
        faults = run(settings())
    except BadSetting as fault:
        faults = [fault.message]
    for line in faults:
        click.echo(f"✗ {line}", err=True)
    if faults:
        sys.exit(1)
    click.echo("一切正常。")


def pairs(_ctx: click.Context, _param: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """field=column options as a dictionary."""
    out = {}
    for text in given:
        name, sep, value = text.partition("=")
        if not sep or not name.strip():
            raise click.BadParameter(f"“{text}”要写成 字段=列名。")
        out[name.strip()] = value.strip()
    return out


@cli.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--crs", help="EPSG:4326、EPSG:4490、gcj02、bd09 或 EPSG:n")
@click.option("--layer")
@click.option("--encoding")
@click.option("--sheet")
@click.option("--header-row", type=int)
@click.option("--map", "mapping", multiple=True, callback=pairs, metavar="字段=列名")
@click.option("--set", "sets", multiple=True, callback=pairs, metavar="字段=值")
@click.option("--edition", type=click.DateTime(["%Y-%m-%d"]), help="网格界线自哪天起生效")
@click.option(
    "--duplicates",
    type=click.Choice(["refuse", "number"]),
    default="refuse",
    help="编码重复的行：拒收，或加 -2、-3 后缀收下",
)
@click.option("--dry-run", is_flag=True)
@click.option("--rejects", type=click.Path(path_type=Path))
@click.option("--faults", type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True)
@click.option("--time-zone", default="Asia/Shanghai", help="文件里时间所在的时区")
def import_command(**given: Any) -> None:
    """Read a file into a register; one JSON object last."""
    from service.db.engine import Database
    from service.intake.run import Request, run_import
    from service.serving import migrate_store, undo_broken

    conf = settings()
    migrate_store(conf)
    edition = given.pop("edition")
    request = Request(edition=edition.date() if edition else None, progress=sys.stderr.isatty(), **given)
    with closing(Database(conf.store_url)) as database:
        undo_broken(database)
        result = run_import(database, conf, request, utcnow())
    for line in result.messages:
        click.echo(line, err=True)
    click.echo(json.dumps(result.summary, ensure_ascii=False))
    sys.exit(result.exit_code)


@cli.command("undo")
@click.argument("batch", type=int)
@click.option("--dry-run", is_flag=True, help="只说会怎样，什么也不动")
@click.option("--verdicts", type=click.Path(path_type=Path), help="逐行的结论写到这个 CSV")
def undo_command(batch: int, dry_run: bool, verdicts: Path | None) -> None:
    """Undo a whole import by its number (/imports shows it): exit 0 all of it, 3 some rows stay, 2 nothing."""
    from service.db.engine import Database
    from service.intake.undo_plan import examine
    from service.intake.undoing import may_undo, undo, write_verdicts
    from service.records.audit import COMMAND_LINE
    from service.serving import undo_broken

    with closing(Database(settings().store_url)) as database:
        undo_broken(database)
        with database.read() as session:
            plan = examine(session, may_undo(session, batch))
        if verdicts is not None:
            write_verdicts(verdicts, plan)
        for one in [one for one in plan.verdicts() if one.refused][:10]:
            click.echo(f"{one.code} {one.name}：留下，{one.refused}", err=True)
        done = plan if dry_run else undo(database, batch, COMMAND_LINE, utcnow())
    outcome = {"removed": done.removed, "restored": done.restored, "kept": done.kept}
    click.echo(json.dumps(outcome, ensure_ascii=False))
    sys.exit(0 if not done.kept else 3 if done.removed + done.restored else 2)


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("lon", type=float)
@click.argument("lat", type=float)
@click.option("--crs", default="EPSG:4326")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]))
def lookup(lon: float, lat: float, crs: str, on: Any) -> None:
    """Who is responsible at a point: the lookup object."""
    from service.asking import look_up

    conf = settings()
    day = on.date() if on else local_date(utcnow())
    click.echo(json.dumps(look_up(conf, lon, lat, crs, day), ensure_ascii=False, indent=1))


@cli.command("lookup-file")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--lon", "lon_column", required=True)
@click.option("--lat", "lat_column", required=True)
@click.option("--crs", default="EPSG:4326")
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]))
def lookup_file(source: Path, target: Path, lon_column: str, lat_column: str, crs: str, on: Any) -> None:
    """The same rows with grid_code, community_code and near_boundary added, in order."""
    from service.asking import look_up_file

    conf = settings()
    day = on.date() if on else local_date(utcnow())
    click.echo(json.dumps(look_up_file(conf, source, target, lon_column, lat_column, crs, day), ensure_ascii=False))


@cli.group()
def user() -> None:
    """Accounts and API tokens."""


@user.command("create")
@click.argument("name")
@click.option(
    "--role", required=True, type=click.Choice(["admin", "supervisor", "manager", "officer", "unit", "viewer"])
)
@click.option("--area")
@click.option("--unit")
@click.option("--password-stdin", is_flag=True, required=True, help="从标准输入读密码")
def user_create(name: str, role: str, area: str | None, unit: str | None, password_stdin: bool) -> None:
    """A new account; the password comes from standard input."""
    from service.db.engine import Database
    from service.people.accounts import create_account

    password = sys.stdin.readline().rstrip("\r\n")
    with Database(settings().store_url).write() as session:
        create_account(session, name, role, password, utcnow(), area=area, unit=unit)
    click.echo(f"已建账号 {name}（{role}）。")


@user.command("token")
@click.argument("name")
@click.option("--label", default="command line")
@click.option("--days", default=365, type=click.IntRange(1, 3650))
def user_token(name: str, label: str, days: int) -> None:
    """Print a new API token of an account; it is told only now."""
    from service.db.engine import Database
    from service.people.accounts import make_token

    with Database(settings().store_url).write() as session:
        click.echo(make_token(session, name, label, utcnow(), days))


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--json", "json_out", type=click.Path(path_type=Path))
def bench(names: tuple[str, ...], json_out: Path | None) -> None:
    """Run benchmarks, each with its peer in the same run."""
    from service.bench import run

    run(names, json_out)
