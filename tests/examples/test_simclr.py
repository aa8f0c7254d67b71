"""SimCLR with our parts: plain PyTorch, Lightning, several processes."""

from pathlib import Path

import pytest
import torch

import soundviews as sv
from examples import simclr, simclr_ddp, simclr_lightning

STEPS, BATCH = 8, 8


def lines_of_code(program: Path) -> int:
    lines = (line.strip() for line in program.read_text().splitlines())
    return sum(bool(line) and not line.startswith("#") for line in lines)


def test_plain_pytorch_is_short_and_learns(scenes: Path) -> None:
    assert lines_of_code(Path(simclr.__file__)) <= 25
    torch.manual_seed(0)
    encoder, losses = simclr.pretrain(str(scenes), STEPS, BATCH)
    assert len(losses) == STEPS
    assert sum(losses[-3:]) / 3 < sum(losses[:3]) / 3
    assert encoder(torch.zeros(2, 1, 100, 64)).shape == (2, 512)


def test_lightning_learns(scenes: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    before = sv.create_encoder("vgg_like", embedding_size=512).state_dict()
    torch.manual_seed(0)
    trainer = {"accelerator": "cpu", "logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    module = simclr_lightning.pretrain(
        str(scenes), 3, BATCH, default_root_dir=tmp_path, enable_checkpointing=False, **trainer
    )
    after = module.encoder.state_dict()
    assert module.trainer.global_step == 3
    assert float(module.trainer.callback_metrics["loss"]) > 0
    assert not torch.equal(before["dense.weight"], after["dense.weight"])


@pytest.mark.skipif(torch.cuda.is_available(), reason="each process would need a GPU")
def test_all_processes_end_with_the_same_weights(scenes: Path, tmp_path: Path) -> None:
    simclr_ddp.pretrain(str(scenes), str(tmp_path), processes=2, steps=3, batch_size=BATCH)
    first, second = (torch.load(tmp_path / f"encoder-{rank}.pt", weights_only=True) for rank in (0, 1))
    learned = [name for name, _ in sv.create_encoder("vgg_like", embedding_size=512).named_parameters()]
    assert all(torch.equal(first[name], second[name]) for name in learned)
    assert any(not torch.equal(first[name], second[name]) for name in first)  # batch norm saw clips of each its own
