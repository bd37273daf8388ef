"""A training that was interrupted ends as if it had not been."""

from dataclasses import replace

import pytest
import torch

from seqsae_core import checkpoint
from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import make_split
from seqsae_core.recommender import training
from seqsae_core.recommender.schedule import Plan

SMALL = RecommenderConfig(width=8, passes=4, negatives=16, batch_size=4)
SEED = 3


class Reporter:
    """Keeps what it is told; interrupts once, at its first report of a pass."""

    def __init__(self, cut_in: int | None = None):
        self.cut_in, self.passes, self.fractions, self.resumed = cut_in, [], [], []

    def __call__(self, fraction: float, detail: str, *, resumed: float = 0.0, **_) -> None:
        number = int(detail.split()[1])
        if number == self.cut_in:
            raise KeyboardInterrupt
        self.passes.append(number)
        self.fractions.append(fraction)
        self.resumed.append(resumed)


def run(sequences, config, report=None, folder=None):
    split = make_split(sequences, "leave-one-out")
    trained = training.train(sequences, split, config, 12, SEED, report, folder)
    return trained.model, trained.log


def same_weights(one, two) -> bool:
    pairs = zip(one.state_dict().values(), two.state_dict().values(), strict=True)
    return all(torch.equal(a, b) for a, b in pairs)


def without_time(log):
    return [{k: v for k, v in row.items() if k != "seconds"} for row in log]


@pytest.mark.parametrize("architecture", ["sasrec", "bert4rec"])
@pytest.mark.parametrize("cut_in", [1, 2, 4])
def test_an_interrupted_training_ends_with_the_same_bits(toy_sequences, tmp_path, architecture, cut_in):
    config = replace(SMALL, architecture=architecture)
    whole, log = run(toy_sequences, config)
    with pytest.raises(KeyboardInterrupt):
        run(toy_sequences, config, Reporter(cut_in), tmp_path)
    again = Reporter()
    model, resumed_log = run(toy_sequences, config, again, tmp_path)
    done = (cut_in - 1) / 4
    assert set(again.resumed) == {done}
    assert done <= again.fractions[0] <= done + 0.05 / 4
    assert again.fractions == sorted(again.fractions) and again.fractions[-1] == 1.0
    assert same_weights(model, whole)
    assert without_time(resumed_log) == without_time(log)
    seconds = [row["seconds"] for row in resumed_log]
    assert seconds == sorted(seconds)


def test_the_best_weights_of_before_the_interruption_are_kept(toy_sequences, tmp_path):
    config = replace(SMALL, learning_rate=0.1, passes=6, patience=6)
    whole, log = run(toy_sequences, config)
    best = max(log, key=lambda row: row["ndcg@10"])["pass"]
    assert best < 6, "the test needs a training that gets worse"
    with pytest.raises(KeyboardInterrupt):
        run(toy_sequences, config, Reporter(6), tmp_path)
    assert same_weights(run(toy_sequences, config, None, tmp_path)[0], whole)


def test_a_finished_training_is_not_trained_again(toy_sequences, tmp_path):
    model, log = run(toy_sequences, SMALL, None, tmp_path)
    again, same_log = run(toy_sequences, SMALL, Reporter(cut_in=5), tmp_path)
    assert same_log == log
    assert same_weights(again, model)


def test_seconds_count_over_all_runs(toy_sequences, tmp_path):
    _, log = run(toy_sequences, replace(SMALL, passes=1), None, tmp_path)
    config = replace(SMALL, passes=50, seconds=log[0]["seconds"])
    assert len(run(toy_sequences, config, None, tmp_path)[1]) == 1


def test_the_plan_is_kept(toy_sequences, tmp_path):
    split = make_split(toy_sequences, "leave-one-out")
    one, two = (training.Trainer(toy_sequences, split, SMALL, 12, SEED) for _ in range(2))
    one.plan = Plan(2.5, "time is short")
    one.run_pass()
    one.save(tmp_path)
    two.resume(tmp_path)
    assert two.plan == one.plan and two.log == one.log
    assert two.seconds >= one.log[0]["seconds"]


