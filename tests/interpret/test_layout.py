"""Layouts and their regions: closed forms, seeds, degenerate cases."""

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array
from scipy.stats import hypergeom
from sklearn.decomposition import PCA

from seqsae_core.config import LayoutConfig
from seqsae_core.interpret.layout import COACTIVATION, DIRECTIONS, cofiring, make_map, place
from seqsae_core.interpret.regions import MIXED, find_regions, name_regions

WIDTH = 8
METHODS = ("pca", "umap")


def latents(alive: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({"feature": np.arange(len(alive)), "alive": alive, "fdr": False, "top_concept": "Drama"})


def decoder(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, WIDTH)).astype(np.float32)


def some_codes(positions: int, count: int, share: float = 0.2) -> csr_array:
    rng = np.random.default_rng(1)
    return csr_array(rng.random((positions, count)) * (rng.random((positions, count)) < share))


def groups(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Similarities of three groups of `count` points each, .9 inside a group and 0 outside, and each point's group."""
    group = np.repeat(np.arange(3), count)
    similarity = 0.9 * (group[:, None] == group).astype(float)
    np.fill_diagonal(similarity, 1)
    return similarity, group


def test_co_activation_is_the_correlation_of_firing():
    codes = some_codes(300, 6)
    np.testing.assert_allclose(cofiring(codes), np.corrcoef(codes.toarray() > 0, rowvar=False), atol=1e-12)


def test_co_activation_of_a_two_by_two_table():
    fires = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [3, 2, 1, 4], axis=0)
    expected = (3 * 4 - 2 * 1) / np.sqrt(5 * 5 * 4 * 6)
    assert cofiring(csr_array(fires * 0.7))[0, 1] == pytest.approx(expected)


def test_features_that_fire_nowhere_or_everywhere_have_no_company():
    codes = some_codes(50, 4).toarray()
    codes[:, 0], codes[:, 1] = 0, 1
    phi = cofiring(csr_array(codes))
    assert np.isfinite(phi).all() and (np.diag(phi) == 1).all()
    assert (phi[:2, 2:] == 0).all() and phi[0, 1] == 0


@pytest.mark.parametrize("method", METHODS)
def test_a_map_is_the_same_for_the_same_seed(method):
    alive = np.arange(40) % 7 > 0
    made = (decoder(40), some_codes(200, 40), latents(alive), LayoutConfig(method=method, clusters=4))
    first, second = (make_map(*made, seed=3) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
    assert np.isfinite(first[["x", "y"]].to_numpy()).all()


def test_latents_are_in_both_layouts_and_neurons_of_either_sign_among_the_directions():
    alive = np.arange(40) % 7 > 0
    table = make_map(decoder(40), some_codes(200, 40), latents(alive), LayoutConfig(method="pca"), seed=0)
    found = {key: rows["feature"].tolist() for key, rows in table.groupby(["layout", "kind"])}
    live = np.flatnonzero(alive).tolist()
    assert found == {
        (DIRECTIONS, "latents"): live,
        (DIRECTIONS, "neurons"): list(range(2 * WIDTH)),
        (COACTIVATION, "latents"): live,
    }


def test_a_latent_along_a_neuron_lies_on_it():
    rows = decoder(30)
    rows[4], rows[5] = np.eye(WIDTH)[2] * 3, -np.eye(WIDTH)[6]
    table = make_map(rows, some_codes(50, 30), latents(np.ones(30, bool)), LayoutConfig(method="pca"), seed=0)
    at = table[table["layout"] == DIRECTIONS].set_index(["kind", "feature"])[["x", "y"]]
    np.testing.assert_allclose(at.loc[("latents", 4)], at.loc[("neurons", 2)], atol=1e-6)
    np.testing.assert_allclose(at.loc[("latents", 5)], at.loc[("neurons", WIDTH + 6)], atol=1e-6)


@pytest.mark.parametrize("alive", [0, 1, 3, 4, 5])
@pytest.mark.parametrize("method", METHODS)
def test_a_map_of_very_few_latents(alive, method):
    table = make_map(decoder(6), some_codes(30, 6), latents(np.arange(6) < alive), LayoutConfig(method=method), seed=0)
    for _, rows in table[table["kind"] == "latents"].groupby("layout"):
        assert rows["feature"].tolist() == list(range(alive))
    assert (table["kind"] == "latents").sum() == 2 * alive
    assert np.isfinite(table[["x", "y"]].to_numpy()).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fires", [np.eye(12), np.zeros((12, 12)), np.ones((12, 12)), np.zeros((0, 12))],
                         ids=["never together", "never", "always", "no positions"])  # fmt: skip
