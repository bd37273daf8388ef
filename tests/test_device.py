"""How many threads a build takes."""

import pytest
import torch

from seqsae_core import device


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """A machine of eight cores on which four threads are fastest, and nobody has asked for a number."""
    before = torch.get_num_threads()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(device, "cores", lambda: 8)
    monkeypatch.setattr(device, "_step_seconds", {1: 4.0, 2: 2.0, 4: 1.0, 8: 0.97}.__getitem__)
    device.fastest_threads.cache_clear()
    yield
    device.fastest_threads.cache_clear()
    torch.set_num_threads(before)


def test_the_fewest_threads_that_are_about_as_fast_as_any():
    assert device.fewest_within({1: 1.04, 2: 1.0, 4: 1.2}) == 1
    assert device.fewest_within({1: 1.06, 2: 1.0, 4: 1.2}) == 2
    assert device.fewest_within({1: 8.0, 2: 4.0, 4: 2.0, 8: 1.0}) == 8


def test_threads_are_measured_once_and_set(monkeypatch):
    assert device.use_threads() == torch.get_num_threads() == 4
    monkeypatch.setattr(device, "_step_seconds", None)
    assert device.use_threads() == 4


def test_a_study_keeps_its_number_as_far_as_the_machine_has_it():
    assert device.use_threads(3) == torch.get_num_threads() == 3
    assert device.use_threads(64) == 8


def test_the_environment_wins(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert device.use_threads() == device.use_threads(3) == torch.get_num_threads() == 2
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert device.use_threads() == 4


@pytest.mark.parametrize(("cores", "measured"), [(1, []), (2, []), (3, [1, 2]), (8, [1, 2, 4, 8]), (12, [1, 2, 4, 8])])
def test_powers_of_two_up_to_the_cores_are_tried_and_two_cores_need_no_trial(monkeypatch, cores, measured):
    tried = []
    monkeypatch.setattr(device, "cores", lambda: cores)
    monkeypatch.setattr(device, "_step_seconds", lambda n: tried.append(n) or 1 / n)
    assert device.fastest_threads() == (max(measured) if measured else cores)
    assert tried == measured


def test_measuring_draws_nothing_from_the_generators_of_others(monkeypatch):
    monkeypatch.undo()
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert device._step_seconds(1) > 0
    assert torch.equal(torch.get_rng_state(), before)
    assert device.cores() >= 1
