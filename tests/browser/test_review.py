"""A session of reviews by keyboard alone."""

import pytest
from playwright.sync_api import Page, expect

from seqsae_core.reviews.store import Reviews
from seqsae_core.reviews.weights import Weights
from seqsae_core.study import Study
from tests.browser import driving

pytestmark = pytest.mark.browser
SESSION = 20


@pytest.fixture
def store(tiny_study):
    """The reviews of the tiny study; gone afterwards, because other tests share the study."""
    path = Study.open(tiny_study).reviews
    yield Reviews(path)
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def begin(page: Page, address: str, who: str) -> None:
    """Opens the page and says who reviews; the field has the focus from the start."""
    driving.open_page(page, f"{address}/review")
    expect(page.locator(".review input")).to_be_focused()
    page.keyboard.type(who)
    page.keyboard.press("Enter")
    page.locator(".review .actions").wait_for()
    expect(page.locator(".review")).to_have_count(1)


def press(page: Page, *keys: str, typed: str = "") -> None:
    """Keys that decide, and waits until the panel asks something else."""
    token = page.locator(".review").get_attribute("data-token")
    page.keyboard.press(keys[0])
    if typed:
        page.keyboard.type(typed)
    for key in keys[1:]:
        page.keyboard.press(key)
    expect(page.locator(".review")).not_to_have_attribute("data-token", token)
    expect(page.locator(".review .status")).not_to_be_empty()


def test_a_session_of_twenty_latents_by_keyboard_alone(page: Page, address: str, tiny_study, store) -> None:
    begin(page, address, "Ada")
    expected = []
    for i in range(SESSION):
        latent = int(page.locator(".review").get_attribute("data-latent"))
        if i % 4 == 0:
            press(page, "n", "Enter", typed=f"<b>name {i}</b>")
        elif i == 1:
            page.keyboard.press("3")
            page.keyboard.press("o")
            page.keyboard.type("yn=1+1")
            page.keyboard.press("Enter")
            press(page, "y")
        else:
            press(page, "yxu"[i % 3])
        verdict = "rename" if i % 4 == 0 else "confirm" if i == 1 else ("confirm", "reject", "unsure")[i % 3]
        expected.append((latent, verdict, f"<b>name {i}</b>" if i % 4 == 0 else ""))
    fingerprint = Weights.of(Study.open(tiny_study)).fingerprint
    kept = store.verdicts(fingerprint)
    assert [(v.latent, v.verdict, v.name) for v in kept] == expected
    assert (kept[1].note, kept[1].confidence, kept[0].confidence) == ("yn=1+1", 3, 2)
    assert len({latent for latent, *_ in expected}) == SESSION
    expect(page.locator(".review .count")).to_contain_text(f"{SESSION} this session")
    press(page, "z")
    assert len(store.verdicts(fingerprint)) == SESSION - 1
    driving.open_page(page, f"{address}/latent?latent={expected[0][0]}")
    expect(page.get_by_role("heading", name="<b>name 0</b>")).to_be_visible()
    expect(page.get_by_text("Named by Ada on")).to_be_visible()


def test_a_second_reviewer_sees_neither_name_nor_verdict_before_the_own_one(page: Page, address: str, store) -> None:
    begin(page, address, "Ada")
    name = page.locator(".review .automatic").text_content()
    press(page, "y")
    begin(page, address, "Bob")
    expect(page.locator(".review .asked")).to_contain_text("blind")
    assert page.locator(".review .automatic").count() == 0
    assert "Ada" not in page.locator("[data-testid=stMain]").inner_text()
    press(page, "n", "Enter", typed="Ours")
    expect(page.locator(".review .automatic")).to_have_text(name)
    press(page, "n")
    expect(page.locator(".review .status")).to_contain_text("Ada confirmed it")


def test_an_empty_name_is_asked_for_again(page: Page, address: str, store) -> None:
    driving.open_page(page, f"{address}/review")
    expect(page.locator(".review input")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".review .status")).to_contain_text("Write a name first")
    assert not store.path.exists() or store.events() == []
