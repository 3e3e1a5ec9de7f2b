"""A backup holds every row and every photo byte, is consistent while others write, and is refused when damaged."""

from __future__ import annotations

import io
import random
import resource
import tarfile
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import zstandard
from sqlalchemy import select, text

from service.config import Settings, load_settings
from service.db.engine import Database
from service.db.migrate import migrate
from service.errors import UnreadableFile
from service.intake.run import Request, run_import
from service.intake.undoing import undo
from service.people.models import Organisation, Person, SignIn
from service.records import audit
from service.records.audit_heads import write_head
from service.records.models import AuditEntry, Counter
from service.safekeeping import archive, making, restoring
from service.safekeeping.manifest import Manifest, Member
from service.safekeeping.stores import known_revisions
from tests.conftest import MONDAY_NOON
from tests.safekeeping.conftest import every_table, everything, files, opened, trail_actions
from tests.stores import Filling


@pytest.fixture
def filling() -> Filling:
    return every_table


@pytest.fixture
def town(database: Database) -> Database:
    """The demo, and at least one row in every table."""
    return database


def test_every_row_and_every_photo_come_back_elsewhere(
    town: Database, settings: Settings, other: Settings, tmp_path: Path
) -> None:
    before = everything(town)
    assert {name for name, rows in before.items() if not rows} <= {"tiling_faults"}, "tables that would not be tested"
    made = making.make(town, settings, tmp_path / "kept.tar.zst", MONDAY_NOON)
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert made.manifest.photos == 5 and not made.manifest.missing
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    restoring.restore(other, made.path, MONDAY_NOON)
    with closing(opened(other)) as there:
        assert everything(there) == before
        assert files(other.data_dir) == files(settings.data_dir)
        assert (other.data_dir / "secret_key").stat().st_mode & 0o777 == 0o600
        with there.read() as session:
            last = session.scalar(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1))
            assert last is not None and audit.line_hash(last) == last.hash
        with there.write() as session:  # new rows get new numbers
            session.add(Organisation(code="new", name="x"))
            session.flush()


def test_backup_of_the_restored_gives_an_equal_manifest(
    town: Database, settings: Settings, other: Settings, tmp_path: Path
) -> None:
    first = making.make(town, settings, tmp_path / "1.tar.zst", MONDAY_NOON)
    restoring.restore(other, first.path, MONDAY_NOON)
    with closing(opened(other)) as there:
        second = making.make(there, other, tmp_path / "2.tar.zst", MONDAY_NOON)
    assert second.manifest == first.manifest
    assert second.sha256 == first.sha256


def test_an_import_is_undone_after_a_restore_without_its_file(
    town: Database, settings: Settings, other: Settings, tmp_path: Path
) -> None:
    """The row log in the database has the old values; uploaded files are not in a backup (decision 031)."""
    table = tmp_path / "people.csv"
    table.write_text("工号,姓名,电话\nR108,改过的名,13900000009\nX-new,新来的,13900000008\n", encoding="utf-8")
    with town.read() as session:
        before = session.execute(select(Person.name, Person.phone).where(Person.code == "R108")).one()
    batch = run_import(town, settings, Request("people", (table,)), MONDAY_NOON).batch_id
    assert batch is not None
    uploaded = settings.data_dir / "uploads" / "abc" / "people.csv"
    uploaded.parent.mkdir(parents=True)
    uploaded.write_bytes(table.read_bytes())
    made = making.make(town, settings, tmp_path / "kept.tar.zst", MONDAY_NOON)
    assert not [name for name in made.manifest.members if name.startswith("uploads/")]
    assert table.read_bytes() not in archive_bytes(made.path)
    restoring.restore(other, made.path, MONDAY_NOON)
    with closing(opened(other)) as there:
        done = undo(there, batch, audit.SYSTEM, MONDAY_NOON)
        assert (done.removed, done.restored, done.kept) == (1, 1, 0)
        with there.read() as session:
            assert session.execute(select(Person.name, Person.phone).where(Person.code == "R108")).one() == before
            assert session.scalar(select(Person.id).where(Person.code == "X-new")) is None


def archive_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read()


