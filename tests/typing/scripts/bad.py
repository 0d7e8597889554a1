"""Mistakes that mypy --strict finds: every marked line has exactly the error named, no other line has one."""

import tagwire
from tagwire.rpc import api
from tagwire.rpc.client.module import RemoteModule


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
    TT.CustomMeasurement()  # error: call-arg
    TT.CustomLogger()  # error: attr-defined
    TT.HistogramLogBins(tagger, 1, 2, -9, -3, 100, click_gate=tagger)  # error: arg-type
    TT.freeTimeTagger(text)  # error: arg-type


class Wrong(api.CustomMeasurement):
    def process(self, incoming_tags: str, begin_time: int, end_time: int) -> None: ...  # error: override

    def on_start(self, now: int) -> None:  # error: override
        self.register_channel("1")  # error: arg-type
        self.mutex.lock()  # error: attr-defined


def with_others(TT: RemoteModule) -> None:
    tagger = TT.createTimeTagger()
    TT.Counter(tagger, [1]).on_update("often")  # error: arg-type
    TT.Counter(tagger, [1]).on_overflow()  # error: attr-defined
    TT.session.control = []  # error: misc
    TT.session.measurement  # error: attr-defined
    with TT.control(tagger, 10.0):  # error: call-arg
        pass


def mistakes_in_a_batch(TT: RemoteModule) -> None:
    counter = TT.Counter(TT.createTimeTagger(), [1])
    with tagwire.batch(TT) as b:
        counts = b(counter.getData)
        b(counter.getData, True, 1)  # error: call-arg
        b(counter.getDate)  # error: attr-defined
    counts.result().upper()  # error: attr-defined
