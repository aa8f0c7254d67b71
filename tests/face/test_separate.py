"""`sv.separate` and `sv.separate_files`."""

import numpy as np
import pytest
import soundfile
import torch

from soundviews.core.component import Component
from soundviews.core.errors import SoundviewsError
from soundviews.face.read import read
from soundviews.face.separate import separate, separate_files
from soundviews.separation.processor import ProcessorConfig, load_processors, save_processor
from soundviews.separation.tdcn import TDCN


@pytest.fixture
def separator(tmp_path):
    """A run with the processors N and S2, both untrained, of 8 kHz."""
    options = {"filters": 8, "bottleneck": 4, "width": 6, "repeats": 2, "blocks": 2}
    for name, step in (("S2", 20), ("N", 0)):
        torch.manual_seed(step)
        component = Component(name="tdcn", options=options)
        config = ProcessorConfig(name=name, step=step, sample_rate=8000, separator=component, recipe="")
        save_processor(tmp_path / "run/processors" / name, config, TDCN(**options))
    return tmp_path / "run"


def test_a_path_an_array_and_a_tensor_give_the_same(separator, write_audio):
    path = write_audio("a.wav", 0.5, 16000, channels=2)
    channels = separate(separator, path)
    assert channels.shape == (2, 4000) and channels.dtype == np.float32
    np.testing.assert_allclose(channels.sum(0), read(path, 8000), atol=1e-5)
    samples, rate = soundfile.read(path, dtype="float32")
    for given in (samples.mean(1), torch.from_numpy(samples.mean(1)[None])):
        np.testing.assert_allclose(separate(separator, given, sample_rate=rate), channels, atol=1e-4)
    network = load_processors(separator, ["S2"])[0]
    np.testing.assert_array_equal(separate(network, str(path)), channels)
    np.testing.assert_allclose(channels, network(torch.from_numpy(read(path, 8000))[None])[0], atol=1e-5)


def test_long_recordings_go_through_in_blocks(separator, write_audio):
    path = write_audio("a.wav", 3.3, 8000)
    channels = separate(separator, path, processor="S2>N", block_seconds=1.0)
    assert channels.shape == (4, 26400)
    np.testing.assert_allclose(channels.sum(0), read(path), atol=1e-5)


def test_what_cannot_be_separated_is_said(separator, write_audio, tmp_path):
    with pytest.raises(SoundviewsError, match=r"nowhere\.wav: no such file"):
        separate(separator, tmp_path / "nowhere.wav")
    with pytest.raises(SoundviewsError, match="at what rate"):
        separate(separator, np.zeros(100))
    with pytest.raises(SoundviewsError, match="no processor 'S1'"):
        separate(separator, write_audio("a.wav"), processor="S1")


def test_files(separator, write_audio, tmp_path):
    for name in ("in/a.wav", "in/b.wav"):
        write_audio(name, 0.3, 8000)
    (tmp_path / "in/bad.wav").write_text("text")
    result = separate_files(separator, [tmp_path / "in", tmp_path / "in/a.wav"], tmp_path / "out", format="wav")
    assert (result.recordings, result.already) == (2, 0)
    assert [path for path, _ in result.skipped] == ["bad.wav"]
    assert sorted(path.name for path in (tmp_path / "out").glob("*.wav")) == [
        "a_0.wav",
        "a_1.wav",
        "b_0.wav",
        "b_1.wav",
    ]
    assert separate_files(separator, tmp_path / "in", tmp_path / "out", format="wav").already == 2