def test_latents_without_company_are_placed_all_the_same(method, fires):
    table = make_map(decoder(12), csr_array(fires), latents(np.ones(12, bool)), LayoutConfig(method=method), seed=0)
    rows = table[table["layout"] == COACTIVATION]
    assert len(rows) == 12 and np.isfinite(rows[["x", "y"]].to_numpy()).all()


def test_places_by_components_are_those_of_the_vectors():
    rows = decoder(30)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = place(rows @ rows.T, LayoutConfig(method="pca"), seed=0)
    expected = PCA(2).fit_transform(rows)
    np.testing.assert_allclose(np.abs(found), np.abs(expected), atol=1e-4)


def test_umap_keeps_neighbours_together():
    similarity, group = groups(30)
    plane = place(similarity, LayoutConfig(neighbours=8), seed=0)
    centres = np.stack([plane[group == g].mean(0) for g in range(3)])
    nearest = np.linalg.norm(plane[:, None] - centres, axis=2).argmin(1)
    assert (nearest == group).mean() > 0.95


def test_regions_are_named_by_what_is_distinctive_and_not_by_what_is_frequent():
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(4), 50)
    concepts = np.where(rng.random(200) < 0.6, "Drama", "").astype(object)
    concepts[:8], concepts[50:70], concepts[70:80] = "Horror", "War", "History"
    concepts[100:102] = "Musical"
    assert name_regions(cluster, concepts) == {1: "War / History"} | {0: "Horror"}


def test_a_region_needs_three_members_a_fifth_of_the_named_and_no_chance():
    cluster = np.repeat(np.arange(10), 20)
    concepts = np.full(200, "", object)
    concepts[:2] = "Musical"
    assert hypergeom.sf(1, 200, 2, 20) < 0.01 and name_regions(cluster, concepts) == {}
    concepts[:3] = "Musical"
    assert name_regions(cluster, concepts) == {0: "Musical"}
    concepts[3:20] = "Drama"
    assert name_regions(cluster, concepts) == {0: "Drama"}


def test_chance_names_about_no_region():
    rng = np.random.default_rng(0)
    concepts = np.array(["", "Drama", "Comedy", "Horror", "War"], object)
    named = [len(name_regions(rng.integers(0, 12, 300), concepts[rng.integers(0, 5, 300)])) for _ in range(100)]
    assert np.mean(np.array(named) > 0) <= 0.12


def test_only_significant_concepts_name_and_other_points_join_the_nearest_region():
    plane = np.concatenate([np.zeros((20, 2)), np.full((20, 2), 9.0), [[8.0, 8.5]]])
    plane[:40] += np.random.default_rng(0).normal(0, 0.1, (40, 2))
    members = pd.DataFrame({"fdr": np.arange(40) < 30, "top_concept": ["Horror"] * 20 + ["Drama"] * 20})
    found = find_regions(plane, members, count=2, seed=0)
    assert found["cluster_name"] == ["Horror"] * 20 + ["Drama"] * 21
    assert found["cluster"][-1] == found["cluster"][39] != found["cluster"][0]
    unclear = find_regions(plane, members.assign(fdr=False), count=2, seed=0)
    assert set(unclear["cluster_name"]) == {MIXED}
