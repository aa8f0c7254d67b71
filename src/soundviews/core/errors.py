"""Errors meant for the person at the keyboard: the command line prints them without a traceback."""


class SoundviewsError(Exception):
    """Something the user can mend: a wrong path, an unknown name, a full disk."""


class UnreadableClip(SoundviewsError):
    """One clip that cannot be used. The message is the reason, without the path."""


class UnknownComponent(SoundviewsError):
    """A name that no component is registered under.

    Attributes:
        component: The kind and the name, such as `view 'my_view'`.
    """

    def __init__(self, component: str, hint: str) -> None:
        super().__init__(f"unknown {component}: {hint}")
        self.component = component
