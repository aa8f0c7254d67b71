"""The figures of processors: against known sources, and of their channels alone."""

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from soundviews.audio.decode import read
from soundviews.core.errors import SoundviewsError
from soundviews.datasets.fuss import make_lookalike
from soundviews.datasets.opening import open_corpus
from soundviews.datasets.sources import read_sources, source_files
from soundviews.evaluation.separation import choose, separation_figures
from soundviews.scenes.folder import SceneOptions, write_scenes
from soundviews.separation import TDCN
from soundviews.separation.processor import Processor


class Given(nn.Module):
    """A separator that is a function of the mixture."""

    def __init__(self, function, sources=2):
        super().__init__()
        self.function, self.sources = function, sources

    def forward(self, mixture, lengths=None):
        return self.function(mixture)


def processor(network, sample_rate=16000):
    return Processor("X", 7, sample_rate, network.sources, "0" * 16, network)


@pytest.fixture
def scenes(tmp_path):
    return write_scenes(tmp_path / "scenes", SceneOptions(clips=6, seed=1, min_seconds=1, max_seconds=1), workers=1)


@pytest.fixture
def tdcn():
    torch.manual_seed(0)
    return TDCN(filters=8, bottleneck=4, width=6, repeats=2, blocks=2).eval().requires_grad_(False)


def reference_si_snr(estimate, target):
    """In float64, by projection."""
    estimate, target = estimate.astype(float), target.astype(float)
    projection = estimate @ target / (target @ target) * target
    return 10 * np.log10((projection @ projection) / ((estimate - projection) @ (estimate - projection)))


def test_channels_that_are_the_sources_improve_by_all_there_is(scenes):
    """A perfect separator scores 80 dB less the SI-SNR of the mixture."""
    two = choose(scenes, sources=2)
    sources = [read_sources(two.clip(row), 16000) for row in range(len(two))]
    answers = {float(rows.sum(0) @ rows.sum(0)): torch.from_numpy(rows)[None] for rows in sources}

    def oracle(mixture):
        energy = float(mixture[0].numpy() @ mixture[0].numpy())
        return answers.get(energy, torch.stack([mixture / 2, mixture / 2], 1))

    result = separation_figures(processor(Given(oracle)), two)
    baselines = [reference_si_snr(rows.sum(0), row) for rows in sources for row in rows]
    assert result.clips == result.scored == len(two) and not result.unreadable
    assert result.figures["msi"] == pytest.approx(80 - np.mean(baselines), abs=0.05)
    assert result.figures["si_snr"] == pytest.approx(80, abs=0.05)
    assert result.figures["equal"] == 1 and math.isnan(result.figures["single_source_si_snr"])


def test_halves_of_the_mixture_have_the_character_of_halves(scenes):
    halves = Given(lambda mixture: torch.stack([mixture / 2, mixture / 2], 1))
    result = separation_figures(processor(halves), scenes)
    assert result.figures["msi"] == pytest.approx(0, abs=0.01)
    assert result.figures["momi"] == pytest.approx(0, abs=0.05)
    # Sums over 16,000 float32 samples round by 6e-8 * sqrt(16000) = 8e-6.
    assert result.figures["mixture_correlation"] == pytest.approx(1, abs=1e-5)
    assert result.figures["channel_correlation"] == pytest.approx(1, abs=1e-5)
    assert result.figures["level"] == pytest.approx(-20 * math.log10(2), abs=1e-3)
    assert result.figures["near_empty"] == 0 and result.pairs == 3


def test_an_empty_channel_is_found(scenes):
    silence = Given(lambda mixture: torch.stack([mixture, 0 * mixture], 1))
    figures = separation_figures(processor(silence), scenes).figures
    assert figures["near_empty"] == 0.5 and figures["under"] == 1 and figures["channel_correlation"] == 0
    # Both are of sums over 16,000 float32 samples, which round by 6e-8 * sqrt(16000) = 8e-6; in dB, 4.3 times that.
    assert figures["mixture_correlation"] == pytest.approx(0.5, abs=1e-5)
    assert figures["level"] == pytest.approx(-40, abs=1e-4)


def test_a_network_against_correlations_by_numpy(scenes, tdcn):
    result = separation_figures(processor(tdcn), scenes)
    expected = []
    for row in range(len(scenes)):
        mixture = read(scenes.clip(row).path)
        rows = np.stack([mixture, *tdcn(torch.from_numpy(mixture)[None])[0].numpy()]).astype(float)
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        energies = np.square(rows).sum(1)
        level = 10 * np.log10(energies[1:] / energies[0])
        expected.append([(unit @ unit.T)[0, 1:].mean(), unit[1] @ unit[2], level.mean()])
    names = ("mixture_correlation", "channel_correlation", "level")
    assert [result.figures[name] for name in names] == pytest.approx(np.mean(expected, axis=0), abs=1e-4)
    assert all(math.isfinite(result.figures[name]) for name in ("msi", "momi", "under", "equal", "over"))


