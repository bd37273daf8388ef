"""What a set of edits must be to be made, and what each kind does to codes, against its formula."""

import math

import numpy as np
import pytest
import torch

from seqsae_core.errors import UserError
from seqsae_core.steering.algebra import changes
from seqsae_core.steering.edits import KINDS, WHOLE, Edit, ablate, check, clamp, set_to

NAN, INF = float("nan"), math.inf
CODES = torch.tensor([[[0.0, 1.0, 4.0, 0.5], [2.0, 0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0, 0.0], [3.0, 3.0, 1.0, 0.1]]])
UNITS = torch.tensor([1.0, 0.5, 2.0, 0.25])
EVERY_KIND = [
    Edit(1, 2.0), Edit(1, 0.5, "scale"), Edit(1, 1.5, "mass"), set_to(1, 3.0, 2.0), set_to(1, 3.0), clamp(1, 1.0, 4.0),
    clamp(1, high=0.4, strength=1.0), clamp(1, low=1.0), ablate(1), ablate(1, 0.5),
    Edit(((1, 1.0), (2, -0.5)), 2.0), Edit(((1, 1.0), (2, 0.5)), -3.0, "mass"), ablate(((1, 1.0), (2, 0.5)), 1.0),
]  # fmt: skip


@pytest.mark.parametrize("edit", [Edit(32, 1.0), Edit(-1, 1.0), Edit(1.5, 1.0), Edit(True, 1.0), Edit(3, NAN)])
def test_unknown_latents_and_numbers_are_refused(edit):
    with pytest.raises(UserError, match=r"choose|give"):
        check([edit], 32)


NO_EDITS = [
    Edit(1, 1.0, "multiply"), Edit(1, 101.0, "scale"), Edit(1, -INF, "mass"), Edit(1, WHOLE), Edit(1, 1.0, "add", 0.0),
    set_to(1, NAN), set_to(1, INF), set_to(1, 101.0), Edit(1, 1.0, "set", 1.0, 2.0), set_to(1, 2.0, -1.0),
    clamp(1), clamp(1, 2.0, 1.0), clamp(1, NAN, 1.0), clamp(1, 0.0, NAN), clamp(1, INF, INF), ablate(1, NAN),
    ablate(1, -1.0), ablate(1, 101.0), Edit(1, 1.0, "ablate", 1.0, 1.0), Edit((), 1.0), Edit(((1, 1.0), (1, 2.0)), 1.0),
    Edit(((1, 0.0),), 1.0), Edit(((1, NAN),), 1.0), Edit(((1, 1e9),), 1.0), Edit(((99, 1.0),), 1.0),
    ablate(((1, -1.0),)),
]  # fmt: skip


@pytest.mark.parametrize("edit", NO_EDITS, ids=str)
def test_an_edit_that_cannot_be_is_refused(edit):
    with pytest.raises(UserError, match=r"give|Choose|choose"):
        check([edit], 32)


@pytest.mark.parametrize("edit", EVERY_KIND, ids=str)
def test_every_kind_can_be_made(edit):
    assert check([edit], 32) == (edit,)


def test_contradictions_are_named():
    both = [
        (set_to(3, 1.0), set_to(3, 2.0)), (set_to(3, 1.0), set_to(3, 1.0)), (ablate(3), set_to(3, 2.0)),
        (clamp(3, 0.0, 1.0), set_to(3, 2.0)), (clamp(3, 0.0, 1.0), clamp(3, 2.0, 3.0)),
        (ablate(((3, 1.0), (4, 1.0))), clamp(3, low=1.0)),
    ]  # fmt: skip
    for pair in both:
        with pytest.raises(UserError, match=r"contradict each other on latent 3: .*3.* and .*3.*"):
            check([Edit(5, 1.0), *pair], 32)
    apart = [set_to(3, 1.0), set_to(4, 2.0), clamp(3, 0.0, 2.0), clamp(3, high=1.5), Edit(3, 1.0), Edit(3, 2.0)]
    assert check(apart, 32) == tuple(apart)


def changed(*edits: Edit, strength: float | None = None) -> torch.Tensor:
    """Edited codes (batch, positions, latents) of CODES."""
    strengths = torch.tensor([[edit.strength if strength is None else strength] for edit in edits])
    return CODES + changes(CODES, torch.arange(4), edits, strengths, UNITS)[:, 0]


def of_latent_1(formula) -> torch.Tensor:
    expected = CODES.clone()
    expected[..., 1] = formula(CODES[..., 1])
    return expected


