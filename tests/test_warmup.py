"""Kernels are compiled before posts wait for them, and what is compiled later is announced."""

from __future__ import annotations

import subprocess
import sys
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


@pytest.mark.parametrize(
    ("stage", "kernel"),
    [("enrich", "groundswell.enrich.mood._guess"), ("detect", "groundswell.detect.runs._runs")],
)
def test_what_few_posts_need_is_compiled_too(stage: str, kernel: str) -> None:
    module, _, name = kernel.rpartition(".")
    code = (
        f"from groundswell.warmup import STAGES; STAGES[{stage!r}]()\n"
        f"import {module}; assert {kernel}.signatures, {name!r}"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


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
