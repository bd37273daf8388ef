"""Colours of one meaning each stay apart for people without red-green vision, too."""

from itertools import combinations

import numpy as np
import pytest

from seqsae_core.figures import latent_map, style

# Machado, Oliveira & Fernandes, A Physiologically-based Model for Simulation of Color Vision Deficiency, IEEE TVCG
# 15(6), 2009, severity 1.0, on linear RGB.
SIGHTS = {
    "all cones": np.eye(3),
    "no red cones": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "no green cones": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
}
XYZ = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
WHITE = [0.95047, 1.0, 1.08883]
MEANINGS = (style.LATENTS, style.NEURONS, style.RIVALS, style.PROMOTED, style.DEMOTED)
ON_THE_MAP = (*latent_map.HUES, latent_map.OTHERS, style.RIVALS)
APART = 10  # ΔE*ab of 1976, four times what is just noticed side by side


def lab(colour: str, sight: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of a colour (#rrggbb, sRGB) as somebody with this sight sees it."""
    encoded = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    x, y, z = (np.array(XYZ) @ np.clip(sight @ linear, 0, 1)) / WHITE
    fx, fy, fz = (np.cbrt(t) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116 for t in (x, y, z))
    return np.array([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)])


def test_the_formula_knows_a_colour_that_is_in_every_textbook():
    assert lab("#FF0000", np.eye(3)) == pytest.approx([53.24, 80.09, 67.20], abs=0.02)


@pytest.mark.parametrize("sight", SIGHTS)
@pytest.mark.parametrize("colours", [MEANINGS, ON_THE_MAP], ids=["meanings", "on the map"])
def test_colours_stay_apart(colours, sight):
    seen = {colour: lab(colour, np.array(SIGHTS[sight])) for colour in colours}
    near = {pair: np.linalg.norm(seen[pair[0]] - seen[pair[1]]) for pair in combinations(colours, 2)}
    assert min(near.values()) >= APART, min(near, key=near.get)
