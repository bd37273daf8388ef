"""The live slider in a real browser: what happens under the hand, on release, at 0, and for other latents."""

import re
from urllib.parse import parse_qs, urlparse

import pytest
from playwright.sync_api import Page, expect

from benchmarks.browsing import visitors
from tests.browser import driving

USER = 5

pytestmark = pytest.mark.browser


@pytest.fixture
def steer(page: Page, address: str, latent: int) -> Page:
    """The page Steer at strength 0."""
    driving.open_page(page, f"{address}/steer?user={USER}&edits={latent}:0.0")
    driving.scene_of(page)
    return page


def edits_in(page: Page) -> str:
    return parse_qs(urlparse(page.url).query).get("edits", [""])[0]


def test_opens_at_a_strength_that_moves_the_list(page: Page, address: str) -> None:
    driving.open_page(page, f"{address}/steer")
    before, after = (set(driving.titles(driving.scene_of(page).page, side)) for side in ("before", "after"))
    assert len(before) == len(after) == 10
    assert len(after - before) >= 3


def test_at_zero_both_lists_are_the_same_and_it_says_so(steer: Page) -> None:
    assert driving.titles(steer, "before") == driving.titles(steer, "after")
    expect(steer.locator(".steer .said")).to_have_text("Both lists are identical.")


def test_dragging_re_ranks_before_release(steer: Page, latent: int) -> None:
    serial = driving.scene_of(steer).get_attribute("data-serial")
    driving.drag(steer, 16.0)
    expect(steer.locator(".steer .said")).to_contain_text("replaced")
    assert driving.titles(steer, "after") != driving.titles(steer, "before")
    assert driving.scene_of(steer).get_attribute("data-serial") == serial
    assert edits_in(steer) == f"{latent}:0.0"
    driving.release(steer)


def test_release_gives_the_exact_list_and_a_link_to_it(steer: Page, address: str, latent: int) -> None:
    driving.drag(steer, 16.0)
    driving.release(steer)
    expect(steer).to_have_url(re.compile(rf"edits={latent}(:|%3A)16\.0"))
    replayed = driving.titles(steer, "after")
    link = steer.url
    driving.open_page(steer, f"{address}/steer")
    driving.open_page(steer, link)
    driving.scene_of(steer)
    assert driving.titles(steer, "after") == replayed


def test_dragging_back_to_zero_restores_the_list(steer: Page) -> None:
    driving.drag(steer, 16.0)
    driving.release(steer)
    driving.drag(steer, 0.0)
    driving.release(steer)
    assert driving.titles(steer, "before") == driving.titles(steer, "after")


def test_the_keyboard_turns_the_slider(steer: Page) -> None:
    serial = int(driving.scene_of(steer).get_attribute("data-serial"))
    steer.locator(".steer input[type=range]").focus()
    steer.keyboard.press("End")
    steer.wait_for_selector(f'.steer[data-serial="{serial + 1}"]')
    expect(steer).to_have_url(re.compile(r"16\.0"))
    expect(steer.locator(".steer output")).to_have_text("+16.0 sd")


def test_a_second_latent_gets_a_slider_of_its_own_and_goes_again(steer: Page, latent: int) -> None:
    box = steer.get_by_role("combobox", name="Add a latent")
    other = 7 if latent != 7 else 8
    box.fill(f"{other} · ")
    steer.get_by_role("option", name=re.compile(rf"^{other} · ")).click()
    expect(steer.locator(".steer input[type=range]")).to_have_count(2)
    steer.get_by_role("button", name=f"Remove latent {other}").click()
    expect(steer.locator(".steer input[type=range]")).to_have_count(1)
    driving.settled(steer)
    assert edits_in(steer).startswith(f"{latent}:")


def test_a_composed_history(page: Page, address: str, latent: int) -> None:
    driving.open_page(page, f"{address}/steer?history=12-55&edits={latent}:4.0")
    search = page.get_by_role("textbox", name="Add a title to the history")
    search.fill("the")
    search.press("Enter")
    results = page.locator(".st-key-found button:enabled")
    results.first.wait_for()
    assert page.locator(".st-key-found button").count() <= 20
    results.first.click()
    expect(page.locator(".history .card")).to_have_count(3)
    page.locator(".history .out").first.click()
    expect(page.locator(".history .card")).to_have_count(2)
    driving.settled(page)
    assert re.search(r"history=55-\d+", page.url)


