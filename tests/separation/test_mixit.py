"""MixIT against the authors' values and against a loop over all assignments."""

import sys
from itertools import product

import pytest
import torch
from torch import Tensor

from soundviews.core.errors import SoundviewsError
from soundviews.separation import mixit, mixture_consistency


def looped(estimates: Tensor, mixtures: Tensor, snr_max: float = 30.0) -> tuple[Tensor, Tensor]:
    """The definition: the loss in the time domain of every assignment, then the least."""
    count = mixtures.shape[1]
    assignments = list(product(range(count), repeat=estimates.shape[1]))
    losses = []
    for assignment in assignments:
        total = torch.zeros(len(estimates), dtype=estimates.dtype)
        for i in range(count):
            remix = sum((estimates[:, m] for m, to in enumerate(assignment) if to == i), torch.zeros(()))
            error = (mixtures[:, i] - remix).square().sum(1)
            threshold = 10 ** (-snr_max / 10) * mixtures[:, i].square().sum(1)
            total = total + 10 * torch.log10(error + threshold + 1e-8)
        losses.append(total / count)
    loss, index = torch.stack(losses).min(0)
    return loss, torch.tensor(assignments)[index]


def golden_cases(sources: Tensor, mixtures: Tensor) -> dict[str, tuple[Tensor, Tensor, float, str]]:
    """Estimates (sources, samples), mixtures (2, samples), loss, and the first row of the assignment matrix."""
    s0, s1, s2, s3 = sources
    x1, x2 = mixtures
    perfect, silence = torch.stack([s2, s0, s3, s1]), torch.zeros_like(s0)
    mom = x1 + x2
    return {
        "perfect": (perfect, mixtures, -3.71611, "1100"),
        "perfect and zeros": (torch.cat([perfect, torch.zeros(2, 1600)]), mixtures, -3.71611, "110011"),
        "the mixtures": (mixtures, mixtures, -3.71611, "10"),
        "the mixtures, swapped": (mixtures.flip(0), mixtures, -3.71611, "01"),
        "too quiet": (0.9 * perfect, mixtures, 6.69782, "1100"),
        "zeros": (torch.zeros(4, 1600), mixtures, 26.28823, "1111"),
        "halves": (torch.stack([mom / 2, mom / 2]), mixtures, 23.28443, "11"),
        "all in one": (torch.stack([mom, silence]), mixtures, 23.28443, "11"),
        "quarters": (mom.expand(4, -1) / 4, mixtures, 22.38516, "1110"),
        "one mixture silent": (
            torch.stack([s0, s2, silence, silence]),
            torch.stack([x1, silence]),
            -40.35291,
            "1111",
        ),
    }


NAMES = list(golden_cases(torch.zeros(4, 1600), torch.zeros(2, 1600)))


@pytest.mark.parametrize("name", NAMES)
def test_golden_values(tones: tuple[Tensor, Tensor], name: str) -> None:
    sources, mixtures = tones
    estimates, mixtures, expected, first_row = golden_cases(sources, mixtures[0])[name]
    loss, assignment = mixit(estimates[None], mixtures[None])
    assert loss.item() == pytest.approx(expected, abs=2e-4)
    assert "".join(str(int(to == 0)) for to in assignment[0]) == first_row


def test_only_the_given_assignments_are_considered(tones: tuple[Tensor, Tensor]) -> None:
    sources, mixtures = tones
    every = torch.tensor(list(product(range(2), repeat=4)))
    best_denied = every[(every != torch.tensor([0, 0, 1, 1])).any(1)]
    loss, assignment = mixit(sources[[2, 0, 3, 1]][None], mixtures, assignments=best_denied)
    assert loss.item() == pytest.approx(11.14856, abs=2e-4)
    assert assignment.tolist() == [[0, 0, 0, 1]]
    only = mixit(sources[[2, 0, 3, 1]][None], mixtures, assignments=torch.tensor([[1, 1, 0, 0]]))
    assert only[1].tolist() == [[1, 1, 0, 0]]


def test_perfect_is_the_closed_form(tones: tuple[Tensor, Tensor]) -> None:
    _, mixtures = tones
    for snr_max in (20.0, 30.0):
        floor = 10 * torch.log10(10 ** (-snr_max / 10) * mixtures.square().sum(2) + 1e-8).mean()
        torch.testing.assert_close(mixit(mixtures, mixtures, snr_max)[0], floor[None])


@pytest.mark.parametrize(("sources", "count"), [(2, 2), (3, 2), (4, 2), (7, 2), (4, 3), (3, 1)])
def test_equals_a_loop_over_the_assignments(sources: int, count: int) -> None:
    generator = torch.Generator().manual_seed(sources)
    # Correlated estimates, as those of an untrained separator, where shortcuts to the best assignment go wrong.
    common = torch.randn(5, 1, 300, generator=generator)
    leaves = (common + 0.5 * torch.randn(5, sources, 300, generator=generator)).requires_grad_()
    mixtures = torch.randn(5, count, 300, generator=generator) + common
    loss, assignment = mixit(leaves, mixtures)
    expected, expected_assignment = looped(leaves, mixtures)
    torch.testing.assert_close(loss, expected)
    assert assignment.tolist() == expected_assignment.tolist()
    weights = torch.arange(1.0, 6)
    (gradient,) = torch.autograd.grad((loss * weights).sum(), leaves)
    (expected_gradient,) = torch.autograd.grad((expected * weights).sum(), leaves)
    torch.testing.assert_close(gradient, expected_gradient)


