"""The page in a real browser: what it says of its state, how it takes news, and that phrases stay words.

Needs the `browser` extra and a Chromium on the path.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image as Drawing

from groundswell.clock import MINUTE_US, rfc3339
from groundswell.console import SourceStatus
from groundswell.published import Image, Picture, Record
from tests.console_world import (
    NOW_US,
    Console,
    bins,
    console,
    copies,
    event,
    flood,
    gap,
    shortfall,
    simulated,
)
from tests.store_records import picture

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: the `browser` extra has it"
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
if CHROMIUM is None:
    pytest.skip("no Chromium on the path", allow_module_level=True)

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "<script>window.taken=1</script>",
    '"><svg onload=window.taken=1>',
    "javascript:window.taken=1",
    "\u202edesrever\u202c",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page that fails its test on a script error, a refused load, or a request to another host."""
    trouble: list[str] = []
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(30_000)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on(
        "console",
        lambda message: trouble.append(message.text) if "Content Security" in message.text else None,
    )
    page.on("dialog", lambda dialog: trouble.append("a dialog opened"))
    page.on("request", lambda request: None if "//127.0.0.1:" in request.url else trouble.append(request.url))
    yield page
    page.close()
    assert not trouble


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Console]:
    records: list[Record] = [
        event(simulated=True),
        flood(simulated=True),
        copies(simulated=True),
        gap(simulated=True),
    ]
    with console(tmp_path, records, bins("quake", None, None, "20+", "50+", "100+")) as running:
        yield running


def rows(page: Any) -> list[str]:
    """The ids of the listed events, from the top."""
    ids: list[str] = page.eval_on_selector_all(".rows > li", "rows => rows.map((row) => row.dataset.id)")
    return ids


def opened(page: Any, served: Console) -> Any:
    page.goto(served.url)
    page.wait_for_selector(".rows > li")
    return page


def live(**changes: Any) -> Any:
    return simulated(mode="live", **changes)


def image_of(record: Picture) -> Image:
    out = io.BytesIO()
    Drawing.new("RGB", (64, 48), (40, 90, 160)).save(out, "JPEG")
    return Image(id=record.id, media_type="image/jpeg", published_at=record.published_at, body=out.getvalue())


def test_a_picture_comes_with_its_crowd_and_goes_with_it(page: Any, served: Console) -> None:
    opened(page, served)
    shown = picture(event="quake", at_us=NOW_US, words=HOSTILE, width=64, height=48)
    served.publish([shown], images=[image_of(shown)])
    page.wait_for_selector("[data-id=quake] .thumb")
    page.click("[data-id=quake] .row")
    page.wait_for_selector(".album img")
    decoded = "image => image.decode().then(() => image.naturalWidth)"
    assert page.eval_on_selector(".album img", decoded) == 64
    described = page.get_attribute(".album img", "alt")
    assert described.startswith("A picture that 20+ accounts posted; words on it: <img src=x")
    assert page.inner_text(".album").count("Reads") == 1
    served.publish([picture(event="quake", at_us=NOW_US + MINUTE_US, state="withdrawn", media_type=None)])
    page.wait_for_selector(".album img", state="detached")
    page.wait_for_selector(".thumb", state="detached")


def test_a_simulation_is_marked_everywhere(page: Any, served: Console) -> None:
    opened(page, served)
    page.wait_for_selector(".pill.simulated")
    assert page.title() == "(simulated) 2 simulated events · groundswell"
    assert page.inner_text("#count") == "2 simulated events"
    assert page.inner_text("#pill") == "Simulated"
    assert "made up by the simulator" in page.inner_text(".band.simulated")
    assert page.get_attribute("#favicon", "href") == "/static/favicon-simulated.svg"
    page.set_viewport_size({"width": 390, "height": 844})
    assert "Nothing here is happening." in page.inner_text(".band.simulated")


def test_live_is_quiet_but_a_simulated_record_in_it_is_not(page: Any, served: Console) -> None:
    served.set_status(live())
    opened(page, served)
    page.wait_for_selector(".pill.live")
    assert page.query_selector(".band") is None
    assert page.get_attribute("#favicon", "href") == "/static/favicon.svg"
    assert [tag.inner_text() for tag in page.query_selector_all(".tag.simulated")] == [
        "simulated",
        "simulated",
    ]


def test_a_replay_shows_its_own_date(page: Any, served: Console) -> None:
    served.set_status(simulated(mode="replay"))
    opened(page, served)
    page.wait_for_selector(".pill.replay")
    assert page.title().startswith("(replay) ")
    assert "1 May 2026" in page.inner_text(".band.replay")
    assert page.inner_text("#clock") == "1 May 2026, 12:00"


