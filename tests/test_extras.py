"""The stage `extras` on a tiny study: seeds, more rivals, all curves; read merged with the default evidence."""

import json
import shlex
import shutil

import numpy as np
import pytest
import torch

from seqsae_core.__main__ import main
from seqsae_core.build import EXTRAS, PIPELINE, build, build_extras
from seqsae_core.config import preset
from seqsae_core.data.sequences import FIT
from seqsae_core.interpret.controls import shuffle_histories
from seqsae_core.metrics import quoted
from seqsae_core.sae.activations import collect
from seqsae_core.sae.stability import matched_cosine
from seqsae_core.sae.training import train
from seqsae_core.steering.edits import Edit
from seqsae_core.steering.steerer import Steerer
from seqsae_core.study import Study

NEW = ("ica", "untrained_model_sae", "spectral_untrained", "static_embedding_sae", "shuffled_sequence_sae")


@pytest.fixture(scope="module")
def study(tiny_study, tmp_path_factory) -> Study:
    folder = tmp_path_factory.mktemp("with-extras") / "movietweetings"
    shutil.copytree(tiny_study, folder)
    return build_extras(folder)


@pytest.fixture(scope="module")
def bert4rec_study(tmp_path_factory) -> Study:
    """Built from files; its model has positions of its own, which train dictionaries and are left out of evidence."""
    config = preset("tiny", architecture="bert4rec", memory=0.0)
    return build(tmp_path_factory.mktemp("bert4rec") / "study", config, extras=True)


def test_every_quoted_figure_is_there(study):
    figures = quoted(study)
    for kind in NEW:
        assert np.isfinite(figures["evidence"][kind]["mean_max_correlation_new_items"])
    sae, latents = next(iter(figures["sae"].values())), study.features().query("alive")
    assert sae["stability"] == pytest.approx(latents["stability"].mean(), abs=1e-6)
    assert sae["stable_share"] == pytest.approx((latents["stability"] >= 0.8).mean())


def test_bert4rec_goes_all_the_way_and_its_command_says_so(bert4rec_study):
    study = bert4rec_study
    assert all(study.has(stage.name) for stage in (*PIPELINE, EXTRAS))
    figures = json.loads(json.dumps(quoted(study), allow_nan=False))
    assert figures["recommender"]["ndcg@10"] > figures["recommender"]["baselines"]["popularity"]["ndcg@10"]
    assert None not in figures["sae"][study.default_dictionary].values()
    steerer, history = Steerer.from_study(study), study.sequences().of(0)
    plain, same = steerer.recommend(history), steerer.recommend(history, [Edit(3, 0.0)])
    assert np.array_equal(plain.items, same.items) and np.array_equal(plain.scores, same.scores)
    assert "--architecture bert4rec" in study.build_command()
    command = shlex.split(study.build_command())[3:]
    assert main(command) == 0
    assert Study.open(study.path).manifest["stages"] == study.manifest["stages"]


@pytest.mark.parametrize("of", ["study", "bert4rec_study"])
def test_a_latents_stability_is_its_mean_matched_cosine_over_three_retrainings_on_the_same_rows(of, request):
    study = request.getfixturevalue(of)
    sequences, sae = study.sequences(), study.sae()
    split = study.split(sequences)
    fit = collect(study.model(), sequences, split, split.users(FIT), study.layer())
    assert torch.equal(train(fit.values, study.config.sae, study.config.seed).W_dec, sae.W_dec)
    others = [train(fit.values, study.config.sae, study.config.seed + n).W_dec.numpy() for n in (1, 2, 3)]
    expected = np.mean([matched_cosine(sae.W_dec.numpy(), other) for other in others], axis=0)
    assert study.features()["stability"].to_numpy() == pytest.approx(expected, abs=1e-5)


def test_latents_are_quoted_as_the_mean_of_four_dictionaries(study, tiny_study):
    summary, alone = study.evidence_summary(), Study.open(tiny_study).evidence_summary()
    by_seed = summary["latents"]["mean_max_correlation_by_seed"]
    assert summary["seeds"] == len(by_seed) == 4 and alone["seeds"] == 1
    assert by_seed[0] == pytest.approx(alone["latents"]["mean_max_correlation"]) and len(set(by_seed)) == 4
    assert summary["latents"]["mean_max_correlation"] == pytest.approx(np.mean(by_seed))


def test_tables_of_the_new_rivals_are_read_like_the_old_ones(study):
    assert set(study.best()["kind"]) >= {"latents", "neurons", *NEW}
    assert all(len(study.features(kind)) for kind in NEW)
    assert study.features()["stability"].between(0, 1).all()
    assert study.tradeoff()["concept"].nunique() >= 2


def test_shuffling_keeps_each_users_training_items_and_targets(toy_sequences):
    from seqsae_core.data.sequences import make_split

    split = make_split(toy_sequences, "leave-one-out")
    shuffled = shuffle_histories(toy_sequences, split, seed=0)
    assert (shuffled.items != toy_sequences.items).any()
    for user in range(len(toy_sequences)):
        before, after, end = toy_sequences.of(user), shuffled.of(user), split.train_end[user]
        assert sorted(before[:end]) == sorted(after[:end]) and list(before[end:]) == list(after[end:])
