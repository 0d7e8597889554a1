"""Mistakes that mypy --strict finds: every marked line has exactly the error named, no other line has one."""

from tagwire.rpc.module import RemoteModule


def mistakes(TT: RemoteModule) -> None:
    tagger = TT.createTimeTagger()
    TT.Correlation(tagger, 1, 2, bin_width=5)  # error: call-arg
    TT.Correlation(tagger, "1", 2)  # error: arg-type
    TT.Correlation(1, 2)  # error: arg-type
    TT.Counter(tagger, 1)  # error: arg-type
    TT.Counter(tagger)  # error: call-arg
    TT.Coincidences(tagger, 1, 1000)  # error: arg-type
    TT.Corelation(tagger, 1, 2)  # error: attr-defined
    TT.createTimeTagger(resolution="HighResA")  # error: arg-type
    TT.Resolution.HighRes  # error: attr-defined
    tagger.setInputDelai(1, 100)  # error: attr-defined
    TT.Countrate(tagger, [1]).getDataNormalized()  # error: attr-defined
    text: str = TT.Countrate(tagger, [1]).getData()  # error: assignment
    TT.CounterData.size.upper()  # error: attr-defined
    TT.CustomMeasurement(tagger)  # error: attr-defined
    TT.HistogramLogBins(tagger, 1, 2, -9, -3, 100, click_gate=tagger)  # error: arg-type
    TT.freeTimeTagger(text)  # error: arg-type
