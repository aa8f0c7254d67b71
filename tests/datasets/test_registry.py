"""Every registered dataset: an unrelated folder is not taken for it."""

import pytest

from soundviews.datasets import datasets


@pytest.mark.parametrize("name", datasets.names())
def test_no_dataset_claims_any_folder(name, tmp_path, write_tone):
    write_tone("audio/a.wav", seconds=0.1)
    assert datasets.get(name).matches(tmp_path) is False
    assert callable(datasets.get(name).read)
