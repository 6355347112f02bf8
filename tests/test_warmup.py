"""Kernels are compiled before posts wait for them, and what is compiled later is announced."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import structlog
from numba import njit
from numba.core import event

from groundswell import warmup


@pytest.mark.parametrize("stage", warmup.STAGES.values(), ids=warmup.STAGES.keys())
def test_each_stage_takes_its_sample(stage: Callable[[], None]) -> None:
    stage()


def test_an_installation_that_has_compiled_starts_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda _: str(tmp_path))
    monkeypatch.setattr(event, "register", lambda kind, listener: None)  # it would stay for other tests
    warmup._stamp().touch()
    with structlog.testing.capture_logs() as logs:
        warmup.once()
    assert logs == []


def test_kernels_compiled_later_are_announced_once() -> None:
    announcer = warmup._Announcer()
    with structlog.testing.capture_logs() as logs, event.install_listener("numba:compile", announcer):
        njit(lambda number: number + 1)(1)
        njit(lambda number: number + 2)(1)
    assert [entry["log_level"] for entry in logs] == ["info"]
