"""SimCLR in Lightning, with our parts: `python examples/simclr_lightning.py RECORDINGS`."""

import sys

import lightning.pytorch as pl
import torch

import soundviews as sv
from soundviews.audio.loader import ClipBatch, training_loader


class SimCLR(pl.LightningModule):
    """Two views of every clip agree. Each step's draws are a function of (seed, step, rank)."""

    def __init__(self, sample_rate: int = 16000, seed: int = 0) -> None:
        super().__init__()
        self.seed = seed
        self.log_mel = sv.features.LogMel(sample_rate)
        steps_of_a_view = [{"crop": {"seconds": 1.0}}, "log_mel", "spec_augment"]
        self.views = sv.views.TwoViews(steps_of_a_view, log_mel=self.log_mel, sample_rate=sample_rate)
        self.encoder = sv.create_encoder("vgg_like", embedding_size=512)
        self.objective = sv.objectives.NTXent(embedding_size=512, temperature=0.2)

    def training_step(self, clips: ClipBatch, step: int) -> torch.Tensor:
        patches_a, patches_b = self.views(clips.samples, clips.lengths, (self.seed, step, self.global_rank))
        loss = self.objective(self.encoder(patches_a[:, None]), self.encoder(patches_b[:, None]))
        self.log_dict({"loss": loss.value, "accuracy": loss.metrics["accuracy"]}, prog_bar=True)
        return loss.value

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=1e-3)


def pretrain(folder: str, steps: int = 1000, batch_size: int = 64, **trainer: object) -> SimCLR:
    """Further arguments are those of Lightning's Trainer."""
    corpus = sv.open_corpus(folder).cut(10)
    loader = training_loader(corpus, 16000, batch_size, seed=0, start_step=0, steps=steps, workers=2)
    module = SimCLR()
    pl.Trainer(max_steps=steps, **trainer).fit(module, loader)  # type: ignore[arg-type]
    return module


if __name__ == "__main__":
    torch.save(pretrain(sys.argv[1]).encoder.state_dict(), "encoder.pt")
