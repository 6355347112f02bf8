"""The public face is small, listed, documented, and importable; a new name is a decision."""

from __future__ import annotations

import groundswell

EXPORTED = """
    Amplification Bin ConfigurationError Coverage Event GroundswellError LineSettings Mood Narrative Place
    SourceError Store StoreError UsageError __version__ replay
"""


def test_the_exported_names_are_these_and_no_others() -> None:
    assert sorted(groundswell.__all__) == sorted(EXPORTED.split())


def test_every_exported_name_is_there_and_says_what_it_is() -> None:
    for name in groundswell.__all__:
        value = getattr(groundswell, name)
        if name != "__version__":
            assert value.__doc__, name


def test_replay_is_all_it_takes() -> None:
    assert list(groundswell.replay([])) == []