class Clock:
    """Seconds that pass only where a test lets them: for the model's start, each step and each validation."""

    def __init__(self, monkeypatch, start: float, step: float, validation: float):
        self.now = 0.0
        monkeypatch.setattr(training, "time", self)
        for owner, name, seconds in (
            (training, "make_model", start), (training.Trainer, "_step", step), (training, "validate", validation),
        ):  # fmt: skip
            monkeypatch.setattr(owner, name, self._taking(getattr(owner, name), seconds))

    def monotonic(self) -> float:
        return self.now

    def _taking(self, work, seconds):
        def slower(*args):
            self.now += seconds
            return work(*args)

        return slower


def test_a_training_that_goes_on_keeps_its_cost_and_counts_the_models_start_once(toy_sequences, tmp_path, monkeypatch):
    Clock(monkeypatch, start=30.0, step=1.0, validation=8.0)
    split = make_split(toy_sequences, "leave-one-out")
    one = training.Trainer(toy_sequences, split, SMALL, 12, SEED)
    one.run_pass()
    one.save(tmp_path)
    two = training.Trainer(toy_sequences, split, SMALL, 12, SEED)
    two.resume(tmp_path)
    assert two.cost == one.cost and two.cost.validate == 8.0
    assert two.seconds == one.log[0]["seconds"] == 30.0 + one.cost.train + 8.0


def test_a_training_that_goes_on_more_slowly_still_ends_within_its_seconds(toy_sequences, tmp_path, monkeypatch):
    config = replace(SMALL, passes=3, seconds=200.0)
    with monkeypatch.context() as patched:
        Clock(patched, start=30.0, step=1.0, validation=8.0)
        with pytest.raises(KeyboardInterrupt):
            run(toy_sequences, config, Reporter(2), tmp_path)
    Clock(monkeypatch, start=30.0, step=20.0, validation=8.0)
    log = run(toy_sequences, config, None, tmp_path)[1]
    assert len(log) == 2 and 200.0 - 20.0 < log[-1]["seconds"] <= 200.0 + 20.0 - 8.0


def test_a_checkpoint_cut_off_while_written_is_not_read(toy_sequences, tmp_path, monkeypatch):
    whole, _ = run(toy_sequences, SMALL)
    with pytest.raises(KeyboardInterrupt):
        run(toy_sequences, SMALL, Reporter(3), tmp_path)

    def power_cut(tensors, path, metadata):
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint, "save_file", power_cut)
        with pytest.raises(KeyboardInterrupt):
            run(toy_sequences, SMALL, None, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [checkpoint.FILE]
    again = Reporter()
    assert same_weights(run(toy_sequences, SMALL, again, tmp_path)[0], whole)
    assert again.fractions[0] == 2 / 4 and set(again.passes[1:]) == {3, 4}


def test_a_damaged_checkpoint_is_as_none(toy_sequences, tmp_path):
    (tmp_path / checkpoint.FILE).write_bytes(b"no header")
    again = Reporter()
    model, _ = run(toy_sequences, SMALL, again, tmp_path)
    assert again.passes[0] == 1
    assert same_weights(model, run(toy_sequences, SMALL)[0])


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_checkpoint_of_another_device_is_as_none(toy_sequences, tmp_path, monkeypatch, before):
    """Another device has another generator beside torch's own: here a second name for that one."""
    own = checkpoint.generators
    with monkeypatch.context() as patched:
        if before:
            patched.setattr(checkpoint, "generators", lambda device: own(device) | {"other": torch})
        with pytest.raises(KeyboardInterrupt):
            run(toy_sequences, SMALL, Reporter(3), tmp_path)
    if not before:
        monkeypatch.setattr(checkpoint, "generators", lambda device: own(device) | {"other": torch})
    again = Reporter()
    model, log = run(toy_sequences, SMALL, again, tmp_path)
    whole, whole_log = run(toy_sequences, SMALL)
    assert again.passes[0] == 1 and set(again.resumed) == {0.0}
    assert same_weights(model, whole) and without_time(log) == without_time(whole_log)
