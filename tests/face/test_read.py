import numpy as np
import pytest

from soundviews.core.errors import SoundviewsError
from soundviews.face.read import probe, read


def test_the_files_own_rate_or_another(write_audio):
    path = write_audio("a.wav", 0.5, 44100, channels=2)
    assert probe(path).sample_rate == 44100 and probe(path).seconds == 0.5
    assert read(path).shape == (22050,) and read(path).dtype == np.float32
    assert len(read(path, 16000)) == 8000
    np.testing.assert_array_equal(read(path, start=0.25, duration=0.1), read(path)[11025 : 11025 + 4410])


def test_silence_is_read_and_errors_name_the_file(write_audio, tmp_path):
    assert not read(write_audio("silence.wav", samples=np.zeros(100))).any()
    for function in (read, probe):
        with pytest.raises(SoundviewsError, match=r"nowhere\.wav: no such file"):
            function(tmp_path / "nowhere.wav")
    with pytest.raises(SoundviewsError, match="a number of Hz above 0, not -3"):
        read(tmp_path / "silence.wav", sample_rate=-3)
