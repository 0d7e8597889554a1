"""A simulated instrument whose time passes when the test says so."""

from __future__ import annotations

from tagwire.core.arguments import integer
from tagwire.core.models import MODELS
from tagwire.errors import ArgumentError
from tagwire.sources.simulated import SimulatedSource
from tagwire.tagger.simulated import TimeTagger
from tagwire.testing.stepped import STRIDE


class SteppedTimeTagger(TimeTagger):
    """A `TimeTagger` without a thread and without a clock, made by `simulated_tagger`.

    Stream time passes in `advance`, and in every wait: ``waitUntilFinished`` of a measurement lets it pass in the
    caller's thread, 20 ms at a time, until the capture has ended or the timeout, also in stream time, is over.
    """

    def advance(self, span: int) -> None:
        """Let stream time pass, and everything that belongs to it happen before this returns.

        Parameters
        ----------
        span
            Stream time in ps, at least 0.
        """
        end = self._hub.position + integer(span, "span", 0)
        while self._hub.position < end:
            self._hub.step(end - self._hub.position)


def simulated_tagger(model: str = "ultra", seed: int = 0) -> SteppedTimeTagger:
    """A simulated instrument for tests of experiment code: the same tags every time, and no waiting.

    It takes every setting and every measurement that one from `createTimeTagger` does. Stream time passes only when
    `advance` is called or a measurement is waited for, and then as fast as the computer can: a test needs no sleep and
    gives the same result on a slow one.

    Parameters
    ----------
    model
        ``20``, ``ultra`` or ``x``.
    seed
        Selects the random numbers of light and jitter; equal seeds give equal tags.

    Raises
    ------
    ArgumentError
        (ValueError) Another model.

    Examples
    --------
    >>> from tagwire.measurements.countrate import Countrate
    >>> tagger = simulated_tagger()
    >>> tagger.setTestSignal(1, True)
    >>> rate = Countrate(tagger, [1])
    >>> rate.startFor(10**11)
    >>> rate.waitUntilFinished()
    True
    >>> int(rate.getCountsTotal()[0])
    80000
    """
    if model not in MODELS:
        raise ArgumentError(f"model is {model!r}, but must be one of {', '.join(MODELS)}")
    facts = MODELS[model]
    tagger = SteppedTimeTagger._open(facts, SimulatedSource(facts, seed), facts.serial)
    tagger._hub.stride = STRIDE
    return tagger
