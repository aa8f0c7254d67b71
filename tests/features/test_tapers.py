"""Tapers against scipy's."""

import numpy as np
import pytest
import scipy.signal

from soundviews.core.errors import SoundviewsError
from soundviews.features.tapers import taper, tapers


@pytest.mark.parametrize("name", tapers())
@pytest.mark.parametrize("length", [1, 2, 3, 400, 401, 1024])
def test_equals_scipy(name: str, length: int) -> None:
    # A cosine rounds by 1.1e-16, and three of them are added in another order.
    np.testing.assert_allclose(taper(name, length), scipy.signal.get_window(name, length), atol=1e-15, rtol=0)


def test_an_unknown_one_is_named_with_the_nearest() -> None:
    with pytest.raises(SoundviewsError, match="'hanning': did you mean 'hann'"):
        taper("hanning", 400)
