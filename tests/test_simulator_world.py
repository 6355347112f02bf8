"""The simulated world: the same seed gives the same bytes, and its truth agrees with its lines."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from PIL import Image

from groundswell.clock import HOUR_US, MINUTE_US
from groundswell.errors import UsageError
from groundswell.simulator import (
    PlantedCampaign,
    PlantedEvent,
    PlantedOutage,
    PlantedPileOn,
    Silence,
    World,
    WorldSettings,
    event_free,
    many_voices,
    scoring_world,
    simulated_hour,
)
from groundswell.simulator.vocabulary import KINDS, languages

HARM = frozenset(KINDS) - {"assembly", "election", "sport"}
START_US = 1_777_593_600_000_000

Posts = list[dict[str, Any]]


@pytest.fixture(scope="module")
def world() -> World:
    """Four hours with everything in it."""
    settings = scoring_world(5)
    return World(
        WorldSettings(
            seed=5,
            hours=settings.hours,
            posts_per_second=settings.posts_per_second / 2,
            events_per_hour=settings.events_per_hour,
            campaigns_per_hour=2,
            pile_ons_per_hour=1,
            slow_events_per_hour=0.5,
            outages_per_hour=0.5,
        )
    )


@pytest.fixture(scope="module")
def posts(world: World) -> Posts:
    return [json.loads(line) for line in world.lines("plain")]


@pytest.fixture(scope="module")
def messages(world: World) -> Posts:
    return [json.loads(line) for line in world.lines("jetstream")]


@pytest.fixture(scope="module")
def found(world: World, posts: Posts) -> dict[str | None, Posts]:
    """The posts by their label."""
    labelled: dict[str | None, Posts] = defaultdict(list)
    for post in posts:
        labelled[world.label(post["id"])].append(post)
    return labelled


def time_us(post: dict[str, Any]) -> int:
    moment = datetime.fromisoformat(post["created_at"])
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


def created(messages: Posts) -> Posts:
    posts = (m for m in messages if m["kind"] == "commit" and m["commit"]["operation"] == "create")
    return [m for m in posts if m["commit"]["collection"] == "app.bsky.feed.post"]


def test_the_same_seed_gives_the_same_bytes_however_it_is_read() -> None:
    settings = WorldSettings(seed=9, hours=1, quiet_minutes=10, malformed_rate=0.01)
    for form in ("jetstream", "plain"):
        whole = list(World(settings).lines(form))
        middle_us = settings.start_us + 35 * MINUTE_US + 12_345_678
        well_read = World(settings)
        well_read.truth, well_read.canaries, well_read.label("3mptbyqhi7s2f")
        late = list(well_read.lines(form, since_us=middle_us))
        assert late == whole[-len(late) :]
        assert 0.3 < len(late) / len(whole) < 0.6
        assert list(well_read.lines(form)) == whole


def test_the_same_seed_gives_the_same_bytes_in_another_process() -> None:
    code = (
        "import sys; from hashlib import sha256; from groundswell.simulator import World, scoring_world\n"
        "lines = World(scoring_world(3)).lines('plain')\n"
        "print(sha256(b''.join(next(lines) for _ in range(10_000))).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(digests) == 1


def test_another_seed_is_another_world() -> None:
    first, second = (set(World(event_free(seed, hours=0.2)).lines("plain")) for seed in (1, 2))
    assert not first & second


def test_both_forms_carry_the_same_posts(posts: Posts, messages: Posts) -> None:
    wire = created(messages)
    assert [m["commit"]["rkey"] for m in wire] == [post["id"] for post in posts]
    assert [m["did"] for m in wire] == [post["account"] for post in posts]
    assert [m["commit"]["record"]["text"] for m in wire] == [post["text"] for post in posts]
    assert [m["time_us"] for m in wire] == [time_us(post) for post in posts]


def test_stream_time_never_runs_back_and_no_two_posts_share_an_id(posts: Posts, messages: Posts) -> None:
    times = [m["time_us"] for m in messages]
    assert times == sorted(times)
    assert len({post["id"] for post in posts}) == len(posts)
    assert all(START_US <= moment < START_US + 4.75 * HOUR_US for moment in times)


def test_jetstream_messages_have_the_envelope_of_version_1(messages: Posts) -> None:
    for message in created(messages)[:2000]:
        commit = message["commit"]
        assert re.fullmatch(r"did:plc:[a-z2-7]{24}", message["did"])
        assert re.fullmatch(r"[2-7a-j][2-7a-z]{12}", commit["rkey"])
        assert re.fullmatch(r"[2-7a-j][2-7a-z]{12}", commit["rev"])
        assert re.fullmatch(r"bafyrei[a-z2-7]{52}", commit["cid"])
        record = commit["record"]
        assert record["$type"] == "app.bsky.feed.post"
        assert record["createdAt"].endswith("Z")
        for facet in record.get("facets", ()):
            index, feature = facet["index"], facet["features"][0]
            marked = record["text"].encode()[index["byteStart"] : index["byteEnd"]].decode()
            assert marked in {feature.get("uri"), f"#{feature.get('tag')}"}
    kinds = Counter(message["kind"] for message in messages)
    assert set(kinds) == {"commit", "account", "identity"}


def test_truth_agrees_with_the_lines(world: World, found: dict[str | None, Posts]) -> None:
    assert set(found) - {None} == {item.id for item in world.truth if not isinstance(item, PlantedOutage)}
    for item in world.truth:
        if isinstance(item, PlantedEvent | PlantedCampaign | PlantedPileOn):
            mine = found[item.id]
            assert len(mine) == item.posts
            assert all(item.start_us <= time_us(post) <= item.end_us for post in mine)


def test_nothing_on_the_wire_tells_the_truth(world: World) -> None:
    wire = b"\n".join(world.lines("jetstream"))
    for item in world.truth:
        assert item.id.encode() not in wire


def test_labels_take_uris_and_refuse_what_is_no_post_of_the_world(world: World, posts: Posts) -> None:
    planted = next(post for post in posts if world.label(post["id"]))
    uri = f"at://{planted['account']}/app.bsky.feed.post/{planted['id']}"
    assert world.label(uri) == world.label(planted["id"]) is not None
    assert world.label("no such post") is None
    assert world.label("2222222222222") is None


def test_rates_are_as_planned() -> None:
    settings = event_free(3, hours=3)
    world = World(settings)
    moments = [time_us(json.loads(line)) for line in world.lines("plain")]
    for hour in range(3):
        start_us = settings.start_us + hour * HOUR_US
        steps = range(start_us, start_us + HOUR_US, MINUTE_US)
        expected = sum(world.background_rate(step) for step in steps) * 60
        seen = sum(start_us <= moment < start_us + HOUR_US for moment in moments)
        # Cascades, floods and automated accounts come on top of the chatter: a tenth, sometimes two.
        assert expected - 4 * expected**0.5 < seen < 1.25 * expected + 4 * expected**0.5


def test_events_have_the_rate_the_onset_and_the_crowd_they_say(
    world: World, found: dict[str | None, Posts]
) -> None:
    outages = [item for item in world.truth if isinstance(item, PlantedOutage)]
    events = [item for item in world.truth if isinstance(item, PlantedEvent)]
    assert sum(event.posts_per_second >= 0.2 for event in events) >= 8
    assert any(event.posts_per_second == 0.05 for event in events)
    for event in events:
        mine = found[event.id]
        expected = event.posts_per_second * (event.end_us - event.start_us) / 1e6
        if not any(gap.start_us < event.end_us and gap.end_us > event.start_us for gap in outages):
            assert abs(len(mine) - expected) < 5 * expected**0.5
        assert len({post["account"] for post in mine}) > 0.9 * len(mine)
        assert len({post["text"] for post in mine}) > 0.6 * len(mine)
        if event.onset == "sudden":
            third_us = (event.end_us - event.start_us) // 3
            early = sum(time_us(post) < event.start_us + third_us for post in mine)
            assert early > 0.4 * len(mine)


def test_the_words_of_an_event_move_on(world: World, found: dict[str | None, Posts]) -> None:
    event = max(
        (i for i in world.truth if isinstance(i, PlantedEvent) and i.kind in HARM),
        key=lambda event: event.posts,
    )
    mine = [post["text"].lower() for post in found[event.id]]
    early, late = (
        Counter(w for text in part for w in set(text.split()))
        for part in (mine[: len(mine) // 4], mine[-len(mine) // 4 :])
    )
    fresh = [
        word for word, count in late.items() if count >= 0.04 * len(mine) / 4 and early[word] <= count / 5
    ]
    assert len(fresh) >= 5
    names = (event.place.lower(), event.local_place.lower())
    placed = sum(any(name in text for name in names) for text in mine)
    assert 0.4 < placed / len(mine) < 0.9


def test_many_languages_in_many_scripts_each_by_its_own_day() -> None:
    assert len(languages()) >= 20
    assert len({language.script for language in languages()}) >= 10
    for language in languages():
        assert set(language.heads) == set(KINDS)
        assert len(set(language.decks["n"]) | set(language.decks["x"])) >= 2500
    heard: Counter[str] = Counter()
    for line in World(event_free(2, hours=1)).lines("plain"):
        heard.update(json.loads(line).get("langs", ()))
    assert set(heard) == {language.code for language in languages()}


def test_deletions_speak_of_posts_and_accounts_of_the_stream(messages: Posts) -> None:
    delivered = {(m["did"], m["commit"]["rkey"]): m["time_us"] for m in created(messages)}
    deletes = [m for m in messages if m["kind"] == "commit" and m["commit"]["operation"] == "delete"]
    delays = [m["time_us"] - delivered[m["did"], m["commit"]["rkey"]] for m in deletes]
    assert 0.008 < len(deletes) / len(delivered) < 0.02
    assert 0.01 < sum(delay < 0 for delay in delays) / len(delays) < 0.12  # some come before their post
    authors = {did for did, _ in delivered}
    gone = [m for m in messages if m["kind"] == "account" and not m["account"]["active"]]
    assert gone
    assert all(m["did"] in authors for m in gone)
    assert {m["account"]["status"] for m in gone} <= {"deleted", "deactivated", "takendown", "suspended"}


def test_an_outage_is_silent(world: World, messages: Posts) -> None:
    outages = [item for item in world.truth if isinstance(item, PlantedOutage)]
    assert outages
    heard = [
        m["time_us"] for m in messages if m["kind"] == "commit" and "like" not in m["commit"]["collection"]
    ]
    for gap in outages:
        assert not any(gap.start_us <= moment < gap.end_us for moment in heard)


def test_a_language_falls_silent_where_the_settings_say_so() -> None:
    """The other languages' posts are what they are without the silence, word for word."""
    settings = WorldSettings(seed=2, hours=0.5, quiet_minutes=30, canary_rate=0.0)
    silence = Silence(minute=10, minutes=10, language="en")
    silenced = World(msgspec.structs.replace(settings, silences=(silence,)))
    (planted,) = silenced.truth
    assert isinstance(planted, PlantedOutage)
    assert planted.language == "en"
    assert (planted.start_us, planted.end_us) == (
        settings.start_us + 10 * MINUTE_US,
        settings.start_us + 20 * MINUTE_US,
    )
    usual, left = (list(world.lines("plain")) for world in (World(settings), silenced))
    lost = set(usual) - set(left)
    assert set(left) < set(usual)
    assert len(lost) > 200
    moments = [msgspec.json.decode(line)["created_at"][11:16] for line in lost]
    assert "00:10" <= min(moments) <= max(moments) < "00:20"
    assert len([line for line in left if b"T00:1" in line]) > 200  # the other languages go on


