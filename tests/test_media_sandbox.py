"""Whatever a file does to a worker stays in the worker: real processes, and parts that try to get out."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from groundswell.drops import MediaDrop
from groundswell.media.findings import Hints
from groundswell.media.formats import Format
from groundswell.media.jobs import Answer, Job, JobKind, Shielded, decode_answer, encode_answer
from groundswell.media.sandbox import Worker
from tests.media_files import packed, picture, video

PNG = packed(picture(), "PNG")
READ = Job(JobKind.READ)
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the kernel's locks are Linux's")


def worker(function: str) -> Worker:
    return Worker(f"tests.media_files:{function}")


@pytest.fixture(scope="module")
def plain() -> Iterator[Worker]:
    with worker("plain_eyes") as started:
        yield started


@pytest.fixture
def bad() -> Iterator[Worker]:
    with worker("misbehaving_eyes") as started:
        yield started


def attempt(started: Worker, what: str, wall_seconds: float = 30.0, cpu_seconds: float = 30.0) -> Answer:
    job = Job(JobKind.READ, Hints((what,)), cpu_seconds)
    return started.ask(job, PNG, wall_seconds)[0]


def told(answer: Answer) -> str:
    assert answer.drop is None
    return answer.frames[0].findings.tags[0].name


def test_what_the_parts_see_comes_back(plain: Worker) -> None:
    answer, _ = plain.ask(Job(JobKind.READ, Hints(("ukr", "rus"))), PNG, 30)
    assert (answer.format, answer.drop, answer.absent) == ("png", None, ("text",))
    (frame,) = answer.frames
    assert (frame.width, frame.height) == (320, 240)
    assert frame.findings.texts[0].text == "ukr rus"
    assert frame.findings.tags[0].name == str(int(picture().mean()))
    assert frame.fingerprint.quality > 50


def test_a_fingerprint_costs_no_look(plain: Worker) -> None:
    answer, _ = plain.ask(Job(JobKind.FINGERPRINT), PNG, 30)
    assert answer.frames[0].findings.tags == ()
    assert answer.frames[0].fingerprint.quality > 50


def test_a_video_comes_back_frame_by_frame(plain: Worker) -> None:
    answer, _ = plain.ask(READ, video([2, 2]), 60)
    assert (answer.format, answer.drop) == (Format.MP4, None)
    assert len(answer.frames) == 2


def test_a_refusal_comes_back_as_its_reason(plain: Worker) -> None:
    begun = len(plain.ended)
    for data, reason in (
        (b"", MediaDrop.EMPTY),
        (b"%PDF", MediaDrop.FORMAT_NOT_ALLOWED),
        (PNG[:900], MediaDrop.TRUNCATED),
    ):
        assert plain.ask(READ, data, 30)[0].drop is reason
    assert len(plain.ended) == begun


def test_a_shielded_picture_is_pixels_and_fails_closed(plain: Worker) -> None:
    assert plain.ask(Job(JobKind.SHIELD), PNG, 30)[0].drop is MediaDrop.PART_ABSENT
    with worker("shielding_eyes") as shielding:
        answer, pixels = shielding.ask(Job(JobKind.SHIELD), PNG, 30)
        assert answer.drop is None
        assert pixels is not None
        assert (pixels[:, :160] == 0).all()
        assert np.array_equal(pixels[:, 160:], picture()[:, 160:])
        answer, pixels = shielding.ask(Job(JobKind.SHIELD), packed(picture(height=13), "PNG"), 30)
        assert (answer.drop, pixels) == (MediaDrop.STEP_FAILED, None)
        assert shielding.ask(Job(JobKind.SHIELD), video([1]), 30)[0].drop is MediaDrop.FORMAT_NOT_ALLOWED


@LINUX
def test_a_worker_says_what_it_gave_up(plain: Worker) -> None:
    plain.start()
    assert plain.locks.limits
    assert plain.locks.python


@LINUX
def test_no_connection_is_made(bad: Worker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        assert told(attempt(bad, f"connect {port}")).startswith("refused")
        with pytest.raises(TimeoutError):
            server.accept()
    if bad.locks.syscalls:
        assert told(attempt(bad, "connect_below")) == "refused"


@LINUX
def test_nothing_is_written_and_only_the_program_is_read(bad: Worker, tmp_path: Path) -> None:
    secret = tmp_path / "publish.key"
    secret.write_bytes(b"secret")
    assert told(attempt(bad, f"write {tmp_path / 'new'}")).startswith("refused")
    assert told(attempt(bad, f"read {sys.prefix}/pyvenv.cfg")) == "done"
    if bad.locks.syscalls:
        assert told(attempt(bad, f"write_below {tmp_path / 'new'}")) == "refused"
        assert told(attempt(bad, f"write_below {secret}")) == "refused"
        assert told(attempt(bad, "run_below")) == "refused"
    if bad.locks.files:
        assert told(attempt(bad, f"read {secret}")).startswith("refused")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["publish.key"]
    assert secret.read_bytes() == b"secret"


@pytest.mark.parametrize(
    ("what", "drops"),
    [
        ("hang", {MediaDrop.OUT_OF_TIME}),
        ("crash", {MediaDrop.WORKER_DIED}),
        ("babble", {MediaDrop.WORKER_DIED}),
        ("gulp", {MediaDrop.OUT_OF_MEMORY}),
    ],
)
def test_a_worker_that_goes_wrong_is_replaced(bad: Worker, what: str, drops: set[MediaDrop]) -> None:
    assert attempt(bad, what, wall_seconds=3.0).drop in drops
    assert len(bad.ended) == 1
    assert told(attempt(bad, f"read {sys.prefix}/pyvenv.cfg")) == "done"


@LINUX
def test_cpu_time_ends_by_the_kernel(bad: Worker) -> None:
    assert attempt(bad, "spin", wall_seconds=60, cpu_seconds=1).drop is MediaDrop.OUT_OF_TIME


def test_an_answer_that_lies_is_no_answer() -> None:
    shown = Answer(shielded=Shielded(4, 4))
    assert decode_answer(encode_answer(shown, np.zeros((4, 4, 3), np.uint8)))[0] == shown
    for message in (
        b"",
        b"\xff\xff\xff\xff",
        encode_answer(shown),
        encode_answer(Answer(), np.zeros((4, 4, 3), np.uint8)),
        encode_answer(Answer(shielded=Shielded(1 << 40, 4))),
        encode_answer(Answer(absent=("x" * 300,))),
    ):
        with pytest.raises(ValueError):
            decode_answer(message)
