"""Draw the pictures of docs/scenes.md: `python -m studies.scene_images`."""

from pathlib import Path

import librosa
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from soundviews.scenes.events import events
from soundviews.scenes.scene import make_scene
from studies._page import IMAGES

RATE = 16000


def draw(axes: Axes, samples: np.ndarray, title: str, floor: float) -> None:
    power = librosa.feature.melspectrogram(
        y=samples, sr=RATE, n_fft=1024, hop_length=200, n_mels=64, fmin=60, fmax=7800
    )
    level = librosa.power_to_db(power, ref=power.max(), top_db=floor)
    axes.imshow(level, origin="lower", aspect="auto", cmap="magma", extent=(0, len(samples) / RATE, 0, 64))
    axes.set_title(title, fontsize=8, pad=2)
    axes.set_yticks([])
    axes.tick_params(labelsize=6, length=2, pad=1)


def classes(folder: Path) -> None:
    """Draw an example of every kind of event."""
    names = events.names()
    figure, grid = plt.subplots(4, 4, figsize=(8, 5.2))
    for axes, name in zip(grid.flat, names, strict=True):
        draw(axes, events.get(name)(np.random.default_rng(7), 3 * RATE, RATE).astype(np.float32), name, 60)
    save(figure, folder / "scene_classes.png")


def scene(folder: Path, index: int) -> None:
    """Draw a scene above the sounds it is made of."""
    made = make_scene(index)
    titles = ["mixture", "background", *(f"{e.label}, {e.snr:.0f} dB" for e in made.events)]
    figure, rows = plt.subplots(len(titles), 1, figsize=(8, 1.1 * len(titles)), sharex=True)
    for axes, samples, title in zip(rows, [made.mixture, *made.sources], titles, strict=True):
        draw(axes, samples, title, 70)
    rows[-1].set_xlabel("s", fontsize=7)
    save(figure, folder / "scene.png")


def save(figure: Figure, path: Path) -> None:
    figure.tight_layout(pad=0.3)
    figure.savefig(path, dpi=80)
    plt.close(figure)
    with Image.open(path) as picture:  # a palette is a quarter of the size
        smaller = picture.convert("RGB").quantize(48)
    smaller.save(path, optimize=True)


def main(folder: Path = IMAGES) -> None:
    classes(folder)
    scene(folder, next(index for index in range(100) if len(make_scene(index).events) == 3))


if __name__ == "__main__":
    main()
