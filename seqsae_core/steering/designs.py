"""Latents for a concept by their effect on output: which few raise its expected share most for what they change."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor

from seqsae_core.recommender.protocol import SequenceModel
from seqsae_core.steering.displacement import displaced_states
from seqsae_core.steering.evaluation import Bucket, Contexts
from seqsae_core.steering.sureness import sureness

STEP = 1e-2
FISHER_RIDGE = 1e-3
CANDIDATES = 60
LEARNERS = 100
SPARSITY = 0.01
RATE = 0.15
LOWERED = 20
ITEMS_READ = 2000
PENALTY = 5.0


@dataclass(frozen=True)
class Landscape:
    """What a small displacement of the hidden state does to the recommendations of some users, to first order.

    chances: softmax over unseen items, (users, n_items + 1); jacobians: of the scored state in the displacement,
    (users, width, width), rows the displacement; vectors: output vectors of items (n_items + 1, width);
    fisher: (width, width), the mean Fisher information of the recommendations, KL(plain ‖ moved) ≈ ½ dᵀ fisher d
    (Amari, Natural Gradient Works Efficiently in Learning, Neural Computation 10, 1998).
    """

    chances: Tensor
    jacobians: Tensor
    vectors: Tensor
    fisher: Tensor

    @cached_property
    def usual_sureness(self) -> float:
        """The median sureness of the users' lists."""
        return float(sureness(self.chances).median())

    def gradient(self, labels: np.ndarray) -> Tensor:
        """Gradient of the mean expected share of a concept, item values (n_items + 1,), in the displacement, (width,).

        d/dd Σᵢ pᵢ yᵢ = J · Σᵢ pᵢ (yᵢ − Σ p y) vᵢ, averaged over users.
        """
        values = torch.tensor(labels, dtype=torch.float32)
        share = self.chances @ values
        pull = (self.chances * (values - share[:, None])) @ self.vectors
        return torch.einsum("uij,uj->i", self.jacobians, pull) / len(pull)


@torch.inference_mode()
def survey(contexts: Contexts, position: str = "last") -> Landscape:
    """The landscape of the contexts' users for displacements at `position`; differences of STEP × the activations'
    root mean square stand for derivatives."""
    found = [_surveyed(contexts.model, contexts.layer, bucket, position) for bucket in contexts.buckets]
    chances, jacobians, fishers = zip(*found, strict=True)
    fisher = torch.stack(fishers).sum(0) / len(contexts.users)
    vectors = contexts.model.item_vectors().clone()
    return Landscape(torch.cat(chances), torch.cat(jacobians), vectors, fisher)


def _surveyed(model: SequenceModel, layer: int, bucket: Bucket, position: str) -> tuple[Tensor, Tensor, Tensor]:
    step = STEP * bucket.hidden.activations[:, -1].square().mean().sqrt()
    moves = step * torch.cat([torch.zeros(1, model.width), torch.eye(model.width), -torch.eye(model.width)])
    plain, up, down = displaced_states(model, bucket.hidden, layer, moves, position).split(
        [1, model.width, model.width], dim=1
    )
    jacobians = (up - down) / (2 * step)
    scores = model.scores(plain[:, 0])
    scores[bucket.seen_rows, bucket.seen_items] = -torch.inf
    chances, vectors = scores.softmax(1), model.item_vectors()
    fisher = torch.zeros(model.width, model.width)
    for p, jacobian in zip(chances, jacobians, strict=True):
        pulled = vectors @ jacobian.T
        mean = p @ pulled
        fisher += pulled.T @ (p[:, None] * pulled) - mean[:, None] * mean
    return chances, jacobians, fisher


