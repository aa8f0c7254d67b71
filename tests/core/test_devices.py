import pytest
import torch

from soundviews.core.devices import chosen_device
from soundviews.core.errors import SoundviewsError


def have(monkeypatch: pytest.MonkeyPatch, kind: str | None, count: int) -> None:
    device = None if kind is None else torch.device(kind)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda check_available=False: device)
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: kind == "cuda")


@pytest.mark.parametrize("name", ["cuda", "cuda:7", "mps", "gpu", "Cpu", ""])
def test_a_device_that_is_not_there_is_named_beside_what_is(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, None, 0)
    with pytest.raises(SoundviewsError, match=rf"no device '{name}': this machine has cpu \(or say auto\)"):
        chosen_device(name)


def test_devices_that_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, "cuda", 2)
    assert [chosen_device(name) for name in ("auto", "cpu", "cuda", "cuda:1", torch.device("cuda:0"))] == [
        "cuda", "cpu", "cuda", "cuda:1", "cuda:0",
    ]  # fmt: skip
    with pytest.raises(SoundviewsError, match="has cpu and cuda:0 and cuda:1"):
        chosen_device("cuda:7")
    have(monkeypatch, "mps", 1)
    assert (chosen_device("mps"), chosen_device("auto")) == ("mps", "cpu")
