"""The device to compute on."""

from typing import Any

from soundviews.core.errors import SoundviewsError


def chosen_device(device: Any) -> str:
    """The name of a device that is there; "auto" is the NVIDIA or AMD GPU where there is one, else the CPU.

    Args:
        device: "auto", "cpu", "cuda", "cuda:1", "mps", ..., or a torch.device.

    Raises:
        SoundviewsError: there is no such device; names those that there are.
    """
    import torch

    name, known = str(device), ["cpu"]
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is not None:
        known += [f"{accelerator.type}:{index}" for index in range(torch.accelerator.device_count())]
    if name not in known and not (accelerator is not None and name == accelerator.type):
        raise SoundviewsError(f"there is no device {name!r}: this machine has {' and '.join(known)} (or say auto)")
    return name