def test_the_search_in_chunks_is_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    estimates, mixtures = torch.randn(3, 6, 200), torch.randn(3, 2, 200)
    whole = mixit(estimates, mixtures)
    # As an attribute of the package, the name is the function's.
    monkeypatch.setattr(sys.modules["soundviews.separation.mixit"], "_CHUNK", 3 * 2 * 6 * 5)
    chunked = mixit(estimates, mixtures)
    assert whole[1].tolist() == chunked[1].tolist()
    ties = mixit(torch.zeros(3, 6, 200), mixtures)[1]
    assert not ties.any()


def test_sixteen_sources_are_searched_exactly(tones: tuple[Tensor, Tensor]) -> None:
    generator = torch.Generator().manual_seed(0)
    parts = torch.randn(2, 16, 400, generator=generator)
    truth = torch.randint(0, 2, (2, 16), generator=generator)
    mixtures = torch.stack([(parts * (truth == i)[..., None]).sum(1) for i in range(2)], dim=1)
    loss, assignment = mixit(parts, mixtures)
    assert assignment.tolist() == truth.tolist()
    floor = (10 * torch.log10(1e-3 * mixtures.square().sum(2) + 1e-8)).mean(1)
    torch.testing.assert_close(loss, floor)


def test_order_of_estimates_and_of_mixtures() -> None:
    estimates, mixtures = torch.randn(4, 5, 100), torch.randn(4, 2, 100)
    loss, assignment = mixit(estimates, mixtures)
    order = torch.randperm(5)
    permuted = mixit(estimates[:, order], mixtures)
    swapped = mixit(estimates, mixtures.flip(1))
    torch.testing.assert_close(permuted[0], loss)
    torch.testing.assert_close(swapped[0], loss)
    assert permuted[1].tolist() == assignment[:, order].tolist()
    assert swapped[1].tolist() == (1 - assignment).tolist()


def test_a_degenerate_assignment_has_no_gradient(tones: tuple[Tensor, Tensor]) -> None:
    """With mixture consistency, everything to one mixture leaves the other as the error, whatever the estimates."""
    _, mixtures = tones
    raw = torch.randn(1, 2, 1600, generator=torch.Generator().manual_seed(0)).mul(1e-3).requires_grad_()
    _, assignment = mixit(estimates := mixture_consistency(raw, mixtures.sum(1)), mixtures)
    assert assignment.tolist() == [[0, 0]]
    loss, _ = mixit(estimates, mixtures)
    (gradient,) = torch.autograd.grad(loss.sum(), raw)
    assert gradient.abs().max() < 1e-6
    matched = mixtures / mixtures.square().mean(2, keepdim=True).sqrt()
    loss, assignment = mixit(mixture_consistency(raw, matched.sum(1)), matched)
    assert sorted(assignment[0].tolist()) == [0, 1]
    assert torch.autograd.grad(loss.sum(), raw)[0].abs().max() > 1e-3


def test_silence_has_a_finite_loss_and_gradient() -> None:
    estimates = torch.zeros(2, 3, 50, requires_grad=True)
    loss, assignment = mixit(estimates, torch.zeros(2, 2, 50))
    assert loss.tolist() == pytest.approx([-80, -80])
    assert not assignment.any()
    loss.sum().backward()
    assert estimates.grad is not None and not estimates.grad.any()


def test_low_precision_does_not_reach_the_loss() -> None:
    estimates, mixtures = torch.randn(2, 4, 300), torch.randn(2, 2, 300)
    with torch.autocast("cpu", torch.bfloat16):
        inside = mixit(estimates, mixtures)[0]
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, mixit(estimates, mixtures)[0])


@pytest.mark.parametrize(
    ("estimates", "mixtures", "message"),
    [
        ((2, 100), (2, 2, 100), "takes"),
        ((2, 4, 100), (2, 2, 90), "differ"),
        ((3, 4, 100), (2, 2, 100), "differ"),
        ((2, 1, 100), (2, 2, 100), "cannot fill 2 mixtures"),
        ((1, 40, 10), (1, 2, 10), "too many to search"),
    ],
)
def test_wrong_shapes(estimates: tuple[int, ...], mixtures: tuple[int, ...], message: str) -> None:
    with pytest.raises(SoundviewsError, match=message):
        mixit(torch.zeros(estimates), torch.zeros(mixtures))
    with pytest.raises(SoundviewsError, match="must be"):
        mixit(torch.zeros(1, 3, 9), torch.zeros(1, 2, 9), assignments=torch.zeros(4, 2, dtype=torch.int64))
