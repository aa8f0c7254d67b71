"""A loaded bundle: sound in, embeddings out."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from soundviews.audio.waveforms import Waveform, waveform_of
from soundviews.core.bundle_files import bundle_hash
from soundviews.core.components import use as import_modules
from soundviews.core.devices import chosen_device
from soundviews.core.errors import SoundviewsError
from soundviews.core.randomness import Randomness
from soundviews.core.shipped import locate
from soundviews.encoders import create_architecture
from soundviews.features.patches import Clips, padded_together
from soundviews.features.registry import create_front_end
from soundviews.model.bundle import load_bundle
from soundviews.model.config import BundleConfig
from soundviews.model.embedding import Embedding
from soundviews.model.pooling import window_power
from soundviews.model.windows import WindowCutter, Windows
from soundviews.recipes.schema import WindowSettings

# Patches, and samples of padded clips (32 MB), that are computed at once: they bound the memory.
ENCODE_AT_ONCE, SAMPLES_AT_ONCE = 64, 1 << 23
SEVERAL = "give it to embed_batch"


def load(path: str | Path, *, device: str | torch.device = "cpu", use: Iterable[str | Path] = ()) -> "Model":
    """Load a bundle, the bundle of a run, or an encoder that comes with the package, as "base".

    Args:
        path: The bundle's or the run's directory; or a name that `soundviews models` lists, unless there is something
            of that name in the current directory.
        device: Where the model computes: "cpu", "cuda", "cuda:1", ...; "auto" is the GPU where there is one.
        use: Modules and .py files to import first, for the components from outside that the bundle names. A bundle
            imports nothing by itself.

    Raises:
        SoundviewsError: where there is none, its weights do not fit its config, or it names an unknown component.
    """
    import_modules(use)
    path = locate(path)
    config, encoder, head = load_bundle(path)
    name, fingerprint = Path(path).resolve().name, bundle_hash(path)
    model = Model(config, encoder, head, name=name, fingerprint=fingerprint, path=Path(path).absolute())
    return model.to(chosen_device(device))


class Model:
    """An encoder with the front-end and the windows it was trained for.

    name: What tables and reports call it.
    fingerprint: Changes when the embeddings would; empty where nobody can tell, and then none are kept.
    precision: What the encoder computes in: torch.float32, or torch.bfloat16 or torch.float16 (mixed precision).
    path: The bundle or run that it was loaded from; None where its embeddings are not those of a bundle.
    pool: How a clip's windows become one vector, unless one says otherwise: "mean", "loudness" or "max".
    """

    def __init__(
        self,
        config: BundleConfig,
        encoder: nn.Module,
        head: nn.Module | None = None,
        name: str = "",
        fingerprint: str = "",
        precision: torch.dtype = torch.float32,
        path: Path | None = None,
    ) -> None:
        self.config, self.encoder = config, encoder.eval()
        self.head = None if head is None else head.eval()
        self.name, self.fingerprint, self.precision, self.path = name, fingerprint, precision, path
        self.sample_rate, self.embedding_size = config.sample_rate, config.embedding_size
        self.pool = config.pool
        self.log_mel = create_front_end(config.features, config.sample_rate)
        self.device = torch.device("cpu")
        self._cutter = WindowCutter(config, self.log_mel)

    def __repr__(self) -> str:
        named = f"{self.name!r}, " if self.name else ""
        return (
            f"Model({named}{self.config.encoder.name}: {self.embedding_size} values for every {self.seconds:.3g} s, "
            f"{self.hop_seconds:.3g} s apart, at {self.sample_rate} Hz, on {self.device})"
        )

    def to(self, device: str | torch.device) -> "Model":
        """Move the model itself to a device, as a torch module moves; returns it."""
        self.device = torch.device(device)
        for module in (self.encoder, self.log_mel, self.head):
            if module is not None:
                module.to(self.device)
        self.encoder.to(memory_format=torch.channels_last)
        return self

    def replace(
        self,
        *,
        encoder: nn.Module | None = None,
        windows: WindowSettings | None = None,
        precision: torch.dtype | None = None,
        name: str | None = None,
        mark: str = "",
    ) -> "Model":
        """A new model with these parts instead of this model's; what is not named is shared with it.

        Args:
            encoder: Takes and gives the same shapes. The head, which belongs to the old encoder, is left out.
            windows: How clips are cut.
            precision: What the encoder computes in.
            name: What the new model is called.
            mark: What tells the new encoder's weights from all others, for the fingerprint. The fingerprint follows
                windows and precision by itself; with an encoder and no mark, the new model has none.
        """
        windows, precision = windows or self.config.windows, precision or self.precision
        marks = [self.fingerprint, mark]
        if windows != self.config.windows:
            marks.append(f"{windows.unit}{windows.size}.{windows.hop}.{windows.tail}")
        if precision != self.precision:
            marks.append(str(precision).removeprefix("torch."))
        known = self.fingerprint and (encoder is None or mark)
        fingerprint = "-".join(filter(None, marks)) if known else ""
        return Model(
            self.config.model_copy(update={"windows": windows}),
            encoder or self.encoder,
            None if encoder else self.head,
            name=self.name if name is None else name,
            fingerprint=fingerprint,
            precision=precision,
            path=self.path if fingerprint == self.fingerprint else None,
        ).to(self.device)

    def reinitialised(self, seed: int) -> "Model":
        """The same front-end and architecture with fresh weights, drawn from `seed`."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = create_architecture(self.config.encoder.name, self.config.encoder.options)
        return self.replace(encoder=encoder, name=f"{self.name} random", mark=f"r{seed}")

    def with_hop(self, hop: int) -> "Model":
        """The same model with windows `hop` apart, in the unit of its windows (frames or samples)."""
        return self.replace(windows=self.config.windows.model_copy(update={"hop": hop}))

    @property
    def seconds(self) -> float:
        """The length of one window."""
        return self.config.windows.size * self._cutter.unit_seconds

    @property
    def hop_seconds(self) -> float:
        """The distance of neighbouring windows."""
        return self.config.windows.hop * self._cutter.unit_seconds

    def embed(self, audio: Any, sample_rate: int | None = None) -> Embedding:
        """Embed one clip or recording.

        Args:
            audio: A path (str or Path), whose channels are mixed; or a numpy array or torch tensor on any device,
                (samples,). Floats are taken as they are; 8 (unsigned), 16 and 32 bit integers are divided by their
                full scale.
            sample_rate: Hz, needed for arrays and tensors, which are resampled to the model's. A file says its own.

        Returns:
            One vector for every window, and where each window starts.

        Raises:
            SoundviewsError: for a file that cannot be read, a rate that is missing, an empty waveform, one with NaN or
                infinite samples, what is no waveform (a batch, other integers, complex numbers), and a vector that is
                not finite.
        """
        return self._embed_waveforms([waveform_of(audio, sample_rate, self.sample_rate, SEVERAL)])[0]

    def embed_batch(self, audio: Iterable[Any], sample_rate: int | None = None) -> list[Embedding]:
        """Embed many clips or recordings, of any lengths, in batches of bounded memory.

        Args:
            audio: Each as `embed` takes it. An array or tensor (batch, samples) is a batch of clips.
            sample_rate: Hz, of all of them that are arrays or tensors.

        Returns:
            What `embed` gives for each (to rounding), in their order.

        Raises:
            SoundviewsError: as `embed`, naming the item.
        """
        if isinstance(audio, str | Path):
            raise SoundviewsError(f"embed_batch takes a list of recordings: for {audio} alone, use embed")
        waveforms = self._waveforms(audio, sample_rate)
        return [embedding for batch in _batches(waveforms) for embedding in self._embed_waveforms(batch)]

    def _waveforms(self, audio: Iterable[Any], sample_rate: int | None) -> Iterator[Waveform]:
        for number, item in enumerate(audio):
            rate = None if isinstance(item, str | Path) else sample_rate
            try:
                yield waveform_of(item, rate, self.sample_rate, SEVERAL)
            except SoundviewsError as error:
                raise SoundviewsError(f"item {number}: {error}") from error

    def _embed_waveforms(self, waveforms: list[Waveform]) -> list[Embedding]:
        vectors, clip, starts = self.embed_clips(padded_together(waveforms))
        finite = vectors.isfinite().all(1)
        if not finite.all():
            second = float(starts[finite.long().argmin()])
            raise SoundviewsError(
                f"the vector of the window at {second:g} s is not finite: the model's weights or its settings cannot "
                "be right"
            )
        counts = torch.bincount(clip, minlength=len(waveforms)).tolist()
        parts = zip(vectors.split(counts), starts.double().split(counts), strict=True)
        return [Embedding(some.numpy(), seconds.numpy()) for some, seconds in parts]

    @torch.inference_mode()
    def embed_clips(self, clips: Clips, space: str = "h") -> tuple[Tensor, Tensor, Tensor]:
        """Embed a batch of clips, window by window.

        Args:
            clips: samples (batch, samples) zero-padded, lengths (batch,), at the model's sample rate.
            space: "h", or "z" for the head's projections (the bundle must have kept its head).

        Returns:
            vectors (windows, size) on the CPU, the row of the batch of each (windows,), starts (windows,) in s.
        """
        encode = self.encode if space == "h" else self.project
        vectors, rows, starts = [], [], []
        for windows in self._cutter.cut_in_parts(self._moved(clips), ENCODE_AT_ONCE):
            vectors.append(encode(windows.patches).float().cpu())
            rows.append(windows.clip.cpu())
            starts.append(windows.starts.cpu())
        clip = torch.cat(rows)
        order = clip.argsort(stable=True)
        return torch.cat(vectors)[order], clip[order], torch.cat(starts)[order]

    def window_power(self, clips: Clips, row: Tensor, starts: Tensor) -> NDArray[np.float32]:
        """How loud the windows are that `embed_clips` has given, (windows,): the variance of their samples.

        Args:
            clips: What was given to `embed_clips`.
            row, starts: What it gave, (windows,) both.
        """
        return window_power(clips, row, starts, self.seconds, self.sample_rate)

    def encode(self, patches: Tensor) -> Tensor:
        """h of standardised patches (n, frames, mels): (n, embedding_size)."""
        x = patches[:, None].to(self.device).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, self.precision, enabled=self.precision != torch.float32):
            return self.encoder(x)

    def project(self, patches: Tensor) -> Tensor:
        """z of standardised patches, (n, projection_size), as the training objective saw it."""
        if self.head is None:
            raise SoundviewsError("this bundle has no head, so there is no z: use h")
        z: Tensor = self.head.project(self.encode(patches).float())  # type: ignore[operator]
        return z

    def windows(self, clips: Clips) -> Windows:
        """Cut clips into standardised patches as `config.windows` says."""
        return self._cutter.cut(self._moved(clips))

    def random_patches(self, clips: Clips, rng: Randomness) -> Tensor:
        """One standardised patch of each clip at a random start, (batch, frames, mels). For supervised training."""
        return self._cutter.random_crops(self._moved(clips), rng)

    def _moved(self, clips: Clips) -> Clips:
        return Clips(clips.samples.to(self.device), clips.lengths.to(self.device))


def _batches(waveforms: Iterable[Waveform]) -> Iterator[list[Waveform]]:
    """Neighbours that, padded to the longest, have at most SAMPLES_AT_ONCE samples; a longer waveform is alone."""
    batch: list[Waveform] = []
    longest = 0
    for waveform in waveforms:
        longest = max(longest, len(waveform))
        if batch and ((len(batch) + 1) * longest > SAMPLES_AT_ONCE or len(batch) == ENCODE_AT_ONCE):
            yield batch
            batch, longest = [], len(waveform)
        batch.append(waveform)
    if batch:
        yield batch
