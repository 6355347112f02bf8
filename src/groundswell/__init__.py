"""Groundswell: what the public is saying, as it happens. Never who.

>>> import groundswell
>>> [record.phrases for record in groundswell.replay([])]
[]

`replay` runs recorded posts through the same line as the main job and gives the published records. The
command line (`groundswell run`) is the usual way in.
"""

from importlib.metadata import version

from groundswell.errors import (
    ConfigurationError,
    GroundswellError,
    SourceError,
    StoreError,
    UsageError,
)
from groundswell.pipeline import LineSettings
from groundswell.published import Amplification, Bin, Coverage, Event, Mood, Narrative, Place
from groundswell.recordings import replay
from groundswell.store import Store

__all__ = [
    "Amplification",
    "Bin",
    "ConfigurationError",
    "Coverage",
    "Event",
    "GroundswellError",
    "LineSettings",
    "Mood",
    "Narrative",
    "Place",
    "SourceError",
    "Store",
    "StoreError",
    "UsageError",
    "__version__",
    "replay",
]

__version__ = version("groundswell")
