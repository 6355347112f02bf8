"""The desk that looks at pictures, put together from what the line already knows of texts.

Owns the wiring beside `pipeline`: the media stage asks the gate's redaction, the name lexicon and the
language model through functions, and imports none of them.
"""

from __future__ import annotations

import pyarrow as pa
import structlog

from groundswell.clock import Clock
from groundswell.enrich import Languages
from groundswell.gate import Redactor
from groundswell.media import Desk, Fetch, Fetcher, Judges, MediaSettings, Pool, Reading
from groundswell.metrics import Metrics
from groundswell.names import NameLexicon

__all__ = ["open_desk"]

_SURE = 0.5

log = structlog.get_logger("groundswell.media")


def open_desk(
    settings: MediaSettings,
    names: NameLexicon,
    floor_k: int,
    metrics: Metrics,
    clock: Clock,
    fetch: Fetch | None = None,
) -> Desk | None:
    """The desk, or None where pictures are not to be looked at.

    Parameters
    ----------
    fetch
        Gives the bytes behind a reference; by default from public addresses on the network.
    """
    if not settings.enabled:
        return None
    languages = Languages()
    redactor = Redactor()

    def language(text: str) -> str:
        none = pa.array([[]], pa.list_(pa.string()))
        codes, confidences = languages.identify(pa.array([text], pa.string()), none)
        return str(codes[0].as_py()) if confidences[0].as_py() >= _SURE else "und"

    judges = Judges(redact=redactor.redact_text, names=names.person_like, language=language)
    fetcher = fetch or Fetcher(settings.fetch, clock, metrics).fetch
    return Desk(
        settings, Reading(fetcher, Pool(settings.pool, metrics, eager=True), judges), floor_k, metrics
    )
