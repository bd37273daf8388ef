"""Presets, names and the round trip through JSON."""

import json
from dataclasses import FrozenInstanceError, replace

import pytest

from seqsae_core.build import make_stamps
from seqsae_core.config import PRESETS, from_dict, preset, to_dict
from seqsae_core.errors import UserError


@pytest.mark.parametrize("name", PRESETS)
def test_presets_survive_json(name):
    config = preset(name, seed=7)
    assert (config.preset, config.seed) == (name, 7)
    assert from_dict(json.loads(json.dumps(to_dict(config)))) == config


def test_configuration_is_frozen():
    with pytest.raises(FrozenInstanceError):
        preset("tiny").sae.k = 3


def test_unknown_preset_and_setting_are_named():
    with pytest.raises(UserError, match=r"no preset “huge”.*tiny"):
        preset("huge")
    with pytest.raises(UserError, match="widht"):
        from_dict({"recommender": {"widht": 3}})


def test_an_architecture_keeps_the_rest_of_the_preset():
    config = preset("tiny", architecture="bert4rec")
    assert config.recommender.architecture == "bert4rec" and config.sae == preset("tiny").sae
    with pytest.raises(UserError, match=r"no architecture “gru”.*sasrec, bert4rec"):
        preset("tiny", architecture="gru")


def test_a_split_replaces_the_presets_own_only_where_it_is_given():
    assert preset("paper").data.split == "user-disjoint"
    assert preset("paper", split="global-temporal").data.split == "global-temporal"
    with pytest.raises(UserError, match=r"no split “random”.*leave-one-out"):
        preset("tiny", split="random")


def test_dictionaries_that_differ_have_different_names():
    config = preset("default")
    others = [replace(config, sae=replace(config.sae, **d)) for d in ({"k": 8}, {"layer": 2}, {"latents": 512})]
    assert len({c.dictionary for c in [config, *others, preset("paper")]}) == 5


def test_min_interactions_is_the_k_core_of_any_preset():
    config = preset("paper", min_interactions=3)
    assert config.data.min_interactions == 3
    assert replace(config, data=replace(config.data, min_interactions=5)) == preset("paper")


@pytest.mark.parametrize("number", [0, -1])
def test_min_interactions_below_one_is_refused(number):
    with pytest.raises(UserError, match=f"--min-interactions is {number}"):
        preset("tiny", min_interactions=number)


def test_a_time_budget_caps_the_training_and_nothing_else():
    config = preset("quick", time_budget=40.0)
    assert config.recommender.seconds == 40
    assert replace(config, recommender=replace(config.recommender, seconds=15.0)) == preset("quick")


def test_memory_is_a_setting_that_changes_no_stage():
    config = preset("quick", memory=0.0)
    assert config.memory_gib == 0
    assert replace(config, memory_gib=1.0) == preset("quick")
    assert make_stamps(config, "x") == make_stamps(preset("quick"), "x")
    for memory in (-1.0, float("nan"), float("inf")):
        with pytest.raises(UserError, match="no amount of memory"):
            preset("tiny", memory=memory)


@pytest.mark.parametrize("seconds", [0.0, -5.0, float("nan"), float("inf")])
def test_a_time_budget_that_is_none_is_refused(seconds):
    with pytest.raises(UserError, match="above 0"):
        preset("tiny", time_budget=seconds)
