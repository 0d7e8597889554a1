"""The namespace `Experimental` of the vendor's API."""

from __future__ import annotations

from tagwire.simulation import (
    detector,
    generator,
    imperfections,
    lifetime,
    markov,
    oscillator,
    pattern,
    photonnumber,
    photons,
    renewal,
    scattering,
    splitter,
)


class Experimental:
    """Simulated signals, and what happens to signals on their way."""

    DlsSignalGenerator = scattering.DlsSignalGenerator
    ExponentialSignalGenerator = renewal.ExponentialSignalGenerator
    FcsSignalGenerator = scattering.FcsSignalGenerator
    GammaSignalGenerator = renewal.GammaSignalGenerator
    GaussianSignalGenerator = renewal.GaussianSignalGenerator
    MarkovProcessGenerator = markov.MarkovProcessGenerator
    OscillatorSimulation = oscillator.OscillatorSimulation
    PatternSignalGenerator = pattern.PatternSignalGenerator
    PhotonGenerator = photons.PhotonGenerator
    PhotonNumber = photonnumber.PhotonNumber
    SignalGeneratorBase = generator.SignalGeneratorBase
    SimDetector = detector.SimDetector
    SimLifetime = lifetime.SimLifetime
    SimSignalSplitter = splitter.SimSignalSplitter
    TransformCrosstalk = imperfections.TransformCrosstalk
    TransformDeadtime = imperfections.TransformDeadtime
    TransformEfficiency = imperfections.TransformEfficiency
    TransformGaussianBroadening = imperfections.TransformGaussianBroadening
    TwoStateExponentialSignalGenerator = renewal.TwoStateExponentialSignalGenerator
    UniformSignalGenerator = renewal.UniformSignalGenerator
