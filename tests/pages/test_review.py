"""The page Review without a browser, and accepted names on the other pages."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from seqsae_core.dashboard.review import review_duel
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.preference import preference
from seqsae_core.reviews.store import Reviews
from seqsae_core.reviews.weights import Weights
from seqsae_core.study import Study
from tests.pages import synthetic
from tests.pages.conftest import said


@pytest.fixture
def study(tmp_path: Path, invented: Path) -> Study:
    """A study of its own with decoder directions, so that it can be reviewed."""
    folder = shutil.copytree(invented, tmp_path / "demo")
    directions = np.random.default_rng(0).normal(size=(64, 16)).astype(np.float32)
    save_file({"W_dec": directions}, Study.open(folder).folder("sae") / "sae_weights.safetensors")
    return Study.open(folder)


def decide(study: Study, *events: tuple) -> Reviews:
    """Verdicts: (who, latent, verdict, new name)."""
    reviews, fingerprint = Reviews(study.reviews), Weights.of(study).fingerprint
    reviews.register(fingerprint, synthetic.DICTIONARY)
    names = study.features().set_index("feature")["name"]
    for who, latent, verdict, name in events:
        event = Event(who, fingerprint, latent, "verdict", verdict, name=name, automatic=names[latent], confidence=3)
        reviews.record(event)
    return reviews




def test_accepted_and_rejected_names_are_those_of_other_pages(open_page, study):
    decide(study, ("Ada", 1, "rename", "Slashers *of* <b>old</b>"), ("Ada", 2, "reject", ""))
    page = open_page("latent", study.path, latent=1)
    assert page.title[0].value == "Slashers \\*of\\* \\<b\\>old\\</b\\>"
    assert "Named by Ada on" in said(page) and "sure" in said(page)
    assert open_page("latent", study.path, latent=2).title[0].value == "Rejected"
    table = open_page("latents", study.path).dataframe[0].value.set_index("feature")
    assert table.loc[[1, 2], "name"].tolist() == ["Slashers *of* <b>old</b>", "rejected"]
    assert table.loc[[1, 2], "name_review"].tolist() == ["accepted", "rejected"]


def test_without_reviews_names_are_the_automatic_ones_and_no_file_is_made(open_page, study):
    table = open_page("latents", study.path).dataframe[0].value.set_index("feature")
    assert "name_review" not in table
    assert not study.reviews.exists()


def test_a_damaged_database_is_said_and_pages_go_on(open_page, study):
    study.reviews.write_bytes(b"no database" * 200)
    page = open_page("latents", study.path)
    assert "Names are the automatic ones" in page.warning[-1].value
    assert len(page.dataframe[0].value) == 64
    page = open_page("review", study.path)
    page.session_state["reviewer"] = "Ada"
    page.run()
    assert "damaged or is no database" in page.error[0].value


def test_agreement_and_disagreements_are_shown_and_settled(open_page, study):
    reviews = decide(study, ("Ada", 1, "confirm", ""), ("Bob", 1, "reject", ""), ("Bob", 2, "confirm", ""))
    page = open_page("review", study.path)
    page.button_group[0].set_value("Agreement").run()
    assert not page.exception
    measures = next(d.value for d in page.dataframe if "Measure" in d.value)
    assert measures["Measure"].tolist() == ["Cohen's κ", "Krippendorff's α"]
    assert next(v for v in page.selectbox if v.label == "To settle").options[0].startswith("1 · ")
    page.text_input[0].set_value("Eve")
    page.radio[0].set_value("Reject")
    page.button[0].click().run()
    row = reviews.outcomes(Weights.of(study).fingerprint).loc[1]
    assert (row["status"], row["who"], row["settled"]) == ("rejected", "Eve", 1)


@pytest.mark.parametrize("name", ["Agreement", "Blind test", "History", "Import and export"])
def test_every_part_opens_before_and_after_the_first_review(open_page, study, name):
    for _ in range(2):
        page = open_page("review", study.path)
        page.button_group[0].set_value(name).run()
        assert not page.exception and not page.error
        assert page.button_group[0].value == name
        decide(study, ("Ada", 1, "confirm", ""))


def test_the_blind_test_is_shown_only_from_enough_votes_on(open_page, study):
    reviews = decide(study)
    fingerprint = Weights.of(study).fingerprint

    def votes(count: int) -> str:
        reviews.record(*[Event("Ada", fingerprint, i, "preference", "latent") for i in range(count)])
        return said(open_page("latents_vs_neurons", study.path))

    assert "What people prefer" not in votes(29)
    assert "latents' lists are preferred" in votes(1)


def test_the_words_of_the_blind_test_follow_the_interval():
    assert "neither is preferred" in review_duel.words(preference(["latent"] * 17 + ["neuron"] * 15))
    assert "neurons' lists are preferred" in review_duel.words(preference(["neuron"] * 40))
