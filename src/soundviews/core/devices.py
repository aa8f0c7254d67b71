"""The device to compute on."""


def chosen_device(device: str) -> str:
    """ "auto" to the GPU where there is one, else the CPU; other names stay."""
    import torch

    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