def test_momi_of_level_matched_neighbours(write_audio, tmp_path):
    """Low and high tones, split at 1 kHz, are given back whole, whatever their levels."""
    time = np.arange(16000) / 16000
    for name, pitch, level in (("a", 250, 0.5), ("b", 4000, 0.01)):
        write_audio(f"tones/{name}.wav", samples=level * np.sin(2 * np.pi * pitch * time), subtype="FLOAT")

    def split(mixture):
        spectrum = torch.fft.rfft(mixture)
        low = torch.arange(spectrum.shape[1]) < 1000
        return torch.stack([torch.fft.irfft(spectrum * low), torch.fft.irfft(spectrum * ~low)], 1)

    result = separation_figures(processor(Given(split)), open_corpus(tmp_path / "tones"))
    # The mixture at equal levels has an SI-SNR of 0 dB to each tone.
    assert result.pairs == 1 and result.figures["momi"] == pytest.approx(80, abs=1)
    assert result.scored == 0 and math.isnan(result.figures["msi"]) and math.isnan(result.figures["equal"])


def test_momi_is_left_out_where_the_search_is_hopeless(scenes):
    many = Given(lambda mixture: mixture[:, None].expand(-1, 32, -1) / 32, sources=32)
    result = separation_figures(processor(many), scenes.select([0, 1]))
    assert result.pairs == 0 and math.isnan(result.figures["momi"])


def test_fuss_with_a_silent_background_and_a_clipped_mixture(tmp_path, tdcn):
    """The mixture is the sum of the sources, whatever its file says; silent sources are none."""
    root = make_lookalike(tmp_path / "ssdata", examples=2)
    evaluation = open_corpus(root).where(split="eval")
    before = separation_figures(processor(tdcn), evaluation)
    assert before.scored == 2
    alone = separation_figures(processor(tdcn), evaluation.select([0]))
    heard = int(read_sources(evaluation.clip(0), 16000).any(1).sum())
    assert (heard == 1) == math.isfinite(alone.figures["single_source_si_snr"])
    assert set(alone.figures) >= ({f"msi_{heard}"} if heard > 1 else set())
    mixture = Path(evaluation.clip(1).path)
    mixture.write_bytes(Path(evaluation.clip(0).path).read_bytes())
    assert separation_figures(processor(tdcn), evaluation).figures == pytest.approx(before.figures, nan_ok=True)


def test_unreadable_and_silent_clips_are_skipped_and_named(scenes, tdcn):
    broken, silent = (Path(scenes.clip(row).path) for row in (1, 2))
    source_files(broken)[0].write_bytes(b"no audio")
    for file in source_files(silent):
        soundfile.write(file, np.zeros(16000), 16000)
    result = separation_figures(processor(tdcn), scenes)
    assert set(result.unreadable) == {str(broken), str(silent)} and result.clips == 4
    assert result.unreadable[str(silent)] == "all sources are silent"
    with pytest.raises(SoundviewsError, match="none of the 2 clips can be read"):
        separation_figures(processor(tdcn), scenes.select([1, 2]))


def test_only_the_first_ten_seconds_of_a_recording(write_tone, tmp_path):
    write_tone("long/a.wav", seconds=12)
    lengths = []

    def look(mixture):
        lengths.append(mixture.shape[1])
        return torch.stack([mixture, 0 * mixture], 1)

    separation_figures(processor(Given(look), sample_rate=8000), open_corpus(tmp_path / "long"))
    assert lengths == [80000]


def test_chosen_clips_are_few_the_same_each_time_and_have_the_sources_asked_for(scenes):
    assert len(choose(scenes)) == 6 and len(choose(scenes, 4)) == 4
    assert choose(scenes, 4).fingerprint == choose(scenes, 4).fingerprint
    counts = [len(source_files(scenes.clip(row).path)) for row in range(6)]
    chosen = choose(scenes, sources=counts[0])
    assert len(chosen) == counts.count(counts[0])
    assert {len(source_files(chosen.clip(row).path)) for row in range(len(chosen))} == {counts[0]}
    with pytest.raises(SoundviewsError, match="no clip has 9 known sources; there are clips with"):
        choose(scenes, sources=9)
    with pytest.raises(SoundviewsError, match="no clips"):
        choose(scenes.where(split="none"))
