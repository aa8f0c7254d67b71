"""Errors meant for the person at the keyboard: the command line prints them without a traceback."""


class SoundviewsError(Exception):
    """Something the user can mend: a wrong path, an unknown name, a full disk."""


class UnreadableClip(SoundviewsError):
    """One clip that cannot be used. The message is the reason, without the path."""
