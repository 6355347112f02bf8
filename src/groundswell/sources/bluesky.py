"""What an `app.bsky.feed.post` record says: its text, links, pictures and self-labels.

Owns the record's lexicon as far as it is read. Alternative texts, link previews, quotes and reply edges are
not read; nor are mentions, which the gate would only have to take out again.
"""

from __future__ import annotations

import msgspec

from groundswell.clock import SECOND_US

__all__ = [
    "COLLECTION",
    "Embed",
    "Record",
    "is_years_off",
    "links",
    "marks",
    "pictures",
    "short_list",
    "text_of",
]

COLLECTION = "app.bsky.feed.post"
MAX_ITEMS = 32
"""Links, pictures, languages or labels read of one post."""
MAX_ITEM_LENGTH = 4096
MAX_CID_LENGTH = 256
_MEAN_YEAR_US = 31_556_952 * SECOND_US


class _Link(msgspec.Struct, gc=False, rename={"cid": "$link"}):
    cid: str


class _Blob(msgspec.Struct, gc=False):
    ref: _Link | None = None
    cid: str | None = None  # blobs of before 2023


class _Image(msgspec.Struct, gc=False):
    image: _Blob | None = None


class _External(msgspec.Struct, gc=False):
    uri: str = ""


class Embed(msgspec.Struct, gc=False):
    external: _External | None = None
    images: list[_Image] | None = None
    video: _Blob | None = None
    media: Embed | None = None  # of `recordWithMedia`


class _Feature(msgspec.Struct, gc=False):
    uri: str | None = None


class _Facet(msgspec.Struct, gc=False):
    features: list[_Feature] = []


class _Label(msgspec.Struct, gc=False):
    val: str


class _SelfLabels(msgspec.Struct, gc=False):
    values: list[_Label] = []


class Record(msgspec.Struct, gc=False):
    """The parts of the record that are read; anything else in it is skipped."""

    text: str
    created_at: str | None = msgspec.field(default=None, name="createdAt")
    langs: list[str] | None = None
    facets: list[_Facet] | None = None
    embed: Embed | None = None
    labels: _SelfLabels | None = None
    tags: list[str] | None = None


def text_of(record: Record) -> str:
    """The text, with those of the record's outline tags that it does not have as hashtags yet."""
    if not record.tags:
        return record.text
    spoken = record.text.casefold()
    added = [f"#{tag}" for tag in short_list(record.tags) if f"#{tag.casefold()}" not in spoken]
    return " ".join((record.text, *added))


def links(record: Record) -> tuple[str, ...]:
    """Web addresses of the link facets and the link card, each once."""
    found: list[str | None] = []
    for facet in record.facets or ():
        found += [feature.uri for feature in facet.features]
    for part in () if record.embed is None else _parts(record.embed):
        if part.external is not None:
            found.append(part.external.uri)
    if not found:
        return ()
    web = (link for link in dict.fromkeys(found) if link and link.startswith("http"))
    return short_list(list(web))


def pictures(embed: Embed, did: str) -> tuple[str, ...]:
    """References to the pictures and the video, as `at-blob:DID/CID`."""
    blobs: list[_Blob | None] = []
    for part in _parts(embed):
        blobs += [image.image for image in part.images or ()]
        blobs.append(part.video)
    cids = [
        blob.ref.cid if blob.ref is not None else blob.cid for blob in blobs[:MAX_ITEMS] if blob is not None
    ]
    return tuple(f"at-blob:{did}/{cid}" for cid in cids if cid and len(cid) <= MAX_CID_LENGTH)


def _parts(embed: Embed) -> tuple[Embed, ...]:
    return (embed,) if embed.media is None else (embed, embed.media)


def marks(record: Record) -> tuple[str, ...]:
    """The author's labels on the post, such as `!no-unauthenticated`."""
    if record.labels is None:
        return ()
    return tuple(label.val for label in record.labels.values[:MAX_ITEMS] if len(label.val) <= 128)


def is_years_off(record: Record, time_us: int) -> bool:
    """Whether the author's clock and ours disagree by more than a year: an imported archive, or a lie.

    Only the year is compared; a record without a readable year is taken at its time of receipt.
    """
    try:
        year = int((record.created_at or "")[:4])
    except ValueError:
        return False
    return abs(year - (1970 + time_us // _MEAN_YEAR_US)) > 1


def short_list(items: list[str]) -> tuple[str, ...]:
    """At most `MAX_ITEMS` of `items`, without empty and overlong ones."""
    if len(items) == 1 and 0 < len(items[0]) <= MAX_ITEM_LENGTH:
        return (items[0],)  # one language, one link: most of the calls
    return tuple(item for item in items[:MAX_ITEMS] if 0 < len(item) <= MAX_ITEM_LENGTH)
