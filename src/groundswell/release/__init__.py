"""The line: what only crowds can cross. The one stage that sees both candidates and published records."""

from groundswell.release.coverage import CoverageRelease, gap_record, is_gap, shortfall_id
from groundswell.release.floor import CODE_FLOOR, Floor, ReleaseSettings
from groundswell.release.geography import PopulationGrid
from groundswell.release.ladder import Ladder
from groundswell.release.publish_key import PublishKey
from groundswell.release.release import Decision, Marks, Release

__all__ = [
    "CODE_FLOOR",
    "CoverageRelease",
    "Decision",
    "Floor",
    "Ladder",
    "Marks",
    "PopulationGrid",
    "PublishKey",
    "Release",
    "ReleaseSettings",
    "gap_record",
    "is_gap",
    "shortfall_id",
]
