"""Time stretching of a batch: against librosa's loop, and against one STFT and its inverse."""

import resource
import time
from collections.abc import Callable

import librosa
import numpy as np
import torch

from benchmarks._report import Section, run
from soundviews.core.randomness import Randomness
from soundviews.features import Clips
from soundviews.views.time_stretch import TimeStretch

SAMPLE_RATE, REPEATS = 16000, 5
VIEW = TimeStretch(SAMPLE_RATE)


def fastest(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Milliseconds of the fastest of some calls, after one that is not counted."""
    times = []
    for _ in range(1 + repeats):
        started = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return 1000 * min(times[1:])


def with_librosa(waveforms: np.ndarray, **options: int) -> list[np.ndarray]:
    rates = np.resize(VIEW.rates, len(waveforms))
    return [
        librosa.effects.time_stretch(waveform, rate=rate, **options)
        for waveform, rate in zip(waveforms, rates, strict=True)
    ]


def there_and_back(samples: torch.Tensor) -> torch.Tensor:
    """The floor: an STFT with the view's window and hop, and its inverse."""
    hop, shape = VIEW.stft_window // 4, torch.hann_window(VIEW.stft_window, device=samples.device)
    spectrum = torch.stft(samples, VIEW.stft_window, hop, window=shape, return_complex=True)
    return torch.istft(spectrum, VIEW.stft_window, hop, window=shape)


def programs(clips: Clips, where: str) -> dict[str, Callable[[], object]]:
    every = TimeStretch(SAMPLE_RATE, probability=1.0)
    device = clips.samples.device
    return {
        f"soundviews, every clip{where}": lambda: every(clips, Randomness(0, device=device)),
        f"soundviews, with probability 0.5{where}": lambda: VIEW(clips, Randomness(0, device=device)),
        f"torch.stft and torch.istft of every clip{where}": lambda: there_and_back(clips.samples),
    }


def rows(clips: Clips) -> list[dict[str, object]]:
    samples = clips.samples
    measured = {program: fastest(work) for program, work in programs(clips, "").items()}
    if torch.cuda.is_available():
        copied = Clips(samples.cuda(), clips.lengths.cuda())
        measured |= {program: fastest(work) for program, work in programs(copied, ", GPU").items()}
    reference = fastest(lambda: with_librosa(samples.numpy()), repeats=2)
    measured["librosa, every clip, its own window (2048 and 512)"] = reference
    options = {"n_fft": VIEW.stft_window, "hop_length": VIEW.stft_window // 4}
    measured["librosa, every clip, our window"] = fastest(lambda: with_librosa(samples.numpy(), **options), repeats=2)
    return [
        {"": program, "ms": taken, "ms a clip": taken / len(samples), "librosa / this": reference / taken}
        for program, taken in measured.items()
    ]


def grown(work: Callable[[], object]) -> float:
    """MB by which the most that this process has held grows."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    work()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def main(miniature: bool = False) -> Section:
    count, seconds = (2, 1) if miniature else (64, 10)
    samples = torch.randn(count, seconds * SAMPLE_RATE, generator=torch.Generator().manual_seed(0)) * 0.1
    clips = Clips(samples, torch.full((count,), samples.shape[1]))
    memory = grown(lambda: TimeStretch(SAMPLE_RATE, probability=1.0)(clips, Randomness(0)))
    return Section(
        "Time stretching",
        rows(clips),
        f"{count} clips of {seconds} s at {SAMPLE_RATE} Hz, each at a rate of 0.9 or 1.1, the fastest "
        f"of {REPEATS} passes on {torch.get_num_threads()} threads. Every clip is the worst case; recipe `acl` "
        "stretches half of them. The floor is an STFT with the same window and hop, and its inverse, of every clip. "
        f"Stretching every clip of the batch ({samples.nbytes / 1e6:.0f} MB) takes {memory:.0f} MB of memory at most, "
        "the result included.",
    )


if __name__ == "__main__":
    run(main)
