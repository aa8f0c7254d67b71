"""One separated channel in the place of each clip (ssep, Sec. 2)."""

import numpy as np

from soundviews.core.randomness import Randomness
from soundviews.features.patches import Clips
from soundviews.separation.draw import Wanted
from soundviews.views.registry import View, views


@views.register("separate", example={"processors": ["S2", "N"]})
class Separate(View):
    """Go on with a channel of the whole clip: of one processor, drawn for each example, one channel at random.

    Must be a branch's first step. Where both branches have it, they go on with different channels of one separation
    (chan vs chan). The step only draws; the channels come with the batch, prepared or separated on the fly, so that
    what several branches and objectives want of a clip is made together.

    Args:
        processors: Names of processors, as likely each (the OR rule of Sec. 5.3); "S2>N" applies N to a channel of S2.
        mixture: Whether the clip as recorded is among the choices, as likely as each channel (mix vs any).
        discard_worst: Leave out the channel with the least of the mixture in it (Appendix A; for four channels).
    """

    takes = gives = "clips"

    def __init__(self, processors: list[str], mixture: bool = False, discard_worst: bool = False) -> None:
        if isinstance(processors, str) or not processors or len(set(processors)) < len(processors):
            raise ValueError(f"processors must be a list of different names, such as [S2, F, N], not {processors!r}")
        self.processors, self.mixture, self.discard_worst = list(processors), mixture, discard_worst

    def draw_channels(self, batch: int, rng: Randomness, second: bool, among: list[str]) -> Wanted:
        """Which channel of which processor each example goes on with.

        Args:
            second: Whether another channel than that of the branch before is to be taken.
            among: All processors of the training, in which the result counts.
        """
        uniform = rng.shared.uniform(batch, 3).double().numpy()
        indices = np.array([among.index(name) for name in self.processors])
        processor = indices[(uniform[:, 2] * len(indices)).astype(np.int64)]
        return Wanted(processor, uniform[:, :2], second, self.mixture, self.discard_worst)

    def __call__(self, clips: Clips, rng: Randomness) -> Clips:
        """The clips, which the pipeline has replaced by their channels."""
        return clips
