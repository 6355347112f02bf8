"""The floor: what the operator may set, and what nobody may."""

from __future__ import annotations

import pytest

from groundswell.config import Document
from groundswell.errors import ConfigurationError
from groundswell.release import CODE_FLOOR, Floor, ReleaseSettings


def test_the_defaults_are_those_of_the_privacy_page() -> None:
    settings = ReleaseSettings()
    assert (settings.k, settings.sensitive_k, CODE_FLOOR) == (20, 50, 10)


def test_k_below_ten_is_refused_with_file_key_value_and_mend() -> None:
    document = Document.parse("[release]\nk = 5\n", "groundswell.toml")
    with pytest.raises(ConfigurationError) as caught:
        document.section("release", ReleaseSettings)
    message = str(caught.value)
    for part in ("groundswell.toml", "[release]", "`k` = 5", ">= 10"):
        assert part in message


@pytest.mark.parametrize("k", [9, 1, 0, -20])
def test_python_callers_are_refused_too(k: int) -> None:
    with pytest.raises(ValueError, match=rf"`k` = {k} is below 10; set `k` to 10 or more"):
        ReleaseSettings(k=k)
    with pytest.raises(ConfigurationError, match="set `k` to 10 or more"):
        Floor(k, 50)


def test_sensitive_matters_never_need_fewer_than_the_others() -> None:
    document = Document.parse("[release]\nk = 60\n", "groundswell.toml")
    with pytest.raises(ConfigurationError, match="`sensitive_k` = 50 is below `k` = 60"):
        document.section("release", ReleaseSettings)


def test_ten_is_allowed() -> None:
    document = Document.parse("[release]\nk = 10\n", "groundswell.toml")
    assert document.section("release", ReleaseSettings).k == 10
