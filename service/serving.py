"""Starting: migrate, demo, the first administrator, then granian and the job process; and `check`."""

from __future__ import annotations

import errno
import json
import os
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from service import supervising
from service.clock import utcnow
from service.config import ROOT, Settings
from service.db.engine import Database
from service.db.migrate import migrate
from service.errors import BadSetting, StewardError, UnreadableFile
from service.intake.applying import undo_unfinished
from service.intake.demo import load_demo
from service.jobs import alive
from service.people.accounts import ensure_administrator
from service.records import audit_heads, jobs
from service.records.audit import COMMAND_LINE
from service.records.audit_heads import read_heads, stale_head, write_head
from service.records.audit_verify import Verdict, verify
from service.records.batches import is_empty
from service.records.office import read_office
from service.safekeeping import making, restoring, shelf


def migrate_store(settings: Settings) -> str:
    """Bring the store to this version; a line that says what was done."""
    report = migrate(settings.store_url, settings.data_dir / "backups", utcnow())
    return str(report)


def serve(settings: Settings) -> None:
    """Everything that a first start needs, then the server in this process's place."""
    must_be_free(settings)
    print(migrate_store(settings), file=sys.stderr)  # noqa: T201 the operator reads this
    database = Database(settings.store_url)
    prepare(database, settings)
    write_head(database, settings.data_dir / audit_heads.NAME, utcnow())
    database.engine.dispose()
    run_server(settings)


def prepare(database: Database, settings: Settings) -> None:
    """Undo what a crash left, load the demo into an empty database, make the first administrator."""
    undo_broken(database)
    if settings.demo:
        with database.read() as session:
            empty = is_empty(session)
        if empty:
            counts = load_demo(database, settings, utcnow())
            say(f"已装入演示数据：{counts.get('grids', 0)} 个网格，{counts.get('incidents', 0)} 件事项。")
    with database.write() as session:
        password = ensure_administrator(session, utcnow())
    if password:
        say(f"管理员账号 admin，一次性密码：{password}（第一次登录后要换）")


def undo_broken(database: Database) -> None:
    """Undo the imports that a crash left half done, and say so."""
    for line in undo_unfinished(database, utcnow()):
        say(line)


def must_be_free(settings: Settings) -> None:
    """The workers share their port, so a second service beside this one would answer every other request: BadSetting
    when somebody listens already, or when the address is none of this machine."""
    if settings.port == 0:
        return
    family = socket.AF_INET6 if ":" in settings.address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections of a service that just ended
        try:
            probe.bind((settings.address, settings.port))
        except OSError as fault:
            if fault.errno == errno.EADDRINUSE:
                raise BadSetting(
                    f"PORT={settings.port}：已被别的程序占用，也许服务已经开着。关掉它，或换一个 PORT。"
                ) from None
            raise BadSetting(
                f"HOST={settings.host}、PORT={settings.port}：不能在这个地址上等候（{fault.strerror}）。"
            ) from None


def run_server(settings: Settings) -> None:
    """Granian with the settings' workers and the job process under a small supervisor, which replaces this process."""
    scheme = "https" if settings.tls_cert else "http"
    shown = settings.host if ":" not in settings.host else f"[{settings.host}]"
    say(f"网格管家已启动：{scheme}://{shown}:{settings.port}/")
    warning = clear_text(settings)
    if warning:
        say(warning)
    sys.stdout.flush()
    os.environ["DATA_DIR"] = str(settings.data_dir.resolve())  # the job process reads the settings again, from ROOT
    os.chdir(ROOT)
    plan = {
        "server": server_command(settings),
        "jobs": [sys.executable, "-m", "service", "jobs"],
        "folder": str(settings.data_dir.resolve()),
    }
    os.execv(sys.executable, [sys.executable, "-m", "service.supervising", json.dumps(plan)])  # noqa: S606 no shell is wanted


def clear_text(settings: Settings) -> str | None:
    """What to say when other machines reach the service and nothing encrypts the way; None where that isn't so."""
    if settings.on_loopback or settings.tls_cert or settings.trusted_proxies:
        return None
    return (
        f"注意：HOST={settings.host} 让别的机器也能打开，而传输没有加密，密码和电话在网络上是明文。"
        "设置 TLS_CERT 和 TLS_KEY，或放在有 HTTPS 的反向代理后面并写明 TRUSTED_PROXIES。只在本机用，HOST 写 127.0.0.1。"
    )


def server_command(settings: Settings, factory: str = "service.app:create_warm_app") -> list[str]:
    """What starts granian on an application factory; the benchmark starts its peer with the same."""
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        settings.address,
        "--port",
        str(settings.port),
        "--workers",
        str(settings.workers),
        "--blocking-threads",
        "2",
        "--backlog",
        "1024",
        "--no-ws",
        "--http",
        "auto",
        "--log-level",
        "warning",
        "--respawn-failed-workers",
        "--factory",
        factory,
    ]
    if settings.tls_cert and settings.tls_key:
        command += ["--ssl-certificate", str(settings.tls_cert), "--ssl-keyfile", str(settings.tls_key)]
    return command


