"""The URL and its View."""

import pytest

from seqsae_core.dashboard.latents.facets import Facets
from seqsae_core.dashboard.permalink import PARSERS, View, params, parse
from seqsae_core.errors import UserError
from seqsae_core.steering.edits import Edit, ablate, clamp

EDITS = (Edit(12, 2.0), Edit(((40, 1.0), (7, 0.5)), -1.5, "mass"), ablate(9), clamp(3, high=2.0))
WHERE = Facets("other", ("Sci-Fi", "a;b,c:d %"), (0.001, 0.3), 0.7, ("lost", "partly"), ("none", "accepted"))
FULL = View(
    "s", "d", 3, "neurons", 7, "Sci-Fi", 12, (5, 1, 5), EDITS, "a b", (7, 2), "from 3", "f", WHERE, 5, "e", "the-map",
)  # fmt: skip


@pytest.mark.parametrize(
    "view",
    [
        View(), FULL, View(edits=()), View(history=()), View(items=()), View(edits=(Edit(0, 0.1 + 0.2),)), View(user=0),
        View(where=Facets(concepts=("é ,",))),
    ],
)
def test_a_view_survives_the_url(view):
    assert parse(params(view)) == view


def test_every_part_of_a_view_has_a_parameter():
    assert set(params(FULL)) == set(PARSERS)


def test_parameters_of_others_are_ignored():
    assert parse({"utm": "x", "latent": "4"}) == View(latent=4)


def test_home_keeps_study_and_dictionary_only():
    assert FULL.home() == View(study="s", dictionary="d")


BAD = (
    "latent=-1", "latent=1.5", "latent=", "user=²", "history=1--2", "history=1,2", "edits=1", "edits=1:inf",
    "edits=1:2,1:3", "kind=x", "study=..", "study=a/b", "history=" + "-".join("1" * 501),
    "items=" + "-".join("1" * 1001), "items=1,2", "latent=" + "9" * 400, "where=density:1", "where=density:0..2",
    "where=state:alive", "where=review:yes", "where=nothing", "where=confidence:nan", "other=x",
)  # fmt: skip


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad[:20])
def test_a_bad_value_is_named_with_its_parameter(bad):
    name, value = bad.split("=")
    with pytest.raises(UserError, match=name) as error:
        parse({name: value})
    assert len(str(error.value)) < 250
