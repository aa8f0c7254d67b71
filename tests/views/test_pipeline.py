"""The chain of steps, its errors, and what the two branches share."""

import pytest
import torch

from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.features import Clips, LogMel
from soundviews.views.pipeline import Branch, TwoViews

CONTEXT = {"log_mel": LogMel(16000), "sample_rate": 16000, "fill": "repeat"}
COLA = ["l2_normalize", {"crop": {"seconds": 0.25}}, "log_mel"]
COLA_NOISY = [*COLA[:2], {"noise": {"std": 0.001}}, "log_mel"]
UCLSER = [
    "peak_normalize",
    {"patch": {"frames": 20, "pair": "random"}},
    {"mix_back": {"alpha": 0.05}},
    {"resized_crop": {"scale": [0.8, 1.0], "ratio": [0.75, 1.3333]}},
    {"compression": {"alpha": 0.75}},
    {"gaussian_noise": {"max_std": 0.01}},
]


def batch(rows: int) -> Clips:
    samples = torch.randn(rows, 16000, generator=torch.Generator().manual_seed(0)) * 0.1
    return Clips(samples, torch.full((rows,), 16000))


@pytest.mark.parametrize(("steps", "backgrounds"), [(COLA, 0), (UCLSER, 2)])
def test_two_views(steps, backgrounds):
    two_views = TwoViews(steps, steps, **CONTEXT)
    assert two_views.backgrounds == backgrounds
    clips = batch((1 + backgrounds) * 4)
    anchors, positives = two_views(*clips, (0, 7, 0))
    assert anchors.shape == positives.shape
    assert len(anchors) == 4
    assert not torch.allclose(anchors, positives)
    again = two_views(*clips, (0, 7, 0))
    assert torch.equal(anchors, again[0])
    assert torch.equal(positives, again[1])
    for keys in ((1, 7, 0), (0, 8, 0), (0, 7, 1)):  # seed, step, rank
        assert not torch.equal(two_views(*clips, keys)[0], anchors)


def test_each_branch_mixes_in_its_own_block():
    steps = [{"patch": {"frames": 20, "pair": "same"}}, {"mix_back": {"alpha": 1.0, "adjust_energy": False}}]
    samples, lengths = batch(12)
    two_views = TwoViews(steps, steps, **CONTEXT)
    anchors, positives = two_views(samples, lengths, (0,))
    for block, changed in ((slice(4, 8), (True, False)), (slice(8, 12), (False, True))):
        other = samples.clone()
        other[block] *= 10
        views = two_views(other, lengths, (0,))
        assert (not torch.equal(views[0], anchors), not torch.equal(views[1], positives)) == changed


def test_one_branch_may_mix_alone():
    two_views = TwoViews([{"patch": {"frames": 20}}], UCLSER, **CONTEXT)
    anchors, positives = two_views(*batch(12), (0,))
    assert anchors.shape == positives.shape == (4, 20, 64)


def test_adding_a_step_leaves_the_draws_of_the_others():
    """Both of cola's branches with the same branch number crop the same snippet; only the noise differs."""
    clips = batch(4)
    plain, noisy = (Branch(steps, **CONTEXT)(clips, Randomness(0)) for steps in (COLA, COLA_NOISY))
    assert 1e-4 < (plain - noisy).abs().mean() < 1.0
    other = Branch(COLA, **CONTEXT)(clips, Randomness(0, branch=1))
    assert (plain - other).abs().mean() > (plain - noisy).abs().mean()


def test_a_step_twice_draws_twice():
    x = batch(4)
    once = Branch([*COLA, {"compression": {"alpha": 0.5}}], **CONTEXT)(x, Randomness(0))
    twice = Branch([*COLA, {"compression": {"alpha": 0.5}}, {"compression": {"alpha": 0.5}}], **CONTEXT)(
        x, Randomness(0)
    )
    plain = Branch(COLA, **CONTEXT)(x, Randomness(0))
    assert not torch.allclose(twice / once, once / plain)


def test_no_gradient_is_kept():
    assert not TwoViews(COLA, COLA, **CONTEXT)(batch(2).samples.requires_grad_(), batch(2).lengths, (0,))[
        0
    ].requires_grad


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([{"crop": {"seconds": 1}}, "spec_augment"], "'spec_augment' takes patches, but 'crop' gives snippets"),
        (["log_mel"], "'log_mel' takes snippets, but a recording gives clips"),
        (["l2_normalize"], "must end in patches"),
        ([], "must end in patches"),
        ([{"crop": {"second": 1}}], "did you mean 'seconds'"),
        (["spec_augmentation"], "did you mean 'spec_augment'"),
        ([{"patch": {"frames": 5}, "blur": {}}], "a view is a name"),
        ([{"patch": 5}], "a view is a name"),
        (["crop"], "seconds"),
        ([{"patch": {"frames": 9}}, {"mix_back": {"alpha": 0.1}}, {"mix_back": {"alpha": 0.1}}], "once"),
    ],
)
def test_wrong_chains_fail_before_any_audio(steps, words):
    with pytest.raises(SoundviewsError, match=words.replace("(", r"\(")):
        Branch(steps, **CONTEXT)


def test_wrong_number_of_clips():
    with pytest.raises(ValueError, match="8 clips are no batch"):
        TwoViews(UCLSER, UCLSER, **CONTEXT)(*batch(8), (0,))


@pytest.mark.parametrize(
    "steps",
    [
        ["peak_normalize", {"patch": {"frames": 20, "pair": 30}}],
        [{"patch": {"frames": 20}}, {"mix_back": {"alpha": 0.0}}],
        ["l2_normalize", {"crop": {"seconds": 0.25}}, "log_mel"],
    ],
)
def test_positions_are_where_the_views_were_cut(steps: list) -> None:
    """But for its level, a view of noise is what the front-end makes of the samples from its position on."""
    two_views = TwoViews(steps, steps, **CONTEXT)
    samples, lengths = batch(4 * (1 + two_views.backgrounds))
    lengths = lengths - 500 * torch.arange(len(lengths))
    samples *= torch.arange(16000) < lengths[:, None]
    positions = two_views.positions(lengths, (3,))
    assert positions.shape == (2, 4) and not torch.equal(positions[0], positions[1])
    for patches, starts in zip(two_views(samples, lengths, (3,)), positions, strict=True):
        for patch, start, clip in zip(patches, starts.tolist(), samples, strict=False):
            snippet = clip[start : start + CONTEXT["log_mel"].samples(patch.shape[0])]
            expected = CONTEXT["log_mel"](snippet[None])[0]
            torch.testing.assert_close(patch - patch.mean(), expected - expected.mean(), atol=0.1, rtol=0)


def test_a_stretched_clip_has_no_known_positions() -> None:
    assert Branch(UCLSER, **CONTEXT).cutting is not None
    assert Branch(["time_stretch", *COLA], **CONTEXT).cutting is None
