"""The registry of views.

A view is a class that says what it `takes` and `gives` (`clips`: Clips; `snippets`: (batch, samples); `patches`:
(batch, frames, mels), log-mel before standardisation) and is called with such a batch and a Randomness. Its options
are its constructor's arguments; it may also ask for `log_mel`, `sample_rate` and `fill`. Parameters are drawn for
each example on its own.
"""

from soundviews.core.registry import Registry

views = Registry("view")
