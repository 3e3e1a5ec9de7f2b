"""The command line: thin; each command parses and calls a room. `scripts/manage COMMAND`."""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from sqlalchemy.exc import SQLAlchemyError

from service.clock import local_date, utcnow
from service.config import Settings, load_settings
from service.errors import BadSetting, InvalidValue, StewardError

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
    """Run a command; an error of the domain or of a file is one line on stderr and exit code 2."""
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
    except (SQLAlchemyError, sqlite3.Error) as fault:
        from service.serving import broken_store

        click.echo(f"错误：{broken_store(settings(), fault)}", err=True)
        sys.exit(2)
    except OSError as fault:
        where = f"“{fault.filename}”" if fault.filename else ""
        click.echo(f"错误：{where}读不了或写不了（{fault.strerror or fault}）。", err=True)
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
    if remove:
        counts = remove_demo(database, utcnow(), renew=given.renew_session_secret)
    else:
        counts = load_demo(database, given, utcnow())
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
    from service.serving import backup_age
    from service.serving import check as run

    try:
        given = settings()
        faults = run(given)
    except BadSetting as fault:
        faults = [fault.message]
    else:
        click.echo(backup_age(given))
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


@cli.command("export")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--where", "where", multiple=True, callback=pairs, metavar="字段=值", help="只要符合的行，如 state=vacant"
)
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="按哪一天的登记和网格")
@click.option("--full", is_flag=True, help="号码不打码；会记入操作记录")
def export_command(kind: str, target: Path, where: dict[str, str], on: Any, full: bool) -> None:
    """Write a register into a file: .geojson .gpkg .csv .xlsx .shp.zip; one JSON object last."""
    from service.exporting import export_file

    day = on.date() if on else local_date(utcnow())
    click.echo(json.dumps(export_file(settings(), kind, target, where, day, utcnow(), full), ensure_ascii=False))


@cli.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("target", type=click.Path(path_type=Path))
def template(kind: str, target: Path) -> None:
    """Write the XLSX to fill in for a kind, with a sheet that explains it."""
    from service.registers.templates import make_template

    make_template(kind, target)
    click.echo(f"已写出 {target}。")


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


@cli.command("wall")
@click.argument("what", type=click.Choice(["community", "grid", "officer"]))
@click.argument("code")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--on", type=click.DateTime(["%Y-%m-%d"]), help="按哪一天的界线和责任；将来的一天就是提前印新一版")
@click.option("--paper", type=click.Choice(["a3", "a4"]), default="a3")
@click.option("--names", type=click.Choice(["roles", "names", "phones"]), default="names")
@click.option("--html", is_flag=True, help="不用联网就能打开的一个网页，而不是 PDF")
def wall_command(what: str, code: str, target: Path, on: Any, paper: str, names: str, html: bool) -> None:
    """Print a responsibility map; CODE of a community, grid or person, or all; one JSON object last."""
    from service.wallprint import print_wall

    day = on.date() if on else local_date(utcnow())
    told = print_wall(settings(), what, code, target, day, utcnow(), paper, names, html)
    click.echo(json.dumps(told, ensure_ascii=False))


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
    answer = look_up_file(conf, source, target, lon_column, lat_column, crs, day)
    for line in answer.messages:
        click.echo(line, err=True)
    click.echo(json.dumps(answer.counts, ensure_ascii=False))


@cli.group()
def user() -> None:
    """Accounts and API tokens."""


@user.command("create")
@click.argument("name")
@click.option(
    "--role", required=True, type=click.Choice(["admin", "supervisor", "manager", "officer", "unit", "viewer"])
)
@click.option("--area", "areas", multiple=True, metavar="社区编码", help="社区管理员的社区，可以给几次")
@click.option("--unit", metavar="单位编码", help="处置单位的账号属于哪个单位")
@click.option("--person", metavar="工号", help="账号背后的人员；网格员看到的是他的责任范围")
@click.option("--password-stdin", is_flag=True, required=True, help="从标准输入读密码")
def user_create(
    name: str, role: str, areas: tuple[str, ...], unit: str | None, person: str | None, password_stdin: bool
) -> None:
    """A new account; the password comes from standard input."""
    from service.db.engine import Database
    from service.grids.queries import communities
    from service.people.accounts import Placing, check_placing, create_account
    from service.records.audit import COMMAND_LINE

    password = sys.stdin.readline().rstrip("\r\n")
    with Database(settings().store_url).write() as session:
        try:
            check_placing(session, Placing(role, "", areas, unit, person), {one.code for one in communities(session)})
        except InvalidValue as fault:  # accounts may be made before the registers are filled
            click.echo(f"注意：{fault.message}", err=True)
        area = " ".join(areas) or None
        create_account(session, name, role, password, utcnow(), area=area, unit=unit, person=person, by=COMMAND_LINE)
    click.echo(f"已建账号 {name}（{role}）。")


@user.command("reset")
@click.argument("name")
def user_reset(name: str) -> None:
    """Print a new one-time password of an account; a lock is released and its sessions end."""
    from service.db.engine import Database
    from service.people.account_queries import account_named
    from service.people.accounts import reset_password
    from service.records.audit import COMMAND_LINE

    with Database(settings().store_url).write() as session:
        click.echo(reset_password(session, account_named(session, name), COMMAND_LINE, utcnow()))


@user.command("token")
@click.argument("name")
@click.option("--label", default="command line")
@click.option("--days", default=365, type=click.IntRange(1, 3650))
def user_token(name: str, label: str, days: int) -> None:
    """Print a new API token of an account; it is told only now."""
    from service.db.engine import Database
    from service.people.accounts import make_token
    from service.records.audit import COMMAND_LINE

    with Database(settings().store_url).write() as session:
        click.echo(make_token(session, name, label, utcnow(), days, COMMAND_LINE))


@cli.group()
def audit() -> None:
    """The trail of every change, sign-in and refusal."""


@audit.command("verify")
@click.option("--heads", type=click.Path(path_type=Path, dir_okay=False), help="链头文件，例如存在别处的副本")
def audit_verify(heads: Path | None) -> None:
    """Walk the whole trail; exit 1 when a line was changed, removed, inserted, cut off or rewritten."""
    from service.serving import verify_trail

    verdict = verify_trail(settings(), heads)
    for line in verdict.lines:
        click.echo(line, err=not verdict.sound)
    if not verdict.sound:
        sys.exit(1)


@cli.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--basemaps", is_flag=True, help="连同 DATA_DIR/basemaps 里的底图文件")
def backup(out: Path, basemaps: bool) -> None:
    """Everything into one file, while the service runs; checked before it counts."""
    from service.serving import back_up

    click.echo(json.dumps(back_up(settings(), out, basemaps), ensure_ascii=False))


@cli.command()
@click.argument("source", type=click.Path(path_type=Path))
def restore(source: Path) -> None:
    """Put a backup back into an empty DATA_DIR and an empty database."""
    from service.serving import put_back

    click.echo(json.dumps(put_back(settings(), source), ensure_ascii=False))


@cli.command()
@click.argument("names", nargs=-1)
@click.option("--json", "json_out", type=click.Path(path_type=Path))
def bench(names: tuple[str, ...], json_out: Path | None) -> None:
    """Run benchmarks, each with its peer in the same run."""
    from service.bench import run

    run(names, json_out)
