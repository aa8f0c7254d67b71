"""Streams of random tensors say which they are."""

from soundviews.core.randomness import Randomness


def test_a_stream_names_what_it_is_a_function_of() -> None:
    child = Randomness(7, 3, branch=1).child("crop", 0)
    assert repr(child) == "Randomness(7, 3, branch=1, path=('crop', 0), device='cpu')"
