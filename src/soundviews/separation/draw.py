"""Which channel of which processor stands in for each clip: drawn, not looked at, so that it can be read ahead."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Wanted(NamedTuple):
    """One channel for each example of a batch, before it is known how many channels a processor gives.

    processor: int64 (batch,), index into the processors of the training.
    uniform: float64 (batch, 2) in [0, 1), what decides the channel; the same for both branches.
    second: whether this is the branch that takes another channel than the first one's (chan-chan).
    mixture: whether the mixture itself is among the choices (mix-any), as likely as each channel.
    discard_worst: whether the channel with the least of the mixture is left out (ssep, Appendix A).
    """

    processor: NDArray[np.int64]
    uniform: NDArray[np.float64]
    second: bool
    mixture: bool
    discard_worst: bool

    def of(self, examples: NDArray[np.int64]) -> "Wanted":
        """What is drawn for some examples of the batch."""
        return self._replace(processor=self.processor[examples], uniform=self.uniform[examples])

    def choices(self, sources: int) -> int:
        """Among how many a clip's channel is drawn, if its processor gives `sources` channels."""
        return sources - self.discard_worst + self.mixture

    def channel(self, sources: NDArray[np.int64], worst: NDArray[np.int64]) -> NDArray[np.int64]:
        """The channel of each example (batch,), -1 for the mixture.

        Args:
            sources: (batch,) how many channels its processor gives.
            worst: (batch,) which of them is the worst; only read if `discard_worst`.
        """
        channels = sources - self.discard_worst
        choices = channels + self.mixture
        chosen = (self.uniform[:, 0] * choices).astype(np.int64)
        if self.second:
            others = np.maximum(choices - 1, 1)
            chosen = (chosen + 1 + (self.uniform[:, 1] * others).astype(np.int64)) % choices
        channel = np.where(chosen < channels, chosen, -1)
        return channel + ((channel >= worst) & (channel >= 0)) if self.discard_worst else channel