def by_gain(
    moves: Tensor, gradient: Tensor, fisher: Tensor, count: int, signed: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """The `count` latents whose weights w bring the largest share for a KL divergence, and w relative to the largest.

    They maximise w·a − ½ wᵀHw with a = moves · gradient and H = moves · fisher · movesᵀ, which is (share won)² over
    KL up to scale. Greedy as orthogonal matching pursuit (Pati et al., 1993): the latent whose own move wins most of
    what is left, then all weights again. signed = False: only latents with positive weight stay.
    """
    ridge = FISHER_RIDGE * torch.trace(fisher) / len(fisher)
    within = fisher.double() + ridge * torch.eye(len(fisher), dtype=torch.float64)
    slopes, pulled = (moves.double() @ gradient.double()).numpy(), (moves.double() @ within).numpy()
    rows = moves.double().numpy()
    cost = np.maximum((pulled * rows).sum(1), 1e-30)
    chosen, weights = np.zeros(0, int), np.zeros(0)
    for _ in range(min(count, len(moves))):
        left = slopes - pulled @ (weights @ rows[chosen])
        won = np.where(cost > 1e-20, (left if signed else np.maximum(left, 0)) ** 2 / cost, 0.0)
        won[chosen] = 0
        if won.max() <= 1e-12 * np.max(slopes**2 / cost):
            break
        chosen = np.append(chosen, won.argmax())
        weights = _solved(pulled[chosen] @ rows[chosen].T, slopes[chosen], signed)
    order = np.argsort(-np.abs(weights), kind="stable")
    order = order[weights[order] != 0]
    return chosen[order], weights[order] / np.abs(weights).max(initial=1e-300)


def _solved(curvature: np.ndarray, slopes: np.ndarray, signed: bool) -> np.ndarray:
    if signed:
        return np.linalg.solve(curvature, slopes)
    root = np.linalg.cholesky(curvature)
    return nnls(root.T, np.linalg.solve(root, slopes))[0]


def learned(moves: Tensor, landscape: Landscape, labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` latents with weights ≥ 0 that maximise ln(mean expected share) − KL(plain ‖ moved), and the weights
    relative to the largest, (≤ count,) each.

    The model is linear beyond the displacement, its softmax is not. Of CANDIDATES by slope, fitted with an L1 penalty
    on LEARNERS users, the largest stay and are fitted again without it.
    """
    slopes = (moves @ landscape.gradient(labels)).numpy()
    pool = np.argsort(-slopes, kind="stable")[:CANDIDATES]
    pool = pool[slopes[pool] > 0]
    weights = _fitted(moves[torch.tensor(pool)], landscape, labels, 25, SPARSITY)
    order = np.argsort(-weights, kind="stable")[:count]
    weights = _fitted(moves[torch.tensor(pool[order])], landscape, labels, 15, 0.0)
    again = np.argsort(-weights, kind="stable")
    again = again[weights[again] > 0]
    return pool[order][again], weights[again] / max(weights.max(initial=0.0), 1e-12)


def lowered(
    moves: Tensor, landscape: Landscape, labels: np.ndarray, count: int = LOWERED, aim: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """`count` latents with weights of either sign, relative to the largest, that lower a concept at negative strengths.

    They minimise KL(plain ‖ moved) over the items without the concept (what is left shall stay as it was), with a
    penalty while the mean expected share is above `aim` times the plain one; read on the ITEMS_READ likeliest items.
    Found as in `learned`, out of 2 · CANDIDATES by size of slope.
    """
    slopes = (moves @ landscape.gradient(labels)).numpy()
    pool = np.argsort(-np.abs(slopes), kind="stable")[: 2 * CANDIDATES]
    pool = pool[slopes[pool] != 0]
    seen = _likeliest(landscape, labels)
    weights = _lowering(-moves[torch.tensor(pool)], seen, aim, 30, SPARSITY / 3)
    order = np.argsort(-np.abs(weights), kind="stable")[:count]
    weights = _lowering(-moves[torch.tensor(pool[order])], seen, aim, 40, 0.0)
    again = np.argsort(-np.abs(weights), kind="stable")
    again = again[weights[again] != 0]
    return pool[order][again], weights[again] / max(np.abs(weights).max(initial=0.0), 1e-12)


def _likeliest(landscape: Landscape, labels: np.ndarray) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Of LEARNERS users and the ITEMS_READ likeliest items: ln chances, Jacobians, output vectors, labels > ½."""
    some = slice(None, None, max(1, len(landscape.chances) // LEARNERS))
    items = landscape.chances.mean(0).argsort(descending=True, stable=True)[:ITEMS_READ]
    plain = landscape.chances[some][:, items].clamp(min=1e-12).log().log_softmax(1)
    return plain, landscape.jacobians[some].clone(), landscape.vectors[items], torch.tensor(labels)[items] > 0.5


def _lowering(
    moves: Tensor, seen: tuple[Tensor, Tensor, Tensor, Tensor], aim: float, steps: int, sparsity: float
) -> np.ndarray:
    """Weights of moves (n, width) after so many steps of Adam from 0."""
    plain, jacobians, vectors, has = seen
    weights = torch.zeros(len(moves), requires_grad=True)
    optimiser = torch.optim.Adam([weights], RATE)
    rest = plain[:, ~has].log_softmax(1)
    wanted = plain[:, has].exp().sum(1).mean() * aim
    for _ in range(steps if len(moves) and has.any() and not has.all() else 0):
        with torch.enable_grad():
            moved = plain + torch.einsum("i,uij->uj", weights @ moves, jacobians) @ vectors.T
            share = moved.log_softmax(1)[:, has].exp().sum(1).mean()
            divergence = (rest.exp() * (rest - moved[:, ~has].log_softmax(1))).sum(1).mean()
            loss = divergence + PENALTY * (share / wanted).clamp(min=1).log() + sparsity * weights.abs().sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return weights.detach().numpy()


def _fitted(moves: Tensor, landscape: Landscape, labels: np.ndarray, steps: int, sparsity: float) -> np.ndarray:
    """Weights of moves (n, width) after so many steps of Adam (Kingma & Ba, 2015) from .1 each."""
    some = slice(None, None, max(1, len(landscape.chances) // LEARNERS))
    chances, jacobians = landscape.chances[some].clone(), landscape.jacobians[some].clone()
    plain, values, vectors = chances.clamp(min=1e-12).log(), torch.tensor(labels), landscape.vectors.clone()
    weights = torch.full((len(moves),), 0.1, requires_grad=True)
    optimiser = torch.optim.Adam([weights], RATE)
    for _ in range(steps if len(moves) else 0):
        with torch.enable_grad():
            moved = torch.einsum("i,uij->uj", weights.clamp(min=0) @ moves, jacobians) @ vectors.T
            logs = (plain + moved).log_softmax(1)
            divergence = (chances * (plain - logs)).sum(1).mean()
            loss = divergence - (logs.exp() @ values).mean().log() + sparsity * weights.clamp(min=0).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return weights.detach().clamp(min=0).numpy()
