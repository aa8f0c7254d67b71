"""Log-mel of a batch, with the front-end of each recipe: against librosa, and against torch.stft alone."""

import time
from collections.abc import Callable

import librosa
import numpy as np
import torch

from benchmarks._report import Section, encoder_recipes, run
from soundviews.features import LogMel
from soundviews.recipes.loading import load_recipe

SECONDS, REPEATS = 5, 10


def fastest(work: Callable[[], object]) -> float:
    """Milliseconds of the fastest of some calls, after one that is not counted."""
    work()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return 1000 * min(times)


def with_librosa(log_mel: LogMel, waveforms: np.ndarray) -> np.ndarray:
    """The same (but for TensorFlow's triangles), one clip after another as librosa's users do."""
    config = log_mel.config()
    power = [
        librosa.feature.melspectrogram(
            y=waveform,
            sr=config["sample_rate"],
            n_fft=config["n_fft"],
            win_length=config["window_length"],
            hop_length=config["hop_length"],
            window=config["window"],
            center=config["center"],
            power=config["power"],
            n_mels=config["n_mels"],
            fmin=config["f_min"],
            fmax=config["f_max"],
            htk=config["mel_scale"] == "htk",
            norm=config["norm"],
        )
        for waveform in waveforms
    ]
    return np.log(np.maximum(np.stack(power), config["floor"]))


def rows(name: str, clips: int) -> list[dict[str, object]]:
    recipe = load_recipe(name)
    log_mel = LogMel(sample_rate=recipe.audio.sample_rate, **recipe.features)
    generator = torch.Generator().manual_seed(0)
    waveforms = torch.randn(clips, SECONDS * log_mel.sample_rate, generator=generator) * 0.1
    window = torch.hann_window(log_mel.window_length)

    def stft() -> torch.Tensor:
        return torch.stft(
            waveforms,
            log_mel.n_fft,
            log_mel.hop_length,
            log_mel.window_length,
            window,
            center=log_mel.center,
            return_complex=True,
        )

    reference = fastest(lambda: with_librosa(log_mel, waveforms.numpy()))
    programs = {"soundviews LogMel": lambda: log_mel(waveforms), "torch.stft alone": stft}
    if torch.cuda.is_available():
        on_gpu, copied = LogMel(**log_mel.config()).cuda(), waveforms.cuda()
        programs["soundviews LogMel, GPU"] = lambda: on_gpu(copied)
    measured = {"librosa": reference, **{program: fastest(work) for program, work in programs.items()}}
    return [
        {
            "front-end": name,
            "": program,
            "ms": taken,
            "times real time": clips * SECONDS * 1000 / taken,
            "librosa / this": reference / taken,
        }
        for program, taken in measured.items()
    ]


def main(miniature: bool = False) -> Section:
    clips = 2 if miniature else 64
    return Section(
        "Log-mel",
        [row for name in encoder_recipes() for row in rows(name, clips)],
        f"{clips} clips of {SECONDS} s, the fastest of {REPEATS} passes on {torch.get_num_threads()} threads. "
        "`torch.stft alone` stops at the complex spectrum: no magnitudes, no mel bands, no logarithm.",
    )


if __name__ == "__main__":
    run(main)