def test_the_price_is_measured_on_request(steer: Page) -> None:
    driving.drag(steer, 8.0)
    driving.release(steer)
    button = steer.get_by_role("button", name=re.compile("^(Measure now|Measure exactly)"))
    button.click()
    expect(steer.get_by_text(re.compile("measured at exactly these strengths", re.I))).to_be_visible()
    expect(steer.get_by_test_id("stMetric").first).to_contain_text(re.compile(r"\d+\.\d %.* to [+−]?\d", re.S))


def test_a_finger_turns_the_slider(steer: Page) -> None:
    (x, y), (to, _) = driving.thumb(steer), driving.thumb(steer, 16.0)
    serial = int(driving.scene_of(steer).get_attribute("data-serial"))
    screen = steer.context.new_cdp_session(steer)
    screen.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    moves = [x + (to - x) * step / 10 for step in range(11)]
    for kind, place in [("touchStart", moves[0]), *(("touchMove", move) for move in moves)]:
        screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": place, "y": y}]})
    expect(steer.locator(".steer .said")).to_contain_text("replaced")
    screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    steer.wait_for_selector(f'.steer[data-serial="{serial + 1}"]')
    expect(steer).to_have_url(re.compile(r"edits=\d+(:|%3A)1[56]\."))


def test_rows_keep_still_for_those_who_asked_for_it(steer: Page) -> None:
    steer.emulate_media(reduced_motion="reduce")
    seconds = steer.locator(".steer .after .row").first.evaluate("e => getComputedStyle(e).transitionDuration")
    assert max(float(part.rstrip("s")) for part in seconds.split(", ")) < 0.001


def test_a_kind_is_chosen_stands_in_the_link_and_comes_back(steer: Page, latent: int) -> None:
    steer.get_by_role("combobox", name=f"Kind of edit of latent {latent}").select_option("ablate")
    expect(steer).to_have_url(re.compile(rf"edits={latent}(:|%3A)ablate"))
    expect(steer.locator(".steer output")).to_have_text("all the way")
    driving.settled(steer)
    shown, link = driving.titles(steer, "after"), steer.url
    driving.open_page(steer, link)
    driving.scene_of(steer)
    expect(steer.locator(".steer select.kind")).to_have_value("ablate")
    assert driving.titles(steer, "after") == shown


def test_a_row_of_the_list_opens_its_reasons(steer: Page) -> None:
    title = steer.locator(".steer .after .row bdi").nth(1).inner_text()
    steer.locator(".steer .after .row .why").nth(1).focus()
    steer.keyboard.press("Enter")
    expect(steer.get_by_text(re.compile(r"is at rank \d+"))).to_contain_text(title)
    expect(steer.locator(".st-key-tool-panel .js-plotly-plot")).to_have_count(2)


def test_the_price_follows_the_list_of_a_release(steer: Page) -> None:
    price = steer.get_by_test_id("stMetric").first
    expect(price).to_contain_text("nothing is turned")
    driving.drag(steer, 8.0)
    driving.release(steer)
    expect(price).not_to_contain_text("nothing is turned")
    driving.drag(steer, 0.0)
    driving.release(steer)
    expect(price).to_contain_text("nothing is turned")


def test_what_its_widgets_held_does_not_change_the_next_page(page: Page, address: str, latent: int) -> None:
    """A browser tells it with each click on the next page until that has wholly come."""
    comes = driving.still_coming(page)
    page.goto(f"{address}/steer?user={USER}&edits={latent}:2.0")
    driving.scene_of(page)
    page.locator(".st-key-bar").get_by_role("link", name="Latents vs neurons").click()
    page.get_by_role("combobox", name="Against").press_sequentially("PCA")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("kind=pca"))
    comes()
    driving.settled(page)
    assert "kind=pca" in page.url and "edits" not in page.url and "user" not in page.url


def test_a_scripted_session_gets_lists_as_a_browser_does(address: str, latent: int) -> None:
    visitor = visitors.Visitor(address, 0, [latent], USER)
    with visitor.connected() as socket:
        assert all(visitor.step(socket) > 0 for _ in range(3))
    assert visitor.slider.serial == 2 and visitor.slider.keys == [f"{latent}:1.0"]
