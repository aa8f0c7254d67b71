"""SimCLR in several processes, with our parts: `python examples/simclr_ddp.py RECORDINGS 2`.

Every process learns from clips of its own: the loader deals each epoch out to the ranks, and the views of a step are
a function of (seed, step, rank). The negatives of an example are those of its own process.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import soundviews as sv
from soundviews.audio.loader import training_loader


class SimCLR(nn.Module):
    """Encoder and objective in one module, so that the gradients of both are averaged over the processes."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = sv.create_encoder("vgg_like", embedding_size=512)
        self.objective = sv.objectives.NTXent(embedding_size=512, temperature=0.2)

    def forward(self, patches_a: torch.Tensor, patches_b: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = self.objective(self.encoder(patches_a[:, None]), self.encoder(patches_b[:, None])).value
        return loss


def work(rank: int, world_size: int, meeting: str, folder: str, out: str, steps: int, batch_size: int) -> None:
    """One process. meeting: The file by which the processes find one another."""
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", rank) if cuda else torch.device("cpu")
    dist.init_process_group("nccl" if cuda else "gloo", f"file://{meeting}", rank=rank, world_size=world_size)
    log_mel = sv.features.LogMel(16000).to(device)
    steps_of_a_view = [{"crop": {"seconds": 1.0}}, "log_mel", "spec_augment"]
    views = sv.views.TwoViews(steps_of_a_view, log_mel=log_mel, sample_rate=16000)
    model = DistributedDataParallel(SimCLR().to(device))  # hands out the weights of rank 0
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    corpus = sv.open_corpus(folder).cut(10)
    loader = training_loader(corpus, 16000, batch_size, 0, 0, steps, workers=1, rank=rank, world_size=world_size)
    for step, clips in enumerate(loader):
        loss = model(*views(clips.samples.to(device), clips.lengths.to(device), (0, step, rank)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    torch.save(model.module.encoder.state_dict(), Path(out) / f"encoder-{rank}.pt")  # all ranks have the same weights
    dist.destroy_process_group()


def pretrain(folder: str, out: str = ".", processes: int = 2, steps: int = 1000, batch_size: int = 64) -> None:
    """Train and write the encoder of every process to `out`. batch_size: Examples in each process."""
    sv.open_corpus(folder).cut(10)  # looked at once here, so that the processes need not
    with TemporaryDirectory() as meeting:
        arguments = (processes, f"{meeting}/meeting", folder, out, steps, batch_size)
        torch.multiprocessing.spawn(work, arguments, nprocs=processes)


if __name__ == "__main__":
    pretrain(sys.argv[1], processes=int(sys.argv[2]))