def test_eight_writers_and_a_consistent_backup(
    town: Database, settings: Settings, other: Settings, tmp_path: Path
) -> None:
    """Each transaction adds one organisation and counts it: in any consistent state the two agree."""
    stop, written = threading.Event(), [0] * 8

    def write(number: int) -> None:
        with closing(Database(settings.store_url)) as own:
            while not stop.is_set():
                with own.write() as session:
                    session.add(Organisation(code=f"w{number}-{written[number]}", name="x"))
                    session.execute(
                        text("UPDATE counters SET value = value + 1 WHERE name = 'writers'"),
                    )
                written[number] += 1

    with town.write() as session:
        session.add(Counter(name="writers", value=0))
    writers = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for one in writers:
        one.start()
    try:
        while sum(written) < 16:
            stop.wait(0.02)
        made = making.make(town, settings, tmp_path / "kept.tar.zst", MONDAY_NOON)
        counted = sum(written)
        while sum(written) < counted + 8:  # they went on
            stop.wait(0.02)
    finally:
        stop.set()
        for one in writers:
            one.join()
    restoring.restore(other, made.path, MONDAY_NOON)
    with closing(opened(other)) as there, there.read() as session:
        rows = session.scalar(text("SELECT count(*) FROM organisations WHERE code LIKE 'w%'"))
        assert rows == session.scalar(text("SELECT value FROM counters WHERE name = 'writers'"))
        assert 16 <= rows <= sum(written)


@pytest.mark.parametrize("cut", [1, 4, 5, 64, 5_000, 0.5, 0.99])
def test_a_truncated_backup_is_refused_and_nothing_written(kept: Path, other: Settings, cut: float) -> None:
    whole = kept.read_bytes()
    kept.write_bytes(whole[: -int(cut)] if cut >= 1 else whole[: int(len(whole) * (1 - cut))])
    refused(other, kept)


def test_a_changed_byte_anywhere_is_refused_and_nothing_written(kept: Path, other: Settings) -> None:
    whole, chance = kept.read_bytes(), random.Random(1)
    for _ in range(12):
        at = chance.randrange(len(whole))
        kept.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << chance.randrange(8)]) + whole[at + 1 :])
        refused(other, kept)
    kept.write_bytes(whole + b"more")
    refused(other, kept)


def refused(other: Settings, path: Path) -> None:
    with pytest.raises((UnreadableFile, restoring.RestoreRefused)):
        restoring.restore(other, path, MONDAY_NOON)
    assert list(other.data_dir.iterdir()) == []
    if other.database_url:
        with closing(Database(other.store_url)) as there, there.engine.connect() as connection:
            assert restoring.ours(connection) == []


def unpacked(path: Path) -> dict[str, bytes]:
    with zstandard.open(path) as raw, tarfile.open(fileobj=io.BytesIO(raw.read())) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]


def packed(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    with zstandard.open(path, "wb") as out, tarfile.open(fileobj=out, mode="w|") as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))


@pytest.mark.parametrize(
    "name",
    ["../outside", "/etc/outside", "photos/../../outside", "photos//x", "C:\\x", "photos/\n", "cron.d/x", "x_key/y"],
)
def test_no_name_leads_out_of_the_folder(kept: Path, other: Settings, tmp_path: Path, name: str) -> None:
    members = unpacked(kept)
    manifest = Manifest.parse(members.pop("manifest.json"))
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    lying = replace(manifest, members=manifest.members | {name: Member(1, digest)})
    rows = [(tarfile.TarInfo(each), data) for each, data in (members | {name: b"x"}).items()]
    packed(kept, [*rows, (tarfile.TarInfo("manifest.json"), lying.to_json())])
    refused(other, kept)
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_links_and_devices_are_refused(kept: Path, other: Settings, kind: bytes) -> None:
    members = unpacked(kept)
    link = tarfile.TarInfo("photos/link")
    link.type, link.linkname = kind, "/etc/passwd"
    packed(kept, [(link, b""), *((tarfile.TarInfo(each), data) for each, data in members.items())])
    refused(other, kept)


def test_it_is_put_back_only_into_an_empty_place(
    town: Database, settings: Settings, kept: Path, other: Settings
) -> None:
    before = everything(town)
    with pytest.raises(restoring.RestoreRefused, match="不是空的"):
        restoring.restore(settings, kept, MONDAY_NOON)
    (other.data_dir / "mine").write_text("x")
    with pytest.raises(restoring.RestoreRefused, match="不是空的"):
        restoring.restore(other, kept, MONDAY_NOON)
    (other.data_dir / "mine").unlink()
    used = load_settings(data_dir=other.data_dir, database_url=settings.store_url)
    with pytest.raises(restoring.RestoreRefused, match="已经有"):
        restoring.restore(used, kept, MONDAY_NOON)
    assert everything(town) == before
    with pytest.raises(restoring.RestoreRefused, match="没有文件"):
        restoring.restore(other, kept.with_name("nothing.tar.zst"), MONDAY_NOON)


