"""Starting: migrate, demo, the first administrator, then granian and the job process; and `check`."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from pathlib import Path

from service import supervising
from service.clock import utcnow
from service.config import ROOT, Settings
from service.db.engine import Database
from service.db.migrate import migrate
from service.errors import StewardError
from service.intake.applying import undo_unfinished
from service.intake.demo import load_demo
from service.jobs import alive
from service.people.accounts import ensure_administrator
from service.records import jobs
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
    """Granian with the settings' workers and the job process under a small supervisor, which replaces this process."""
    scheme = "https" if settings.tls_cert else "http"
    shown = settings.host if ":" not in settings.host else f"[{settings.host}]"
    say(f"网格管家已启动：{scheme}://{shown}:{settings.port}/")
    sys.stdout.flush()
    os.environ["DATA_DIR"] = str(settings.data_dir.resolve())  # the job process reads the settings again, from ROOT
    os.chdir(ROOT)
    plan = {
        "server": server_command(settings),
        "jobs": [sys.executable, "-m", "service", "jobs"],
        "folder": str(settings.data_dir.resolve()),
    }
    os.execv(sys.executable, [sys.executable, "-m", "service.supervising", json.dumps(plan)])  # noqa: S606 no shell is wanted


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
    waiting: list[int] = []
    try:
        with closing(Database(settings.store_url)) as database, database.read() as session:
            is_empty(session)
            waiting = jobs.waiting(session)
    except (StewardError, OSError) as fault:
        faults.append(f"数据库：{fault}")
    static = Path(__file__).parent / "static"
    needed = ("vendor/manifest.json", "css/map.css")
    faults += _job_faults(settings, len(waiting))
    return faults + [f"界面文件缺失：service/static/{path}" for path in needed if not (static / path).is_file()]


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
