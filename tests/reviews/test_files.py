"""Reviews through the command line, and accepted names in exports."""

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from seqsae_core import __main__ as command_line
from seqsae_core.export import export
from seqsae_core.reviews.events import Event
from seqsae_core.reviews.store import Reviews
from seqsae_core.reviews.weights import Weights
from seqsae_core.study import Study
from tests.pages import synthetic


@pytest.fixture
def study(tmp_path) -> Study:
    """A study whose latent 1 was named by Ada, and 2 rejected."""
    study = Study.open(synthetic.make(tmp_path / "demo"))
    directions = np.random.default_rng(0).normal(size=(64, 16)).astype(np.float32)
    save_file({"W_dec": directions}, study.folder("sae") / "sae_weights.safetensors")
    reviews, whose = Reviews(study.reviews), Weights.of(study).fingerprint
    reviews.register(whose, synthetic.DICTIONARY)
    reviews.record(Event("Ada", whose, 1, "verdict", "rename", name="Slashers", confidence=3))
    reviews.record(Event("Ada", whose, 2, "verdict", "reject"))
    return study


def test_an_export_of_tables_carries_accepted_names_and_who_gave_them(study, tmp_path):
    table = pd.read_csv(export(study, "csv", tmp_path / "out") / "latents.csv").set_index("feature")
    assert table.loc[[1, 2], "name"].tolist() == ["Slashers", "rejected"]
    assert table.loc[1, ["name_by", "name_confidence", "name_review"]].tolist() == ["Ada", "sure", "accepted"]
    automatic = study.features().set_index("feature")["name"]
    assert table.loc[3, "name"] == automatic[3] and table.loc[1, "name_automatic"] == automatic[1]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_the_command_writes_reviews_and_brings_them_in(study, capsys, form):
    before, folder = Reviews(study.reviews).events(), str(study.path)
    assert command_line.main(["reviews", folder, "--format", form]) == 0
    written = study.path / f"reviews.{form}"
    study.reviews.unlink()
    assert command_line.main(["reviews", folder, "--import", str(written)]) == 0
    assert "2 new events" in capsys.readouterr().out
    assert Reviews(study.reviews).events() == before


def test_the_command_says_what_it_will_not_do(study, tmp_path, capsys):
    folder, missing = str(study.path), tmp_path / "missing.json"
    other = tmp_path / "other.csv"
    assert command_line.main(["reviews", folder, "--import", str(missing)]) == 2
    assert command_line.main(["reviews", folder, "--format", "csv", "--to", str(other)]) == 0
    assert command_line.main(["reviews", folder, "--format", "csv", "--to", str(other)]) == 2
    other.write_text(other.read_text().replace(Weights.of(study).fingerprint, "0" * 16))
    study.reviews.unlink()
    assert command_line.main(["reviews", folder, "--import", str(other)]) == 2
    said = capsys.readouterr().err
    assert "cannot be read" in said and "there already" in said and "2 events of another dictionary" in said
    assert not study.reviews.exists()
    assert command_line.main(["reviews", folder, "--import", str(other), "--confirm"]) == 0
    assert export(study, "csv", tmp_path / "out")


def test_the_report_is_a_page(study):
    assert command_line.main(["reviews", str(study.path), "--format", "html"]) == 0
    page = (study.path / "reviews.html").read_text()
    assert "Slashers" in page and page.startswith("<!doctype html>")