def test_a_gap_and_a_blocked_store_are_said_in_words(page: Any, served: Console) -> None:
    since = rfc3339(NOW_US - 7 * MINUTE_US)
    source = SourceStatus(name="bluesky", state="gap", since=since)
    served.set_status(live(sources=(source,), store_blocked=True))
    opened(page, served)
    page.wait_for_selector(".band.gap")
    assert "bluesky has sent nothing since 1 May 2026, 11:53 UTC." in page.inner_text(".band.gap")
    assert "Records cannot be written" in page.inner_text(".band.lost")
    assert "bluesky: not collected since 1 May 2026, 11:53" in page.inner_text("#coverage-words")


def test_open_gaps_are_loud_in_a_live_page(page: Any, served: Console) -> None:
    served.set_status(live())
    out = shortfall("tur_Latn")
    served.publish([out])
    opened(page, served)
    page.wait_for_selector(".pill.gap")
    assert page.inner_text("#pill") == "Live, 1 gap"
    back = {"published_at": rfc3339(NOW_US + MINUTE_US), "ongoing": False, "state": "restored"}
    served.publish([msgspec.structs.replace(out, **back)])
    page.wait_for_selector(".pill.live")
    assert page.query_selector(".band") is None


def test_a_silent_language_is_drawn_as_below_the_expected_and_never_as_zero(
    page: Any, served: Console
) -> None:
    served.publish([shortfall("tur_Latn", 12)])
    opened(page, served)
    page.wait_for_selector(".band.gap")
    band = page.inner_text(".band.gap")
    assert "Turkish on bluesky: far fewer posts than usual since 11:48 UTC." in band
    words = page.inner_text("#coverage-words")
    assert "0 of 1 source complete. Turkish on bluesky: below expected since 11:48" in words
    assert page.inner_text("#coverage .source.part").split("\n") == ["Turkish", "below expected, 12 min"]
    assert page.inner_text("#coverage .source .word") == "in part"
    strip = "#coverage .source.part .strip"
    assert page.query_selector(f"{strip} .hatched")
    assert page.query_selector(f"{strip} .bare") is None, "it is hatched over what was read, not cut out"
    hatched = [len(page.query_selector_all(f'[data-id="{id}"] .spark .hatched')) for id in ("quake", "flood")]
    assert hatched[0] > hatched[1], "only the Turkish event may have too few"


def test_a_silent_source_is_told_until_it_is_back(page: Any, served: Console) -> None:
    out = shortfall(None, 5, state="not_collected", reason="silent")
    served.publish([out])
    opened(page, served)
    page.wait_for_selector(".band.gap")
    assert "bluesky has sent nothing since 11:55 UTC." in page.inner_text(".band.gap")
    assert page.inner_text("#coverage .source .word") == "not collected, 5 min"
    back = {"published_at": rfc3339(NOW_US + MINUTE_US), "ongoing": False, "state": "restored"}
    served.publish([msgspec.structs.replace(out, **back)])
    page.wait_for_selector(".band.gap", state="detached")
    assert page.inner_text("#coverage .source .word") == "complete"
    assert len(page.query_selector_all("#coverage .strip .bare")) == 2, "what was lost stays lost"


def test_what_was_only_late_leaves_no_mark(page: Any, served: Console) -> None:
    out = shortfall(None, 4, state="delayed", reason="late")
    served.publish([out])
    opened(page, served)
    page.wait_for_selector(".band.gap")
    assert "bluesky has sent nothing, and it may yet come, since 11:56 UTC." in page.inner_text(".band.gap")
    assert len(page.query_selector_all("#coverage .strip .hatched")) == 2
    back = {"published_at": rfc3339(NOW_US + MINUTE_US), "ongoing": False, "state": "restored"}
    served.publish([msgspec.structs.replace(out, **back)])
    page.wait_for_selector(".band.gap", state="detached")
    assert len(page.query_selector_all("#coverage .strip .hatched")) == 1


def test_many_silent_languages_are_summed_up(page: Any, served: Console) -> None:
    codes = ("tur_Latn", "ell_Grek", "jpn_Jpan", "por_Latn", "arb_Arab", "spa_Latn", "hin_Deva", "tha_Thai")
    served.publish([shortfall(code, 20 - place, simulated=True) for place, code in enumerate(codes)])
    opened(page, served)
    page.wait_for_selector(".band.gap")
    told = "Turkish on bluesky, Greek on bluesky, Japanese on bluesky and 5 more: far fewer posts"
    assert told in page.inner_text(".band.gap")
    assert len(page.query_selector_all("#coverage .source.part")) == 6
    assert "and 2 other languages" in page.inner_text("#coverage")


def test_a_row_says_what_where_how_many_and_how_sure(page: Any, served: Console) -> None:
    opened(page, served)
    row = page.inner_text('[data-id="quake"] .row').split("\n")
    assert row[0] == "deprem oldu · sallandık"
    assert row[1:4] == ["Earthquake", "İzmir, Türkiye", "tr el"]
    assert page.inner_text('[data-id="quake"] .number') == "200+"
    assert page.query_selector('[data-id="quake"] .hexagon polygon.full')
    assert page.query_selector('[data-id="flood"] .hexagon polygon.dashed')
    arabic = '[data-id="flood"] .phrases'
    assert page.eval_on_selector(arabic, "words => getComputedStyle(words).direction") == "rtl"
    steps = page.get_attribute('[data-id="quake"] .spark .line', "d")
    assert steps.count("M") == 1, "one unbroken line"
    assert steps.count("H") == 3, "nothing is drawn under the floor"
    assert page.query_selector('[data-id="quake"] .spark .hatched'), "the gap is hatched"


