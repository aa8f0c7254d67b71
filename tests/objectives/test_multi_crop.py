"""Multi-crop: which pairs are compared, and which objectives it takes."""

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.objectives import Loss, MultiCrop


def embeddings(count: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    return [torch.randn(8, 16, generator=generator) for _ in range(count)]


def test_it_is_the_mean_over_all_pairs_with_one_of_the_two_views() -> None:
    torch.manual_seed(0)
    objective = MultiCrop(16, {"bilinear": {"projection_size": 4}})
    a, b, c, d = embeddings(4)
    pairs = [objective.pairwise(*pair) for pair in ((a, b), (c, a), (c, b), (d, a), (d, b))]
    loss = objective(a, b, c, d)
    torch.testing.assert_close(loss.value, sum(pair.value for pair in pairs) / 5)
    assert loss.metrics["accuracy"] == pairs[0].metrics["accuracy"]
    expected = sum(pair.metrics["accuracy"] for pair in pairs[1:]) / 4
    torch.testing.assert_close(loss.metrics["further_accuracy"], expected)


def test_further_views_are_not_compared_with_one_another() -> None:
    compared = []
    objective = MultiCrop(16, {"coincidence": {"hidden_size": 4}})
    views = embeddings(4)

    def compare(h_a: torch.Tensor, h_b: torch.Tensor) -> Loss:
        compared.append({number for number, h in enumerate(views) if h is h_a or h is h_b})
        return Loss(h_a.sum(), {"accuracy": h_a.mean()})

    objective.pairwise.forward = compare
    objective(*views)
    assert {2, 3} not in compared and len(compared) == 5


def test_it_projects_where_its_objective_does() -> None:
    assert MultiCrop(16, {"nt_xent": {"projection_size": 4}}).project(embeddings(1)[0]).shape == (8, 4)
    assert not hasattr(MultiCrop(16, {"coincidence": {}}), "project")


@pytest.mark.parametrize("inner", [{"byol": {}}, {"temporal_gap": {}}, {"multi_crop": {"objective": {"nt_xent": {}}}}])
def test_it_takes_objectives_of_two_views_alone(inner: dict) -> None:
    with pytest.raises(ValueError, match="two views alone"):
        MultiCrop(16, inner)
    with pytest.raises(SoundviewsError, match="did you mean 'nt_xent'"):
        MultiCrop(16, {"nt_xnt": {}})


def test_without_further_views_it_says_what_is_missing() -> None:
    with pytest.raises(SoundviewsError, match=r"views\.further"):
        MultiCrop(16, {"nt_xent": {}})(*embeddings(2))
