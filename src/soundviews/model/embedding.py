"""What embedding a recording gives."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Embedding(NamedTuple):
    """vectors: float32 (windows, embedding_size); starts: float64 (windows,), seconds."""

    vectors: NDArray[np.float32]
    starts: NDArray[np.float64]

    def __repr__(self) -> str:
        windows, size = self.vectors.shape
        if windows == 1:
            return f"Embedding(1 window that starts at {self.starts[0]:.2f} s, a vector of {size})"
        span = f" that start at {self.starts[0]:.2f} to {self.starts[-1]:.2f} s" if windows else ""
        return f"Embedding({windows} windows{span}, vectors of {size})"