def test_new_events_wait_while_somebody_reads(page: Any, served: Console) -> None:
    opened(page, served)
    assert rows(page) == ["quake", "flood"]
    page.keyboard.press("j")
    served.publish([event("first", minutes_ago=2), event("second", minutes_ago=1)])
    page.wait_for_selector("#held:not([hidden])")
    page.locator("#held-count", has_text="2 new").wait_for()
    assert rows(page) == ["quake", "flood"], "nothing moves"
    assert page.inner_text("#news") == "2 new events waiting. Press N to show."
    page.keyboard.press("n")
    assert rows(page) == ["second", "first", "quake", "flood"]
    assert page.is_hidden("#held")
    assert page.evaluate("document.activeElement.closest('li').dataset.id") == "quake", "the focus stays"


def test_new_events_come_in_by_themselves_while_nobody_reads(page: Any, served: Console) -> None:
    opened(page, served)
    served.publish([event("fresh", minutes_ago=1)])
    page.wait_for_selector('[data-id="fresh"]')
    assert rows(page) == ["fresh", "quake", "flood"]


def test_a_changed_event_changes_in_place(page: Any, served: Console) -> None:
    opened(page, served)
    later = rfc3339(NOW_US + MINUTE_US)
    served.publish([flood(accounts="500+", published_at=later, simulated=True)], bins("flood", "200+"))
    page.locator('[data-id="flood"] .number', has_text="500+").wait_for()
    assert "was 50+" in page.inner_text('[data-id="flood"] .since')
    page.wait_for_selector('[data-id="flood"] .spark .line[d^="M"]', state="attached")
    assert rows(page) == ["quake", "flood"]


def test_an_empty_page_explains_itself_until_the_first_event(page: Any, tmp_path: Path) -> None:
    with console(tmp_path) as served:
        page.goto(served.url)
        page.wait_for_selector("#empty:not([hidden])")
        assert "at least 20 accounts" in page.inner_text("#empty")
        assert page.inner_text("#count") == "No simulated events yet"
        served.publish([event()])
        page.wait_for_selector('[data-id="quake"]')
        assert page.is_hidden("#empty")


def test_a_lost_stream_is_said(page: Any, tmp_path: Path) -> None:
    with console(tmp_path, [event()]) as served:
        opened(page, served)
    page.wait_for_selector(".pill.lost")
    assert page.inner_text("#pill") == "Reconnecting"
    assert "may be old" in page.inner_text(".band.lost")


def test_hostile_phrases_stay_words(page: Any, served: Console) -> None:
    served.set_status(live())
    domains = ("<b>bold</b>.test",)
    hostile = event("hostile", phrases=HOSTILE, category="<i>x</i>", domains=domains, sources=("bluesky",))
    served.publish([hostile, msgspec.structs.replace(copies("evil"), phrases=HOSTILE)])
    opened(page, served)
    page.click('[data-id="hostile"] .row')
    page.wait_for_selector('[data-id="hostile"] .detail')
    shown = page.eval_on_selector_all(
        '[data-id="hostile"] .row .phrase', "words => words.map((word) => word.textContent)"
    )
    assert tuple(shown) == HOSTILE
    assert page.query_selector("main img, main script, main i i, aside img, aside script, aside b b") is None
    assert page.evaluate("window.taken") is None
    links = page.eval_on_selector_all(
        '[data-id="hostile"] a', "links => links.map((link) => [link.href, link.rel])"
    )
    assert len(links) == len(HOSTILE)
    for href, rel in links:
        assert href.startswith("https://bsky.app/search?q=%22")
        assert rel == "noopener noreferrer"


def test_keys_open_close_and_turn_the_theme(page: Any, served: Console) -> None:
    opened(page, served)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    detail = page.inner_text('[data-id="quake"] .detail')
    assert "sure (94 % of the clues agree), within an area of about 36\u00a0km²" in detail
    assert "at least 200 accounts (the next step is 500)" in detail
    assert page.query_selector('[data-id="quake"] .detail a') is None, (
        "there is nothing to read of a simulation"
    )
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert [item.get_attribute("data-id") for item in page.query_selector_all("li.open")] == ["flood"]
    page.keyboard.press("Escape")
    assert page.query_selector(".detail") is None
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("?")
    assert page.is_visible("#keys")


@pytest.mark.parametrize("width", [320, 720, 1021])
def test_the_page_never_scrolls_sideways(page: Any, served: Console, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    served.publish([event("long", phrases=("x" * 300, "deprem " * 40), minutes_ago=1)])
    opened(page, served)
    page.click('[data-id="long"] .row')
    assert page.evaluate("document.documentElement.scrollWidth") <= width
