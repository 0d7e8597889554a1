"""What users need to test their own experiment code: no instrument, no waiting, the same tags every time.

`simulated_tagger`
    An instrument with simulated light whose time passes only when the test, or a wait of the code under test, says so.
`SteppedTagger`
    A Time Tagger that plays exactly the tags of the test, made with `clicks` or `block_of`.
`Tap`
    Collects what passes one place of the stream.
`tagwire.testing.oracles`
    Slow, obvious versions of the measurements and virtual channels, to compare with.
`tagwire.testing.strategies`
    Hypothesis strategies for streams of tags; needs ``hypothesis``.
"""

from tagwire.testing.rows import Row, block_of, clicks, rows_of
from tagwire.testing.simulated import SteppedTimeTagger, simulated_tagger
from tagwire.testing.stepped import SteppedTagger
from tagwire.testing.tap import Tap

__all__ = [
    "Row",
    "SteppedTagger",
    "SteppedTimeTagger",
    "Tap",
    "block_of",
    "clicks",
    "rows_of",
    "simulated_tagger",
]
