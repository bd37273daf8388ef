"""How many passes a budget buys, and the learning rate on the way."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from seqsae_core.config import RecommenderConfig
from seqsae_core.data.sequences import make_split
from seqsae_core.recommender import training
from seqsae_core.recommender.schedule import Cost, Plan, learning_rate


@pytest.mark.parametrize("planned", [0.3, 1, 6])
def test_the_learning_rate_ends_at_a_twentieth_whatever_is_planned(planned):
    rates = [learning_rate(2.0, planned, done) for done in np.linspace(0, planned, 200)]
    peak = int(np.argmax(rates))
    assert rates[0] == 0.1 and rates[-1] == pytest.approx(0.1)
    assert (np.diff(rates[: peak + 1]) > 0).all() and (np.diff(rates[peak:]) < 0).all()
    assert np.linspace(0, planned, 200)[peak] == pytest.approx(0.095, abs=planned / 199)


def price(passes: float, cost: Cost) -> float:
    """Seconds of so many passes, each validated, also one in part."""
    return passes * cost.train + np.ceil(passes) * cost.validate


@pytest.mark.parametrize("seconds", [0.5, 7.0, 12.0, 13.0, 25.0, 100.0])
def test_what_is_affordable_fits_and_a_tenth_more_does_not(seconds):
    cost = Cost(10.0, 2.0)
    passes = cost.affordable(seconds)
    assert price(passes, cost) <= seconds or passes == 0
    assert price(round(passes + 0.1, 1), cost) > seconds


def test_a_plan_is_only_ever_shortened_and_says_why():
    plan, cost = Plan(6), Cost(10.0, 2.0)
    assert plan.within(72.0, 0.0, 0, cost) is plan
    assert plan.within(1000.0, 0.0, 0, cost) is plan
    short = plan.within(30.0, 1.0, 0, cost)
    assert short == Plan(2.3, "30 s are allowed, and a pass takes 12 s here")
    assert short.within(300.0, 12.0, 1, cost) is short
    assert short.within(30.0, 20.0, 1, cost).passes == 1.0 + 0.8
    assert short.within(30.0, 40.0, 1, cost).passes == 1.0
    assert plan.within(1.0, 5.0, 0, cost).passes == 0.1


class Machine:
    """Stands in for the clock: a step takes `step` seconds a position, a validation `user` seconds a user."""

    def __init__(self, monkeypatch, step: float, user: float):
        self.now, self.rates, self.step, self.user = 0.0, [], step, user
        monkeypatch.setattr(training, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.spend(monkeypatch)

    def spend(self, monkeypatch) -> None:
        step, validate = training.Trainer._step, training.validate

        def slow_step(trainer, items, at, where):
            value = step(trainer, items, at, where)
            self.now += self.step * items.numel()
            self.rates.append(trainer.optimiser.param_groups[0]["lr"])
            return value

        def slow_validation(model, sequences, split, users=None):
            self.now += self.user * (len(sequences) if users is None else len(users))
            return validate(model, sequences, split, users)

        monkeypatch.setattr(training.Trainer, "_step", slow_step)
        monkeypatch.setattr(training, "validate", slow_validation)


@pytest.fixture
def run(toy_sequences):
    config = RecommenderConfig(width=8, passes=3, patience=10, negatives=16, batch_size=2, learning_rate=1e-3)

    def trained(**settings):
        split = make_split(toy_sequences, "leave-one-out")
        return training.train(toy_sequences, split, replace(config, **settings), 8, seed=0)

    return trained


def seconds_of_a_pass(run, machine: Machine) -> float:
    run(passes=1)
    seconds, machine.now, machine.rates = machine.now, 0.0, []
    return seconds


@pytest.mark.parametrize("share", [0.05, 0.7, 2.4, 20.0])
def test_a_budget_is_kept_and_the_decay_still_reaches_its_end(run, monkeypatch, share):
    machine = Machine(monkeypatch, step=0.01, user=0.01)
    budget = share * seconds_of_a_pass(run, machine)
    trained = run(seconds=budget)
    assert trained.plan.passes == pytest.approx(min(3, share), abs=0.5)
    assert len(trained.log) == np.ceil(trained.plan.passes)
    assert trained.log[-1]["planned"] == trained.plan.passes
    if share > 0.5:
        assert machine.now <= budget * (1 + 1e-9)
        assert machine.rates[-1] < 0.1 * 1e-3
    assert (trained.plan.why == "as set") == (share > 3)


def test_typical_users_are_as_long_as_all_and_alike_within_a_half():
    lengths = np.random.default_rng(0).zipf(1.6, 5000).clip(max=64)
    split = SimpleNamespace(valid_at=lengths, validated=np.flatnonzero(lengths))
    users, number = training.typical_users(split, 200)
    assert len(set(users)) == 200 and number == 5000
    short, long = lengths[users[:100]], lengths[users[100:]]
    assert np.ptp(short) == 0
    assert np.quantile(lengths, 0.7) <= np.median(long) <= np.quantile(lengths, 0.8)
    trained_on = SimpleNamespace(valid_at=np.array([-1, 3, 5, 2, 4]), validated=np.array([1, 2, 3]))
    few, number = training.typical_users(trained_on, 200)
    assert sorted(few) == [1, 2, 3] and number == 3


def test_a_machine_that_becomes_slower_stops_in_time(run, monkeypatch):
    machine, late = Machine(monkeypatch, step=0.01, user=0.001), training.Trainer._late
    budget = 0.8 * seconds_of_a_pass(run, machine)

    def slower_after_30_steps(self):
        if len(machine.rates) == 30:
            machine.step = 0.1
        return late(self)

    monkeypatch.setattr(training.Trainer, "_late", slower_after_30_steps)
    trained = run(seconds=budget)
    assert len(trained.log) == 1
    assert 0 < trained.log[0]["planned"] < 0.7
    assert "were over" in trained.plan.why
    assert machine.now < 1.3 * budget