@pytest.mark.parametrize(
    ("edit", "formula"),
    [
        (Edit(1, 2.0), lambda c: c + 1.0),
        (Edit(1, -4.0), lambda c: c - 2.0),
        (Edit(1, 0.5, "scale"), lambda c: 1.5 * c),
        (Edit(1, -3.0, "scale"), lambda c: 0 * c),
        (set_to(1, 3.0), lambda c: 0 * c + 1.5),
        (set_to(1, 3.0, 2.0), lambda c: torch.where(c < 1.5, torch.minimum(c + 1, torch.tensor(1.5)), c - 1)),
        (clamp(1, 1.0, 4.0), lambda c: c.clamp(0.5, 2.0)),
        (clamp(1, high=0.4, strength=1.0), lambda c: torch.maximum(c.clamp(max=0.2), c - 0.5)),
        (clamp(1, low=1.0, strength=0.5), lambda c: torch.maximum(c, torch.full_like(c, 0.25))),
        (ablate(1), lambda c: 0 * c),
        (ablate(1, 0.5), lambda c: (c - 0.25).clamp(min=0)),
    ],
)
def test_a_kind_is_its_formula(edit, formula):
    assert torch.allclose(changed(edit), of_latent_1(formula), atol=1e-6)


@pytest.mark.parametrize("strength", [-100.0, -1.0, 0.5, 2.0, 100.0])
@pytest.mark.parametrize("latent", [1, ((1, 1.0), (2, 0.25)), ((0, 1.0), (2, -1.0))])
def test_mass_is_kept_codes_stay_non_negative_and_the_others_keep_their_proportions(strength, latent):
    edit = Edit(latent, strength, "mass")
    found = changed(edit)
    assert torch.allclose(found.sum(-1), CODES.sum(-1), atol=1e-5)
    assert (found >= -1e-6).all()
    others = [n for n in range(4) if n not in edit.latents]
    cross = found[..., others, None] * CODES[..., None, others]
    assert torch.allclose(cross, cross.transpose(-1, -2), atol=1e-5)
    assert torch.equal(found[1, 0], CODES[1, 0])


def test_mass_moves_by_the_strength_where_the_others_have_enough():
    found = changed(Edit(1, 2.0, "mass"))
    assert torch.allclose(found[0, 0], torch.tensor([0.0, 2.0, 4.0 * 3.5 / 4.5, 0.5 * 3.5 / 4.5]))
    assert torch.allclose(found[0, 1], torch.tensor([1.0, 1.0, 0.0, 0.0]))
    assert torch.allclose(changed(Edit(0, 100.0, "mass"))[0, 0], torch.tensor([5.5, 0.0, 0.0, 0.0]))


def test_a_concept_is_its_latents_by_their_weights():
    latent = ((1, 1.0), (2, 0.25))
    for kind, ends in (("add", ()), ("scale", ()), ("clamp", (0.0, 1.0)), ("ablate", (0.0, 0.0))):
        one = changed(Edit(latent, 2.0, kind, *ends))
        each = changed(Edit(1, 2.0, kind, *ends), Edit(2, 0.5, kind, *ends))
        assert torch.allclose(one, each)


def test_edits_apply_in_order():
    assert torch.allclose(changed(set_to(1, 2.0), Edit(1, 1.0)), of_latent_1(lambda c: 0 * c + 1.5))
    assert torch.allclose(changed(Edit(1, 1.0), set_to(1, 2.0)), of_latent_1(lambda c: 0 * c + 1.0))
    assert torch.allclose(changed(Edit(1, 1.0), Edit(1, 1.0, "scale")), of_latent_1(lambda c: 2 * c + 1.0))


@pytest.mark.parametrize("edit", EVERY_KIND, ids=str)
def test_strength_zero_changes_no_code_and_variants_are_each_strength_alone(edit):
    strengths = [0.0, 0.5, 2.0, 0.0]
    both = torch.tensor([strengths, [0.0, 0.0, 1.0, 0.0]])
    found = changes(CODES, torch.arange(4), [edit, Edit(3, 1.0)], both, UNITS)
    assert found.shape == (2, 4, 2, 4)
    assert not found[:, [0, 3]].any()
    assert torch.allclose(found[:, 1] + CODES, changed(edit, strength=0.5))
    assert torch.allclose(found[:, 2, :, :3] + CODES[..., :3], changed(edit, strength=2.0)[..., :3], atol=1e-5)


def test_a_latent_without_a_unit_is_moved_by_nothing_but_can_be_ablated():
    codes, units = torch.tensor([[[2.0, 1.0]]]), torch.zeros(2)
    for edit in (Edit(0, 9.0), ablate(0, 9.0), set_to(0, 3.0, 9.0), Edit(0, 9.0, "mass"), clamp(0, 1.0, 2.0, 9.0)):
        strengths = torch.tensor([[edit.strength]])
        assert not changes(codes, torch.arange(2), [edit], strengths, units).any()
    gone = changes(codes, torch.arange(2), [ablate(0)], torch.tensor([[INF]]), units)
    assert gone.tolist() == [[[[-2.0, 0.0]]]]
    assert {edit.kind for edit in EVERY_KIND} == set(KINDS)
    assert np.isinf(WHOLE)
