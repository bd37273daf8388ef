"""Training itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import Sequences, make_split
from seqsae_core.errors import UserError
from seqsae_core.recommender import batching, evaluation, recipe, training
from seqsae_core.recommender.ranking import ndcg

SMALL = RecommenderConfig(width=8, passes=3, negatives=16, batch_size=16)


@pytest.fixture(scope="module")
def cycle() -> Sequences:
    """80 users who walk around 12 items, so that the next item follows from the last."""
    start = np.random.default_rng(0).integers(0, 12, 80)
    items = (start[:, None] + np.arange(15)) % 12 + 1
    offsets = np.arange(0, items.size + 1, 15)
    return Sequences(np.arange(80), items.ravel().astype(np.int32), offsets, np.arange(items.size), 12)


@pytest.mark.parametrize("architecture", ["sasrec", "bert4rec"])
@pytest.mark.parametrize(
    "settings",
    [{"negatives": None}, {"popular_negatives": 0.5}, {"objective": "gbce"}],
    ids=["full softmax", "mixed negatives", "gbce"],
)
def test_training_learns_the_rule_and_repeats_exactly(cycle, architecture, settings):
    split = make_split(cycle, "leave-one-out")
    recipe = {"architecture": architecture, "passes": 40, "patience": 40, "learning_rate": 1e-2, "negatives": 8}
    config = replace(SMALL, **recipe | settings)
    trained = training.train(cycle, split, config, 15, seed=3)
    assert training.validate(trained.model, cycle, split) == max(row["ndcg@10"] for row in trained.log) > 0.9
    one, two = (training.train(cycle, split, replace(config, passes=4), 15, seed=3).model for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"objective": "gBCE"}, "no objective “gBCE”. Choose one of: softmax, gbce"),
        ({"objective": "nonsense", "negatives": None}, "no objective “nonsense”"),
        ({"objective": "gbce", "negatives": None}, "needs negatives"),
        ({"objective": "gbce", "popular_negatives": 0.5}, "uniform negatives: set `popular_negatives` to 0"),
    ],
)
def test_an_objective_that_cannot_be_trained_is_refused(toy_sequences, settings, told):
    split = make_split(toy_sequences, "leave-one-out")
    with pytest.raises(UserError, match=told):
        training.train(toy_sequences, split, replace(SMALL, **settings), 8, seed=0)


@pytest.mark.parametrize("decay", [0.0, 0.6, 0.995])
def test_the_weights_kept_are_the_moving_average_of_each_step(toy_sequences, decay):
    split = make_split(toy_sequences, "leave-one-out")
    trainer = training.Trainer(toy_sequences, split, replace(SMALL, averaging=decay), 8, seed=0)
    seen, update = [], trainer.average.update_parameters
    trainer.average.update_parameters = lambda model: (seen.append(model.norm.weight.detach().clone()), update(model))
    trainer.run_pass()
    expected = seen[0]
    for n, own in enumerate(seen[1:], start=1):
        share = min(decay, (1 + n) / (10 + n))
        expected = share * expected + (1 - share) * own
    assert torch.allclose(trainer.best["norm.weight"], expected, atol=1e-6)
    assert torch.equal(expected, seen[-1]) == (decay == 0)


def test_weights_that_are_lost_in_the_last_step_of_a_pass_stop_training_too(toy_sequences, monkeypatch):
    step = training.Trainer._step

    def last_step_breaks(trainer, items, at, where):
        value = step(trainer, items, at, where)
        if "step 9 of 9" in where:
            trainer.model.bias.data[3] = torch.inf
        return value

    monkeypatch.setattr(training.Trainer, "_step", last_step_breaks)
    split = make_split(toy_sequences, "leave-one-out")
    with pytest.raises(UserError, match="weights are no longer finite at the end of pass 1"):
        training.train(toy_sequences, split, SMALL, 8, seed=0)


RULE = replace(SMALL, passes=20, patience=20, learning_rate=1e-2, negatives=8)
gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")


def on_cpu(monkeypatch, sequences, config):
    """What the CPU makes of the same training."""
    with monkeypatch.context() as patched:
        patched.setattr(training, "best_device", lambda: torch.device("cpu"))
        return training.train(sequences, make_split(sequences, "leave-one-out"), config, 15, seed=3)


def best(trained) -> float:
    return max(row["ndcg@10"] for row in trained.log)


@pytest.mark.parametrize("objective", [{"negatives": None}, {}, {"objective": "gbce"}], ids=str)
@pytest.mark.parametrize("architecture", ["sasrec", "bert4rec"])
def test_products_in_bfloat16_leave_losses_weights_and_gradients_in_float32(
    cycle, monkeypatch, architecture, objective
):
    config, split = replace(RULE, architecture=architecture, **objective), make_split(cycle, "leave-one-out")
    monkeypatch.setattr(recipe, "mixed_precision", lambda device: torch.autocast(device.type, torch.bfloat16))
    monkeypatch.setattr(training, "best_device", lambda: torch.device("cpu"))
    trainer, products = training.Trainer(cycle, split, config, 15, 3), []
    trainer.model.blocks[0].qkv.register_forward_hook(lambda *args: products.append(args[-1].dtype))
    windows = next(iter(batching.batches(cycle, split, 15, 16, trainer.rng)))
    loss = trainer.loss_of(trainer.model, windows, trainer.rng)
    loss.backward()
    assert products == [torch.bfloat16]
    assert loss.dtype == torch.float32
    assert {p.grad.dtype for p in trainer.model.parameters() if p.grad is not None} == {torch.float32}


def test_training_with_products_in_bfloat16_learns_the_rule_as_well(cycle, monkeypatch):
    plain = on_cpu(monkeypatch, cycle, RULE)
    monkeypatch.setattr(recipe, "mixed_precision", lambda device: torch.autocast(device.type, torch.bfloat16))
    assert best(on_cpu(monkeypatch, cycle, RULE)) == pytest.approx(best(plain), abs=0.05)


@gpu
@pytest.mark.gpu
@pytest.mark.parametrize("architecture", ["sasrec", "bert4rec"])
def test_training_on_cuda_comes_close_to_the_cpu(cycle, monkeypatch, architecture):
    config = replace(RULE, architecture=architecture, passes=40, patience=40)
    trained = training.train(cycle, make_split(cycle, "leave-one-out"), config, 15, seed=3)
    assert best(trained) == pytest.approx(best(on_cpu(monkeypatch, cycle, config)), abs=0.05)
    assert {p.device.type for p in trained.model.parameters()} == {"cpu"}


@gpu
@pytest.mark.gpu
def test_a_checkpoint_holds_the_generator_of_cuda(cycle, tmp_path):
    split = make_split(cycle, "leave-one-out")
    one, two = (training.Trainer(cycle, split, RULE, 15, seed) for seed in (3, 4))
    one.run_pass()
    one.save(tmp_path)
    drawn = torch.rand(5, device="cuda")
    two.resume(tmp_path)
    assert torch.equal(torch.rand(5, device="cuda"), drawn)


def test_validation_takes_the_same_users_each_time_where_there_are_many(toy_sequences, toy_model, monkeypatch):
    split = make_split(toy_sequences, "leave-one-out")
    everybody = evaluation.target_ranks(toy_model, toy_sequences, np.arange(60), split.valid_at)
    assert training.validate(toy_model, toy_sequences, split) == pytest.approx(ndcg(everybody, 10).mean())
    monkeypatch.setattr(training, "VALIDATED", 25)
    taken = []

    def watched(model, sequences, users, target_at):
        assert (target_at == split.valid_at[users]).all()
        taken.append(users)
        return evaluation.target_ranks(model, sequences, users, target_at)

    monkeypatch.setattr(training, "target_ranks", watched)
    assert training.validate(toy_model, toy_sequences, split) == training.validate(toy_model, toy_sequences, split)
    assert np.array_equal(*taken) and len(np.unique(taken[0])) == 25


def test_user_disjoint_weights_are_chosen_without_a_look_at_test_users(toy_sequences, toy_model, monkeypatch):
    split, taken = make_split(toy_sequences, "user-disjoint"), []
    ranks = evaluation.target_ranks
    monkeypatch.setattr(training, "target_ranks", lambda *args: taken.append(args[2]) or ranks(*args))
    training.validate(toy_model, toy_sequences, split)
    typical, number = training.typical_users(split, 20)
    assert number == len(taken[0]) > 20
    for users in (taken[0], typical):
        assert (split.test_at[users] == -1).all() and (split.train_end[users] >= 1).all()


def test_training_stops_within_its_seconds(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    trained = training.train(toy_sequences, split, replace(SMALL, passes=50, seconds=1e-6), 8, seed=0)
    assert len(trained.log) == 1


def test_a_loss_that_is_no_number_stops_training_and_says_where_and_what_to_change(toy_sequences):
    split = make_split(toy_sequences, "leave-one-out")
    with pytest.raises(UserError, match=r"loss is (nan|inf) at pass 1, step \d+ of 9.*learning_rate.* \(now 1e\+38\)"):
        training.train(toy_sequences, split, replace(SMALL, learning_rate=1e38), 8, seed=0)


def test_the_log_grows_with_every_report_and_ends_as_it_is_returned(toy_sequences):
    logs, fractions = [], []
    split, config = make_split(toy_sequences, "leave-one-out"), replace(SMALL, batch_size=2)

    def report(fraction, detail, *, log, **_):
        logs.append(log)
        fractions.append(fraction)

    log = training.train(toy_sequences, split, config, 8, 0, report).log
    assert logs[-1] == log and fractions[-1] == 1.0
    assert fractions == sorted(fractions)
    done = [pair for row in log for pair in row["losses"]]
    for seen in logs:
        drawn = [pair for row in seen for pair in row["losses"]]
        assert drawn[:-1] == done[: len(drawn) - 1]
    assert [pair[0] for pair in done] == sorted(pair[0] for pair in done)


def test_a_row_holds_the_mean_loss_of_each_twentieth_of_its_pass():
    losses = np.random.default_rng(0).random(45)
    row = training.Pass(2, 45, losses.tolist()).row()
    ends, means = zip(*row["losses"], strict=True)
    assert row["pass"] == 3 and len(ends) == 15
    np.testing.assert_allclose(ends, 2 + np.arange(3, 46, 3) / 45)
    np.testing.assert_allclose(means, losses.reshape(15, 3).mean(1))
    half = training.Pass(2, 45, losses[:4].tolist()).row()["losses"]
    np.testing.assert_allclose(half, [[2 + 3 / 45, losses[:3].mean()], [2 + 4 / 45, losses[3]]])
