"""Messages in the words of the caller."""

import pytest

from soundviews.core.errors import option, speaking_command_line, words


def test_python_is_spoken_unless_the_command_line_asks() -> None:
    assert (option("train_folds"), words("soundviews demo", "demo()")) == ("train_folds=", "demo()")
    with speaking_command_line():
        assert (option("train_folds"), words("soundviews demo", "demo()")) == ("--train-folds", "soundviews demo")
        with speaking_command_line():
            pass
        assert option("out") == "--out"
    with pytest.raises(ZeroDivisionError), speaking_command_line():
        raise ZeroDivisionError
    assert option("out") == "out="
