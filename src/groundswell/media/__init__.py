"""What pictures and videos show: read in locked-down processes, in memory, beside the text path.

`Fetcher` brings bytes, `Pool` (or one `Worker`) has them looked at, `Families` says which pictures are one
and how many speakers showed them. What looks at pictures is plugged in in `eyes`. Nothing here finds, tells
apart or remembers a face, and nothing writes a picture to disk.
"""

from groundswell.media.desk import Desk, MediaSettings
from groundswell.media.eyes import Eye, Eyes, Shield
from groundswell.media.families import Families, Sighting
from groundswell.media.fetch import Fetched, Fetcher, FetchSettings
from groundswell.media.findings import Box, Emblem, Findings, Hints, Tag, Text
from groundswell.media.fingerprint import Fingerprint
from groundswell.media.jobs import Answer, Job, JobKind, Locks, Seen
from groundswell.media.picture import Frame, Picture
from groundswell.media.pool import Pool, PoolSettings
from groundswell.media.reading import Fetch, Judges, Reading
from groundswell.media.sandbox import Worker

__all__ = [
    "Answer",
    "Box",
    "Desk",
    "Emblem",
    "Eye",
    "Eyes",
    "Families",
    "Fetch",
    "FetchSettings",
    "Fetched",
    "Fetcher",
    "Findings",
    "Fingerprint",
    "Frame",
    "Hints",
    "Job",
    "JobKind",
    "Judges",
    "Locks",
    "MediaSettings",
    "Picture",
    "Pool",
    "PoolSettings",
    "Reading",
    "Seen",
    "Shield",
    "Sighting",
    "Tag",
    "Text",
    "Worker",
]
