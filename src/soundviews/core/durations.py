"""How long and how large something is, as people say it."""

_UNITS = (("day", 86400.0), ("hour", 3600.0), ("minute", 60.0), ("second", 1.0))


def said_duration(seconds: float) -> str:
    """ "40 seconds", "27 minutes", "3.5 hours", "5.8 days": in the largest unit of which there is more than one."""
    name, size = next((unit for unit in _UNITS if seconds >= 1.95 * unit[1]), _UNITS[-1])
    count = seconds / size
    text = f"{count:,.1f}" if count < 9.95 and name in ("day", "hour") else f"{count:,.0f}"
    return f"{text.removesuffix('.0')} {name}{'' if text == '1' else 's'}"


def said_bytes(count: float) -> str:
    """ "1.3 GB", "40.0 MB", "0.1 kB": in the largest unit of which there is one."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count / 1e3:.1f} kB"
