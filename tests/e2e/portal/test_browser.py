"""The portal in a browser: weight, accessibility, and what the light curve does. How soon: benchmarks/portal.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[3]
OBJECT, LONG = "/objects/ZTF26aaaaaaa", "/objects/ZTF26zzzzzzz"
PAGES = ["/", "/?topic=all", "/?class=sn_ia", OBJECT, LONG, "/objects/nobody", "/?night=19990101"]
Open = Callable[..., object]
SHIFT = """() => new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((e) => (sum += e.value)))
        .observe({type: 'layout-shift', buffered: true});
    setTimeout(() => resolve(sum), 100);
})"""


def figure(page: Page) -> dict[str, float]:
    """What the light curve says of itself: points and upper limits shown, ends of the value axis."""
    facts = page.locator("#curve").evaluate("(figure) => ({...figure.dataset})")
    return {name: float(value) for name, value in facts.items()}


@pytest.mark.parametrize("theme", ["light", "dark", "night"])
@pytest.mark.parametrize("width", [1400, 390])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_and_fits(open_page: Open, tmp_path: Path, path: str, width: int, theme: str) -> None:
    visit = open_page(path, width=width, theme=theme)
    page = visit.page
    page.screenshot(path=tmp_path / "page.png", full_page=True)
    page.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [(v["id"], v["nodes"][0]["html"], v["nodes"][0]["failureSummary"]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    missing = "status of 404" if path == "/objects/nobody" else "-"
    assert [text for text in visit.trouble if missing not in text] == []


def test_a_class_is_chosen_by_keyboard_without_javascript(open_page: Open) -> None:
    page = open_page("/", javascript=False).page
    page.locator(".topics a").first.focus()
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.locator(".classes a:focus", has_text="Supernova of type Ia").count():
            page.keyboard.press("Enter")
            break
    expect(page.locator("#latest-title")).to_have_text("Latest of Supernova of type Ia")
    assert page.locator(".candidates tbody tr").count() == 1


@pytest.mark.parametrize(("path", "bytes_allowed"), [(OBJECT, 150_000), (LONG, 200_000)])
def test_an_object_s_page_keeps_its_budget(open_page: Open, path: str, bytes_allowed: int) -> None:
    visit = open_page(path)
    page = visit.page
    assert 30_000 < visit.received <= bytes_allowed
    assert len(visit.requests) <= 12
    assert visit.sent == 0
    assert page.evaluate("document.querySelectorAll('*').length") <= 2500
    assert page.evaluate(SHIFT) <= 0.05


def test_a_band_is_hidden_with_its_upper_limits(open_page: Open) -> None:
    page = open_page(OBJECT).page
    before = figure(page)
    page.locator(".chip", has_text="g").first.locator("input[value=g]").uncheck()
    after = figure(page)
    in_g = page.evaluate("""() => {
        const d = JSON.parse(document.getElementById('curve-data').textContent);
        const g = d.bands.indexOf('g'), limit = d.kinds.indexOf('upper_limit');
        return d.band.filter((b, i) => b === g && d.kind[i] === limit).length;
    }""")
    assert in_g > 0
    assert before["upperLimits"] - after["upperLimits"] >= in_g
    assert before["shown"] - after["shown"] > in_g
    expect(page.locator("#curve-status")).to_contain_text(f"{int(after['shown'])} of 60 points")


def test_upper_limits_and_low_quality_points_can_be_switched(open_page: Open) -> None:
    page = open_page(OBJECT).page
    before = figure(page)
    page.locator("input[value=upper_limit]").uncheck()
    assert figure(page)["upperLimits"] == 0
    page.locator("input[value=upper_limit]").check()
    page.locator("input[value=low_quality]").check()
    assert figure(page)["shown"] > before["shown"]


def test_brighter_is_up_in_magnitudes_and_in_fluxes(open_page: Open) -> None:
    page = open_page(OBJECT).page
    magnitudes = figure(page)
    assert magnitudes["top"] < magnitudes["bottom"]
    page.get_by_label("Flux").check()
    fluxes = figure(page)
    assert fluxes["top"] > fluxes["bottom"]
    assert fluxes["upperLimits"] == 0
    brightest = 10 ** (0.4 * (31.4 - magnitudes["top"])) / 1000  # µJy
    assert fluxes["top"] == pytest.approx(brightest, rel=0.5)


def test_the_chosen_unit_is_remembered(open_page: Open) -> None:
    page = open_page(OBJECT).page
    page.get_by_label("Flux").check()
    page.reload()
    assert page.locator("input[value=flux]").is_checked()
    assert figure(page)["top"] > figure(page)["bottom"]


def test_the_pointer_reads_a_point_as_the_table_does(open_page: Open) -> None:
    page = open_page(OBJECT).page
    newest = page.locator(".points tbody tr").first.locator("td.num").first.inner_text()
    box = page.locator("#curve .u-over").bounding_box()
    assert box is not None
    for x in range(int(box["width"]) - 4, int(box["width"]) - 60, -4):
        for y in range(4, int(box["height"]), 24):
            page.mouse.move(box["x"] + x, box["y"] + y)
            tip = page.locator("#curve .tip")
            if tip.is_visible():
                assert newest in tip.inner_text()
                assert "MJD 61109.2500 · 2026-03-10" in tip.inner_text()
                return
    raise AssertionError("no point answered the pointer")


def test_a_stretch_of_time_can_be_seen_closer_and_left_again(open_page: Open) -> None:
    page = open_page(OBJECT).page
    whole = figure(page)
    box = page.locator("#curve .u-over").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + 60, steps=4)
    page.mouse.up()
    assert figure(page)["bottom"] - figure(page)["top"] < whole["bottom"] - whole["top"]
    page.get_by_role("button", name="Full curve").click()
    assert figure(page)["top"] == whole["top"]


def test_points_are_drawn_in_the_colour_of_their_band(open_page: Open) -> None:
    page = open_page(OBJECT).page
    count = """(band) => {
        const probe = document.querySelector(`.chip .band-${band}`);
        const [r, g, b] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
        const canvas = document.querySelector('#curve canvas');
        const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
        let n = 0;
        for (let i = 0; i < pixels.length; i += 4) n += pixels[i] === r && pixels[i + 1] === g && pixels[i + 2] === b;
        return n;
    }"""
    assert page.evaluate(count, "g") > 100
    page.locator("input[value=g]").uncheck()
    assert page.evaluate(count, "g") == 0
    assert page.evaluate(count, "r") > 100


def test_cutouts_are_drawn_and_stretched_without_another_request(open_page: Open) -> None:
    visit = open_page(OBJECT)
    page = visit.page
    sample = """() => Array.from(
        document.querySelector('canvas[data-kind=science]').getContext('2d').getImageData(0, 0, 63, 63).data)"""
    n_requests, asinh = len(visit.requests), page.evaluate(sample)
    assert len(set(asinh)) > 50
    page.get_by_label("linear").check()
    linear = page.evaluate(sample)
    page.get_by_label("invert").check()
    inverted = page.evaluate(sample)
    assert sum(linear[::4]) < sum(asinh[::4]) < sum(inverted[::4])
    assert len(visit.requests) == n_requests


def test_a_failed_load_of_the_cutouts_is_reported(open_page: Open) -> None:
    page = open_page("/").page
    page.context.route("**/cutouts", lambda route: route.fulfill(status=500, body="no"))
    page.goto(page.url.rstrip("/") + OBJECT)
    expect(page.locator(".cutouts .trouble")).to_have_text("The cutouts could not be loaded: the server answered 500.")


def test_the_slash_key_goes_to_the_search_and_enter_to_the_object(open_page: Open) -> None:
    page = open_page("/").page
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("ZTF26aaaaaaa/")
    expect(page.locator("#q")).to_have_value("ZTF26aaaaaaa/")
    page.keyboard.press("Backspace")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{OBJECT}")


def test_the_first_tab_stop_skips_to_the_content(open_page: Open) -> None:
    page = open_page(OBJECT).page
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_the_theme_is_kept_and_night_has_red_light_only(open_page: Open, tmp_path: Path) -> None:
    page = open_page(OBJECT).page
    page.get_by_role("button", name="Night").click()
    page.reload(wait_until="networkidle")
    assert page.evaluate("document.documentElement.dataset.theme") == "night"
    colours = page.evaluate("""() => [...document.querySelectorAll('body, body *')].flatMap((e) => {
        const s = getComputedStyle(e);
        return [s.color, s.backgroundColor].map((c) => c.match(/[\\d.]+/g).map(Number));
    })""")
    seen = [c for c in colours if len(c) == 3 or c[3] > 0]
    assert all(red >= green and red >= blue and blue <= 160 for red, green, blue, *_ in seen)
    assert max(green + blue for red, green, blue, *_ in seen if red < 200) < 120


def test_everything_can_be_read_without_javascript(open_page: Open) -> None:
    page = open_page(OBJECT, javascript=False).page
    expect(page.locator("svg.plot")).to_be_visible()
    expect(page.locator(".cutouts img")).to_have_count(3)
    assert page.locator(".cutouts img").first.evaluate("(image) => image.naturalWidth") == 63
    expect(page.locator(".cutouts canvas").first).to_be_hidden()
    expect(page.locator(".themes")).to_be_hidden()
    expect(page.locator(".points tbody tr")).to_have_count(50)
    page.get_by_role("link", name="Older").click()
    expect(page.locator(".points tbody tr")).to_have_count(10)
    assert re.search(r"points=2", page.url)


def test_without_the_plot_package_the_server_s_drawing_stays(open_page: Open) -> None:
    page = open_page("/").page
    page.context.route("**/vendor/*.js", lambda route: route.abort())
    page.goto(page.url.rstrip("/") + OBJECT, wait_until="networkidle")
    expect(page.locator("svg.plot")).to_be_visible()
    expect(page.locator("#curve canvas")).to_have_count(0)
