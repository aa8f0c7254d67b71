"""Draws the pictures of docs/scenes.md: `python docs/images/scenes.py`."""

from pathlib import Path

import librosa
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from PIL import Image

from soundviews.scenes.events import events
from soundviews.scenes.scene import make_scene

HERE, RATE = Path(__file__).parent, 16000


def draw(axes: plt.Axes, samples: np.ndarray, title: str, floor: float) -> None:
    power = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=1024, hop_length=200, n_mels=64, fmin=60, fmax=7800
    )
    level = librosa.power_to_db(power, ref=power.max(), top_db=floor)
    axes.imshow(level, origin="lower", aspect="auto", cmap="magma", extent=(0, len(samples) / RATE, 0, 64))
    axes.set_title(title, fontsize=8, pad=2)
    axes.set_yticks([])
    axes.tick_params(labelsize=6, length=2, pad=1)


def classes() -> None:
    names = events.names()
    figure, grid = plt.subplots(4, 4, figsize=(8, 5.2))
    for axes, name in zip(grid.flat, names, strict=True):
        draw(axes, events.get(name)(np.random.default_rng(7), 3 * RATE, RATE).astype(np.float32), name, 60)
    save(figure, "scene_classes.png")


def scene(index: int) -> None:
    made = make_scene(index)
    titles = ["mixture", "background", *(f"{e.label}, {e.snr:.0f} dB" for e in made.events)]
    figure, rows = plt.subplots(len(titles), 1, figsize=(8, 1.1 * len(titles)), sharex=True)
    for axes, samples, title in zip(rows, [made.mixture, *made.sources], titles, strict=True):
        draw(axes, samples, title, 70)
    rows[-1].set_xlabel("s", fontsize=7)
    save(figure, "scene.png")


def save(figure: plt.Figure, name: str) -> None:
    figure.tight_layout(pad=0.3)
    figure.savefig(HERE / name, dpi=80)
    with Image.open(HERE / name) as picture:  # a palette is a quarter of the size
        smaller = picture.convert("RGB").quantize(48)
    smaller.save(HERE / name, optimize=True)


if __name__ == "__main__":
    classes()
    scene(next(index for index in range(100) if len(make_scene(index).events) == 3))