def back_up(settings: Settings, out: Path, basemaps: bool) -> dict[str, object]:
    """A backup asked for on the command line; what it holds, in plain data."""
    migrate_store(settings)
    now = utcnow()
    with closing(Database(settings.store_url)) as database:
        try:
            made = making.make(database, settings, out, now, basemaps)
        except StewardError as fault:
            with database.write() as session:
                making.record_failure(session, COMMAND_LINE, now, fault.message)
            raise
        with database.write() as session:
            making.record(session, made, COMMAND_LINE, now)
        write_head(database, settings.data_dir / audit_heads.NAME, now)
    told = made.manifest
    return {
        "path": str(out),
        "size": made.size,
        "sha256": made.sha256,
        "rows": told.rows,
        "photos": told.photos,
        "missing_photos": told.missing,
    }


def put_back(settings: Settings, source: Path) -> dict[str, object]:
    """A backup put back on the command line; what came, in plain data."""
    told = restoring.restore(settings, source, utcnow())
    with closing(Database(settings.store_url)) as database:
        with database.write() as session:
            restoring.record(session, source, told, utcnow())
        write_head(database, settings.data_dir / audit_heads.NAME, utcnow())
    return {
        "office": told.office,
        "made_at": told.made_at.isoformat(),
        "version": told.version,
        "rows": told.rows,
        "photos": told.photos,
        "missing_photos": told.missing,
    }


def backup_age(settings: Settings) -> str:
    """How old the last backup is, in a sentence."""
    try:
        with closing(Database(settings.store_url)) as database, database.read() as session:
            last = shelf.last_good(session)
    except (StewardError, SQLAlchemyError, OSError):
        return "上次备份：数据库不答，不知道。"
    if last is None:
        return "上次备份：还没有备份过。运行 manage backup，或在“管理”页打开定时备份。"
    return f"上次备份：{shelf.age_text(last.at, utcnow())}（{last.name}）。"


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 the operator reads this


def broken_store(settings: Settings, fault: SQLAlchemyError | sqlite3.Error) -> str:
    """What a person can do about a store that doesn't answer as it should."""
    reason = str(getattr(fault, "orig", None) or fault).splitlines()[0]
    where = settings.store_file or "DATABASE_URL"
    if "no such table" in reason or "UndefinedTable" in type(getattr(fault, "orig", fault)).__name__:
        return f"{where} 还没有建表：先运行 ./scripts/serve 或 ./scripts/manage migrate。"
    if "not a database" in reason or "malformed" in reason:
        return f"{where} 不是网格管家的数据库，或者已经损坏（{reason}）。从备份恢复，或换一个 DATA_DIR。"
    if "unable to open" in reason:
        return f"{where} 打不开：文件夹不存在或不能写。换一个 DATA_DIR 或 DATABASE_URL。"
    return f"{where} 没有按要求回答（{reason}）。"


def check(settings: Settings) -> list[str]:
    """What is wrong with configuration, database or assets; empty when nothing."""
    faults = []
    waiting: list[int] = []
    try:
        with closing(Database(settings.store_url)) as database, database.read() as session:
            is_empty(session)
            waiting = jobs.waiting(session)
    except (StewardError, OSError) as fault:
        faults.append(f"数据库：{fault}")
    except (SQLAlchemyError, sqlite3.Error) as fault:
        faults.append(f"数据库：{broken_store(settings, fault)}")
    else:
        faults += _stale_backup(settings)
        faults += stale_trail(settings)
    static = Path(__file__).parent / "static"
    needed = ("vendor/manifest.json", "css/map.css")
    faults += _job_faults(settings, len(waiting))
    return faults + [f"界面文件缺失：service/static/{path}" for path in needed if not (static / path).is_file()]


def _stale_backup(settings: Settings) -> list[str]:
    """A plan that isn't kept: the last backup is two days old though one is due every day."""
    try:
        with closing(Database(settings.store_url)) as database, database.read() as session:
            last, plan = shelf.last_good(session), read_office(session, settings).backup
    except SQLAlchemyError:
        return []  # tables of an older version; the next start migrates them
    if not plan.on or last is None or utcnow() - last.at <= shelf.STALE:
        return []
    return [f"备份：上次是 {shelf.age_text(last.at, utcnow())}，定时备份没有做成。看“管理”页的数据备份。"]


def stale_trail(settings: Settings) -> list[str]:
    """Whether the trail's head was written outside the database lately; also what of its file can't be read."""
    with closing(Database(settings.store_url)) as database:
        try:
            told = stale_head(database, settings.data_dir / audit_heads.NAME, utcnow())
        except UnreadableFile as fault:
            told = fault.message
    return [told] if told else []


def verify_trail(settings: Settings, heads: Path | None = None) -> Verdict:
    """Walk the trail and compare it with the heads that stand outside the database."""
    if heads is not None and not heads.is_file():
        raise UnreadableFile(f"没有链头文件 {heads}。")
    known = read_heads(heads or settings.data_dir / audit_heads.NAME)
    with closing(Database(settings.store_url)) as database, database.read() as session:
        return verify(session, known)


def _job_faults(settings: Settings, waiting: int) -> list[str]:
    """What is wrong with the job process. That nothing is served just now is no fault, unless work waits."""
    found = alive.state(settings.data_dir)
    if found == "stuck":
        return ["任务进程没有动静超过一分钟。结束它（serve 会重新启动），或重新启动 serve。"]
    if found == "absent" and supervising.serving(settings.data_dir):
        return ["任务进程没有运行，serve 正在重新启动它。一分钟后再查；仍没有就看 serve 的输出。"]
    if found == "absent" and waiting:
        return [f"有 {waiting} 项任务在等，任务进程没有运行。启动 serve，它会接着做。"]
    return []
