"""Starting: migrate, demo, the first administrator, then granian; and `check`."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

from service.clock import utcnow
from service.config import ROOT, Settings
from service.db.engine import Database
from service.db.migrate import migrate
from service.errors import StewardError, UnreadableFile
from service.intake.applying import undo_unfinished
from service.intake.demo import load_demo
from service.people.accounts import ensure_administrator
from service.records import audit_heads
from service.records.audit_heads import read_heads, stale_head, write_head
from service.records.audit_verify import Verdict, verify
from service.records.batches import is_empty


def migrate_store(settings: Settings) -> str:
    """Bring the store to this version; a line that says what was done."""
    report = migrate(settings.store_url, settings.data_dir / "backups", utcnow())
    return str(report)


def serve(settings: Settings) -> None:
    """Everything that a first start needs, then the server in this process's place."""
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


def run_server(settings: Settings) -> None:
    """Granian with the settings' workers; replaces this process."""
    scheme = "https" if settings.tls_cert else "http"
    shown = settings.host if ":" not in settings.host else f"[{settings.host}]"
    say(f"网格管家已启动：{scheme}://{shown}:{settings.port}/")
    sys.stdout.flush()
    os.chdir(ROOT)
    os.execv(sys.executable, server_command(settings))  # noqa: S606 no shell is wanted


def server_command(settings: Settings, factory: str = "service.app:create_warm_app") -> list[str]:
    """What starts granian on an application factory; the benchmark starts its peer with the same."""
    command = [
        sys.executable,
        "-m",
        "granian",
        "--interface",
        "wsgi",
        "--host",
        settings.host,
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


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 the operator reads this


def check(settings: Settings) -> list[str]:
    """What is wrong with configuration, database or assets; empty when nothing."""
    faults = []
    try:
        with Database(settings.store_url).read() as session:
            is_empty(session)
    except (StewardError, OSError) as fault:
        faults.append(f"数据库：{fault}")
    else:
        faults += stale_trail(settings)
    static = Path(__file__).parent / "static"
    needed = ("vendor/manifest.json", "css/map.css")
    return faults + [f"界面文件缺失：service/static/{path}" for path in needed if not (static / path).is_file()]


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