def test_another_kind_of_store_is_refused(kept: Path, other: Settings, store_kind: str) -> None:
    url = "postgresql+psycopg://nobody@127.0.0.1:1/x" if store_kind == "gpkg" else ""
    with pytest.raises(restoring.RestoreRefused, match="同一种数据库"):
        restoring.restore(load_settings(data_dir=other.data_dir, database_url=url), kept, MONDAY_NOON)


def test_a_newer_backup_is_refused_and_an_older_one_migrated(
    blank_url: str, other: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert known_revisions()[0] == "0001"
    workroom = tmp_path / "workroom"
    workroom.mkdir()
    with closing(Database(blank_url)) as old, (tmp_path / "old").open("wb") as out:
        at_first(old)
        with old.write() as session:
            session.execute(
                text("INSERT INTO organisations (code, name, subdistrict, revision) VALUES ('o','旧','5',0)")
            )
        with archive.writing(out) as writer:
            content = making.save(old, writer, workroom)
            writer.finish(Manifest("0.0.1", MONDAY_NOON, "旧街道", content, writer.members))
    assert content.revision == "0001"
    newer = tmp_path / "newer"
    members = unpacked(tmp_path / "old")
    manifest = Manifest.parse(members.pop("manifest.json"))
    lying = replace(manifest, content=replace(manifest.content, revision="9999"))
    rows = [(tarfile.TarInfo(each), data) for each, data in members.items()]
    packed(newer, [*rows, (tarfile.TarInfo("manifest.json"), lying.to_json())])
    with pytest.raises(restoring.RestoreRefused, match="先升级"):
        restoring.restore(other, newer, MONDAY_NOON)
    restoring.restore(other, tmp_path / "old", MONDAY_NOON)
    report = migrate(other.store_url, tmp_path / "b", MONDAY_NOON)
    assert report.before == report.after == known_revisions()[-1]
    with closing(Database(other.store_url)) as there, there.read() as session:
        assert session.scalar(select(Organisation.name)) == "旧"


def at_first(database: Database) -> None:
    """The tables of the first migration."""
    from service.safekeeping.stores import upgrade

    with database.engine.begin() as connection:
        upgrade(connection, "0001")


def test_the_trail_tells_and_its_head_lies_outside(
    town: Database, settings: Settings, other: Settings, kept: Path
) -> None:
    made = making.Made(kept, 1, "0", archive.verify(kept))
    with town.write() as session:
        making.record(session, made, audit.COMMAND_LINE, MONDAY_NOON)
        head = audit.head(session)
    write_head(town, settings.data_dir / "trail-heads.log", MONDAY_NOON)
    assert trail_actions(town)[-1] == "backup.make"
    number, digest = (settings.data_dir / "trail-heads.log").read_text().split()[1:]
    assert (int(number), digest) == head
    manifest = restoring.restore(other, kept, MONDAY_NOON)
    with closing(opened(other)) as there:
        with there.write() as session:
            restoring.record(session, kept, manifest, MONDAY_NOON)
            assert session.query(SignIn).count() == 0, "nobody is signed in on the other machine"
        assert trail_actions(there)[-1] == "backup.restore"


def test_what_cannot_be_written_is_said_and_leaves_nothing(town: Database, settings: Settings, tmp_path: Path) -> None:
    for out, words in ((tmp_path / "x.zip", "结尾"), (tmp_path / "no" / "x.tar.zst", "没有文件夹")):
        with pytest.raises(making.BackupFailed, match=words):
            making.make(town, settings, out, MONDAY_NOON)
    (tmp_path / "x.tar.zst").write_text("mine")
    with pytest.raises(making.BackupFailed, match="不覆盖"):
        making.make(town, settings, tmp_path / "x.tar.zst", MONDAY_NOON)
    assert (tmp_path / "x.tar.zst").read_text() == "mine"


def test_a_photo_that_is_gone_is_named(town: Database, settings: Settings, tmp_path: Path) -> None:
    gone = next(settings.data_dir.glob("photos/*/*.jpg"))
    gone.unlink()
    made = making.make(town, settings, tmp_path / "kept.tar.zst", MONDAY_NOON)
    assert made.manifest.missing == [gone.stem]


def test_memory_stays_small(town: Database, settings: Settings, tmp_path: Path) -> None:
    big = settings.data_dir / "photos" / "big"
    with big.open("wb") as out:
        out.truncate(400_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    making.make(town, settings, tmp_path / "kept.tar.zst", MONDAY_NOON)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000
