"""Publishing: all or nothing, once, and still there after whatever happens to the machine."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import duckdb
import pytest

from groundswell.config import Document
from groundswell.errors import ConfigurationError, StoreError
from groundswell.store import Checkpoint, Commit, Store, StoreSettings
from tests.store_records import (
    DAY_US,
    NOON_US,
    amplification,
    bin,
    event,
    everything,
    files,
    gap,
    image,
    picture,
)

SECOND_US = 1_000_000


def python(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Another process that runs `code`; its lines come on `stdout`."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code), *arguments],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
    )


def test_what_is_published_can_be_read_again(tmp_path: Path) -> None:
    with Store.open(tmp_path / "data") as store:
        checkpoint = Checkpoint(bin_us=NOON_US, release_state=b"\x00r", detect_state=b"\xffd")
        store.commit(Commit(records=[event(), amplification(), gap()], bins=[bin()], checkpoint=checkpoint))
    with Store.open(tmp_path / "data", read_only=True) as store:
        assert store.latest("event") == [event()]
        assert store.latest("amplification") == [amplification()]
        assert store.latest("coverage") == [gap()]
        assert store.series(["e1", "unknown"]) == {"e1": [bin()], "unknown": []}
        assert store.checkpoint() == checkpoint
        assert store.count() == {"amplification": 1, "coverage": 1, "event": 1}


def test_a_new_store_is_empty(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        assert store.checkpoint() is None
        assert store.count() == {}
        assert store.record("event", "e1") is None
        assert store.series([]) == {}
        store.commit(Commit())


def test_publishing_twice_changes_nothing(tmp_path: Path) -> None:
    commit = Commit(
        records=[event(), event(), gap()],
        bins=[bin(), bin(accounts="50+")],
        checkpoint=Checkpoint(bin_us=1, release_state=b"state"),
    )
    with Store.open(tmp_path) as store:
        store.commit(commit)
        once = everything(store)
        store.commit(commit)
        assert everything(store) == once
        assert store.series(["e1"])["e1"] == [bin(accounts="20+")]


def test_what_is_out_is_never_rewritten(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.commit(Commit(records=[event()], bins=[bin()]))
        store.commit(Commit(records=[event(accounts="500+")], bins=[bin(accounts=None)]))
        assert store.latest("event") == [event()]
        assert store.series(["e1"]) == {"e1": [bin()]}


def test_the_newest_revision_counts_and_newest_last_seen_comes_first(tmp_path: Path) -> None:
    old, new = event("e1"), event("e1", NOON_US + 600 * SECOND_US, state="fading")
    with Store.open(tmp_path) as store:
        store.commit(Commit(records=[new, event("e2", NOON_US + 300 * SECOND_US), old]))
        assert store.record("event", "e1") == new
        assert [(record.id, record.state) for record in store.latest("event")] == [
            ("e1", "fading"),
            ("e2", "growing"),
        ]
        assert [record.id for record in store.latest("event", limit=1)] == ["e1"]
        assert [record.id for record in store.latest("event", since_us=NOON_US + 400 * SECOND_US)] == ["e1"]


def test_bins_come_in_order(tmp_path: Path) -> None:
    bins = [bin(at_us=NOON_US + step * 300 * SECOND_US, accounts=None) for step in range(5)]
    with Store.open(tmp_path) as store:
        store.commit(Commit(bins=bins[::-1]))
        assert store.series(["e1"]) == {"e1": bins}


def test_the_last_checkpoint_stands(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        for bin_us in range(5):
            store.commit(Commit(checkpoint=Checkpoint(bin_us=bin_us, release_state=bytes([bin_us]))))
        assert store.checkpoint() == Checkpoint(bin_us=4, release_state=b"\x04")


def test_retention_ends(tmp_path: Path) -> None:
    with Store.open(tmp_path, StoreSettings(retention_days=2)) as store:
        old = event("old", phrases=("avalanche warning",))
        going_on = [event("long"), event("long", NOON_US + 2 * DAY_US)]
        store.commit(Commit(records=[old, *going_on], bins=[bin("old"), bin("long", NOON_US + 2 * DAY_US)]))
        assert store.retain(NOON_US + 2 * DAY_US) == 0
        assert store.retain(NOON_US + 3 * DAY_US) == 3
        assert store.latest("event") == [going_on[1]]
        assert store.series(["old", "long"]) == {"old": [], "long": [bin("long", NOON_US + 2 * DAY_US)]}


def test_retention_is_finite() -> None:
    assert StoreSettings().retention_days == 30
    with pytest.raises(ConfigurationError, match="`retention_days` = 0"):
        Document.parse("[store]\nretention_days = 0\n", "x.toml").section("store", StoreSettings)


def test_the_folder_holds_one_file_and_its_log(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.commit(Commit(records=[event(f"e{number}") for number in range(300)]))
        everything(store)
        assert files(tmp_path) == ["published.duckdb", "published.duckdb.wal"]
    assert files(tmp_path) == ["published.duckdb"]


def test_readers_in_other_threads_see_whole_commits(tmp_path: Path) -> None:
    torn: list[tuple[int, int]] = []
    with Store.open(tmp_path) as store:
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                records = store.latest("event", limit=None)
                bins = store.series([record.id for record in records])
                if any(len(series) != 1 for series in bins.values()):
                    torn.append((len(records), len(bins)))

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for number in range(60):
            store.commit(Commit(records=[event(f"e{number}")], bins=[bin(f"e{number}")]))
        done.set()
        for reader in readers:
            reader.join()
        assert store.count() == {"event": 60}
    assert torn == []


def test_a_commit_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.commit(Commit(records=[event()]))
        before = everything(store)
        broken = Checkpoint(bin_us=2**80, release_state=b"")  # does not fit its column
        with pytest.raises(StoreError):
            store.commit(Commit(records=[event("e2")], bins=[bin("e2")], checkpoint=broken))
        assert everything(store) == before
        store.commit(Commit(records=[event("e3")]))
        assert store.count() == {"event": 2}


def test_a_store_held_by_another_process_says_so(tmp_path: Path) -> None:
    holder = python(
        """
        import sys; from pathlib import Path; from groundswell.store import Store
        store = Store.open(Path(sys.argv[1])); print("open", flush=True); sys.stdin.read()
        """,
        str(tmp_path),
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "open\n"
    try:
        for read_only in (False, True):
            with pytest.raises(StoreError, match=r"duckdb: locked by another process; stop that process"):
                Store.open(tmp_path, read_only=read_only)
    finally:
        holder.communicate("")
    Store.open(tmp_path).close()


def test_kill_nine_loses_nothing_that_was_published(tmp_path: Path) -> None:
    writer = python(
        """
        import sys; from pathlib import Path
        from groundswell.store import Commit, Store
        from tests.store_records import bin, event
        store = Store.open(Path(sys.argv[1]))
        for number in range(100_000):
            store.commit(Commit(records=[event(f"e{number}")], bins=[bin(f"e{number}")]))
            print(number, flush=True)
        """,
        str(tmp_path),
    )
    assert writer.stdout is not None
    acknowledged = [int(writer.stdout.readline()) for _ in range(25)]
    writer.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in writer.communicate()[0].splitlines() if line.isdigit()]
    with Store.open(tmp_path) as store:
        found = {record.id for record in store.latest("event", limit=None)}
        assert {f"e{number}" for number in acknowledged} <= found
        assert len(found) <= len(acknowledged) + 1
        assert all(len(series) == 1 for series in store.series(list(found)).values())


@pytest.mark.skipif(sys.platform == "win32", reason="needs a file size limit")
def test_a_pictures_file_comes_with_its_record_and_goes_with_it(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        store.commit(Commit(records=[picture()], images=[image()]))
        assert store.image("p1") == image()
        assert store.image("p2") is None
        store.commit(
            Commit(records=[picture(at_us=NOON_US + 60_000_000, state="withdrawn", media_type=None)])
        )
        assert store.image("p1") is None
        assert [record.state for record in store.latest("picture")] == ["withdrawn"]


def test_a_pictures_file_is_gone_after_three_days_whatever_the_retention(tmp_path: Path) -> None:
    with Store.open(tmp_path, StoreSettings(retention_days=300)) as store:
        store.commit(Commit(records=[picture(), picture("p2")], images=[image()]))
        store.retain(NOON_US + 3 * DAY_US)
        assert store.image("p1") is not None
        store.retain(NOON_US + 3 * DAY_US + 1_000_000)
        assert store.image("p1") is None
        assert store.count() == {"picture": 2}


def test_a_full_disk_stops_publishing_and_loses_nothing(tmp_path: Path) -> None:
    writer = python(
        """
        import resource, signal, sys; from pathlib import Path
        from groundswell.errors import StoreError
        from groundswell.store import Commit, Store
        from tests.store_records import event
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        store = Store.open(Path(sys.argv[1]))
        published, failures = 0, 0
        def publish(count):
            global published
            for _ in range(count):
                records = [event(f"e{published}-{part}", domains=("x" * 2000,)) for part in range(5)]
                store.commit(Commit(records=records))
                published += 1
        publish(5)
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, hard))
        for attempt in range(2):
            try:
                publish(1_000)
            except StoreError as error:
                failures += 1
                assert "the disk is full: nothing was written, nothing is lost" in str(error), error
                assert sum(store.count().values()) == 5 * published
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        publish(3)
        print(failures, published, flush=True)
        sys.stdin.read()
        """,
        str(tmp_path),
    )
    assert writer.stdout is not None
    failures, published = map(int, writer.stdout.readline().split())
    writer.kill()  # without closing: what counts is what reached the disk
    writer.communicate()
    assert failures == 2
    assert published > 8
    with Store.open(tmp_path) as store:
        assert store.count() == {"event": 5 * published}


@pytest.mark.parametrize("content", [b"", b"hello" * 5000, b"\x00" * 4096])
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "published.duckdb"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged, or no store; move the file away"):
        Store.open(tmp_path)
    assert path.read_bytes() == content


def test_a_database_of_something_else_is_refused(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "published.duckdb")) as other:
        other.execute("CREATE TABLE recipes (title VARCHAR)")
    with pytest.raises(StoreError, match="a database of something else"):
        Store.open(tmp_path)


def test_another_version_is_refused(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    with duckdb.connect(str(tmp_path / "published.duckdb")) as other:
        other.execute("UPDATE groundswell SET version = 99")
    with pytest.raises(StoreError, match="another version of the format"):
        Store.open(tmp_path)


def test_there_is_nothing_to_read_where_nothing_was_published(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file; publish something first"):
        Store.open(tmp_path / "nowhere", read_only=True)
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="cannot be made"):
        Store.open(tmp_path / "file" / "data")


def test_the_database_reads_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a,b\n1,2\n")
    with Store.open(tmp_path / "data") as store:
        with pytest.raises(StoreError, match="PermissionException"):
            store._rows(f"SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')")
        with pytest.raises(StoreError):
            store._rows(f"COPY records TO '{tmp_path / 'copy.csv'}'")
        assert store._rows("SELECT current_setting('temp_directory')") == [("",)]
