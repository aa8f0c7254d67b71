"""Mixing each patch with a faint background (uclser, eq. 1)."""

from torch import Tensor

from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.features.registry import FrontEnd
from soundviews.views.registry import View, views


@views.register("mix_back", example={"alpha": 0.5})
class MixBack(View):
    """log[(1 - lambda) X + lambda (E_X / E_B) B] for patches X and backgrounds B on the linear mel scale.

    lambda ~ U(0, alpha) for each example; E is the sum over the patch, so that the mixture keeps the energy of X.
    Takes twice as many rows as it gives: the first half are the examples, the second their backgrounds.

    Args:
        alpha: Largest share of the background, 0 to 1.
        log_mel: The front-end, which knows how to leave the log scale.
        adjust_energy: False leaves E_X / E_B out.
        share_lambda: Whether both views of an example are mixed with the same lambda (the released program) or each
            with its own (the paper's notation).
    """

    takes = gives = "patches"
    needs_background = True

    def __init__(self, alpha: float, log_mel: FrontEnd, adjust_energy: bool = True, share_lambda: bool = True) -> None:
        if not 0 <= alpha <= 1:
            raise ValueError(f"alpha is {alpha}; it must lie within 0 and 1")
        self.alpha, self.adjust_energy, self.share_lambda = alpha, adjust_energy, share_lambda
        if log_mel.nats is None:
            raise SoundviewsError(
                f"mix_back mixes on the linear scale, to which {type(log_mel).__name__} does not lead back (its nats "
                "are None): leave mix_back out, or take another front-end"
            )
        self.nats = log_mel.nats  # natural logarithms in one unit of the patch

    def __call__(self, patches: Tensor, rng: Randomness) -> Tensor:
        x, background = (patches * self.nats).exp_().chunk(2)
        stream = rng.shared if self.share_lambda else rng
        weight = stream.uniform(len(x), 1, 1, high=self.alpha)
        gain = weight
        if self.adjust_energy:
            gain = weight * x.sum(dim=(1, 2), keepdim=True) / background.sum(dim=(1, 2), keepdim=True)
        return x.mul_(1 - weight).addcmul_(background, gain).log_().div_(self.nats)