def test_campaigns_are_near_identical_and_quick(world: World, found: dict[str | None, Posts]) -> None:
    campaigns = [item for item in world.truth if isinstance(item, PlantedCampaign)]
    assert len(campaigns) >= 6
    for campaign in campaigns:
        mine = found[campaign.id]
        assert 15 <= len({post["account"] for post in mine}) == len(mine) <= 200
        assert 30e6 <= campaign.end_us - campaign.start_us <= 120e6
        words = set(campaign.text.split())
        kept = [len(words & set(post["text"].split())) / len(words) for post in mine]
        assert sum(share > 0.7 for share in kept) > 0.9 * len(mine)


def test_a_pile_on_names_its_person_in_most_posts(world: World, found: dict[str | None, Posts]) -> None:
    pile_ons = [item for item in world.truth if isinstance(item, PlantedPileOn)]
    assert pile_ons
    for pile_on in pile_ons:
        mine = found[pile_on.id]
        named = sum(pile_on.name in post["text"] or pile_on.handle in post["text"] for post in mine)
        assert named > 0.75 * len(mine)


def features(text: str) -> set[str]:
    words = re.findall(r"\w+", text.lower())
    return set(words) | {f"{first} {second}" for first, second in pairwise(words)}


def term_bursts(posts: Iterable[dict[str, Any]], start_us: int) -> list[str]:
    """Terms that 20 accounts used within a quarter of an hour, six times the hour before it."""
    bins: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
    for post in posts:
        for feature in features(post["text"]):
            bins[feature][(time_us(post) - start_us) // (5 * MINUTE_US)].add(post["account"])
    bursts = []
    for feature, used in bins.items():
        for last in used:
            recent = set().union(*(used.get(bin_, set()) for bin_ in range(last - 2, last + 1)))
            before = sum(len(used.get(bin_, ())) for bin_ in range(last - 14, last - 2)) / 4
            if last >= 14 and len(recent) >= 20 and len(recent) >= 6 * before:
                bursts.append(feature)
    return bursts


def test_a_world_without_events_has_no_bursts_but_its_cascades() -> None:
    settings = event_free(4, hours=3)
    world = World(settings)
    posts = [json.loads(line) for line in world.lines("plain")]
    chatter = [post for post in posts if not post["text"].startswith("RT ")]
    assert len(chatter) < len(posts)
    assert term_bursts(chatter, settings.start_us) == []
    assert not any(world.label(post["id"]) for post in posts)


def test_the_burst_check_sees_a_planted_event() -> None:
    world = World(WorldSettings(seed=4, hours=3, quiet_minutes=80, campaigns_per_hour=0, pile_ons_per_hour=0))
    posts = (json.loads(line) for line in world.lines("plain"))
    assert term_bursts(posts, world.settings.start_us)


def test_the_simulated_hour_has_events_under_way_when_it_opens() -> None:
    now_us = START_US + 17_000_000
    settings = simulated_hour(now_us)
    world = World(settings)
    assert settings.start_us <= now_us - HOUR_US
    truth = world.truth
    events = [item for item in truth if isinstance(item, PlantedEvent)]
    under_way = [event for event in events if event.start_us < now_us < event.end_us]
    assert len(under_way) >= 4
    first_hour = [
        event for event in events if now_us - 15 * MINUTE_US < event.start_us < now_us + 45 * MINUTE_US
    ]
    assert 12 <= len(first_hour) <= 14
    assert len({event.place for event in first_hour}) == len(first_hour)
    late_us = settings.start_us + 100 * HOUR_US
    assert any(event.start_us > late_us for event in events)
    stream = world.lines("plain", since_us=late_us)
    first = time_us(json.loads(next(stream)))
    assert 0 <= first - late_us < 10_000_000


def test_the_simulated_hour_is_busy_but_not_too_busy() -> None:
    world = World(simulated_hour(START_US + 50 * HOUR_US))
    start_us = world.settings.start_us + HOUR_US
    count = 0
    for line in world.lines("plain", since_us=start_us):
        if time_us(json.loads(line)) >= start_us + HOUR_US:
            break
        count += 1
    assert 7 < count / 3600 < 14


@pytest.mark.parametrize("seed", range(1, 11))
def test_every_scoring_world_has_what_is_scored(seed: int) -> None:
    settings = scoring_world(seed)
    truth = World(settings).truth
    events = [item for item in truth if isinstance(item, PlantedEvent)]
    assert len(events) >= 8
    for event in events:
        assert event.posts_per_second >= 0.2
        assert 20 * MINUTE_US <= event.end_us - event.start_us <= 60 * MINUTE_US
        assert event.start_us >= settings.start_us + 45 * MINUTE_US
        assert event.kind != "assembly"
    assert {type(item) for item in truth} == {PlantedEvent, PlantedCampaign, PlantedPileOn}


def test_malformed_lines_come_on_request_and_leave_the_posts_alone() -> None:
    clean = list(World(event_free(6, hours=0.3)).lines("jetstream"))
    calm = event_free(6, hours=0.3)
    spoiled = list(World(WorldSettings(**{**asdict(calm), "malformed_rate": 0.1})).lines("jetstream"))
    broken = Counter(spoiled) - Counter(clean)
    assert [line for line in spoiled if line not in broken] == clean
    assert 0.07 < sum(broken.values()) / len(clean) < 0.13


def asdict(settings: WorldSettings) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst"])
def test_written_worlds_read_back(tmp_path: Path, suffix: str) -> None:
    world = World(event_free(8, hours=0.1))
    lines = list(world.lines("plain"))
    paths = [tmp_path / f"{name}{suffix}" for name in ("first", "second")]
    assert [world.write(path, "plain") for path in paths] == [len(lines)] * 2
    assert paths[0].read_bytes() == paths[1].read_bytes()
    raw = paths[0].read_bytes()
    if suffix.endswith("gz"):
        raw = gzip.decompress(raw)
    elif suffix.endswith("zst"):
        raw = zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    assert raw.splitlines() == lines


def test_bad_settings_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown kinds"):
        WorldSettings(kinds=("picnic",))
    with pytest.raises(UsageError, match="not above zero"):
        WorldSettings(hours=0)
    with pytest.raises(UsageError, match="did you mean `jetstream`"):
        list(World(event_free(1, hours=0.1)).lines("jetstrem"))  # type: ignore[arg-type]


def test_an_event_is_told_alike_in_several_languages_with_its_place_in_each_script() -> None:
    world = World(many_voices(1))
    events = [planted for planted in world.truth if isinstance(planted, PlantedEvent)]
    told = next(event for event in events if event.twin is None)
    said: dict[str, list[str]] = defaultdict(list)
    for line in world.lines("plain"):
        post = json.loads(line)
        if world.label(post["id"]) == told.id and "langs" in post:
            said[post["langs"][0]].append(post["text"])
    assert (told.place, told.languages) == ("Rosario", ("es", "zh", "fr"))
    assert min(len(said[language]) for language in told.languages) > 0.15 * told.posts
    assert sum("罗萨里奥" in text for text in said["zh"]) > 0.3 * len(said["zh"])


def test_decoys_are_of_one_kind_at_one_time_elsewhere_and_in_another_language() -> None:
    for seed in range(1, 4):
        events = {
            planted.id: planted
            for planted in World(many_voices(seed)).truth
            if isinstance(planted, PlantedEvent)
        }
        twins = [event for event in events.values() if event.twin]
        assert twins
        for event in twins:
            other = events[event.twin or ""]
            assert (other.twin, other.kind) == (event.id, event.kind)
            assert other.place != event.place
            assert not set(other.languages) & set(event.languages)
            assert abs(other.start_us - event.start_us) <= 5 * MINUTE_US


# -- pictures ------------------------------------------------------------------------------------------------


def test_an_events_crowd_posts_its_pictures_and_all_else_stays_as_it_was() -> None:
    plain = WorldSettings(seed=5, hours=0.3, quiet_minutes=1, events_per_hour=10, posts_per_second=1)
    drawn = World(msgspec.structs.replace(plain, picture_share=0.5))
    bare = [json.loads(line) for line in World(plain).lines("plain")]
    illustrated = [json.loads(line) for line in drawn.lines("plain")]
    names = [post.pop("media", [""])[0].rpartition("/")[2] for post in illustrated]
    assert illustrated == bare
    of_events = {name for name, post in zip(names, bare, strict=True) if name and drawn.label(post["id"])}
    shown = {name: names.count(name) for name in of_events}
    assert max(shown.values()) >= 5
    sizes = {Image.open(io.BytesIO(drawn.picture(name))).size for name in of_events}
    assert {(800, 600), (600, 450), (760, 570)} <= sizes


def test_a_picture_is_drawn_alike_each_time_and_unlike_any_other() -> None:
    world = World(WorldSettings(seed=5, picture_share=0.5))
    assert world.picture("bafkreia") == world.picture("bafkreia") != world.picture("bafkreib")
