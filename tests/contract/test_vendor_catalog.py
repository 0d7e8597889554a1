"""The catalog of the vendor's wheel is complete and right: an independent walk misses nothing."""

from __future__ import annotations

import enum
import inspect
import json
import re
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

from tagwire.core.catalog import (
    HIDDEN,
    Catalog,
    ClassSpec,
    Kind,
    MethodSpec,
    ParamSpec,
    from_plain,
    read_catalog,
    to_plain,
)

vendor: Any = pytest.importorskip(
    "Swabian.TimeTagger",
    reason="the vendor's wheel is not installed; it exists for Linux and Windows on x86-64 and arm64",
)

CHANNEL_UNUSED = -134217728


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog(vendor)


def public(owner: object) -> Iterator[tuple[str, Any]]:
    """Public members of a module or class, by plain `dir`."""
    for name in dir(owner):
        if not name.startswith("_") and not isinstance(inspect.getattr_static(owner, name), ModuleType):
            yield name, inspect.getattr_static(owner, name)


def vendor_classes() -> Iterator[tuple[str, type]]:
    """Public classes that are no enums, those of Experimental dotted."""
    for name, value in public(vendor):
        if name == "Experimental":
            yield from ((f"Experimental.{n}", v) for n, v in public(value))
        elif inspect.isclass(value) and not issubclass(value, enum.Enum):
            yield name, value


def rows_of(class_name: str, member: str, cls: type) -> set[str]:
    """Rows of the table of hidden names that may hide a member."""
    bare = {base.__name__ for base in cls.__mro__} | {class_name}
    return {f"{b}.{member}" for b in bare} | {f"*.{member}"}


def calls(catalog: Catalog) -> Iterator[tuple[str, MethodSpec]]:
    """Every function, constructor and method, each once."""
    for function in catalog.functions:
        yield function.name, function
    for spec in catalog.classes:
        if spec.constructor:
            yield spec.name, spec.constructor
        yield from ((f"{spec.name}.{m.name}", m) for m in spec.methods if m.owner == spec.name)


def shown(params: tuple[ParamSpec, ...]) -> str:
    """Parameters in one line: ``name: type=default [unit] <file>``; ``=?`` is an unknown default."""

    def one(p: ParamSpec) -> str:
        default = "" if p.required else f"={p.default!r}" if p.default_known else "=?"
        return f"{p.name}: {p.type}{default}" + (f" [{p.unit}]" if p.unit else "") + (f" <{p.file}>" if p.file else "")

    return ", ".join(one(p) for p in params)


def method(spec: ClassSpec, name: str) -> MethodSpec:
    return next(m for m in spec.methods if m.name == name)


def test_no_public_name_of_the_module_is_missed(catalog: Catalog) -> None:
    known = {
        *catalog.function_by_name,
        *catalog.enum_by_name,
        *catalog.class_by_name,
        *dict(catalog.constants),
        *catalog.namespaces,
        *HIDDEN,
    }
    assert [name for name, _ in public(vendor) if name not in known] == []


def test_every_public_name_stands_where_it_belongs(catalog: Catalog) -> None:
    for name, value in public(vendor):
        if name in HIDDEN or name == "Experimental":
            continue
        if inspect.isclass(value):
            where: Any = catalog.enum_by_name if issubclass(value, enum.Enum) else catalog.class_by_name
        else:
            where = catalog.function_by_name if inspect.isfunction(value) else dict(catalog.constants)
        assert name in where


def test_no_class_is_missed(catalog: Catalog) -> None:
    wanted = {name for name, _ in vendor_classes() if name not in HIDDEN}
    assert set(catalog.class_by_name) == wanted
    assert len([name for name in wanted if name.startswith("Experimental.")]) == 20


def test_no_member_of_a_class_is_missed(catalog: Catalog) -> None:
    for name, cls in vendor_classes():
        if name in HIDDEN:
            continue
        spec = catalog.class_by_name[name]
        properties = {p.name for p in spec.properties}
        methods = {m.name for m in spec.methods}
        constants = dict(spec.constants)
        for member, value in public(cls):
            if rows_of(name, member, cls) & set(HIDDEN):
                assert member not in properties | methods | constants.keys()
            elif isinstance(value, property):
                assert member in properties, f"{name}.{member}"
            elif callable(value) or isinstance(value, staticmethod | classmethod):
                assert member in methods, f"{name}.{member}"
            else:
                assert constants[member] == value, f"{name}.{member}"


def test_hidden_methods_that_wait_are_found_by_their_public_name(catalog: Catalog) -> None:
    for name, cls in vendor_classes():
        for attribute in vars(cls):
            hidden = re.fullmatch(rf"_{cls.__name__}__(\w+[a-z])", attribute)
            if hidden:
                spec = method(catalog.class_by_name[name], hidden[1])
                assert spec.waits
                assert spec.result.type == "bool"
                assert all(p.type == "int" for p in spec.params)
                assert spec.params[-1].unit == "ms"
                assert len(spec.doc) > 60


def test_enum_members_include_zero_and_composite_ones(catalog: Catalog) -> None:
    enums = {n: v for n, v in public(vendor) if inspect.isclass(v) and issubclass(v, enum.Enum)}
    assert len(enums) == 11
    for name, cls in enums.items():
        spec = catalog.enum_by_name[name]
        assert dict(spec.members) == {n: int(m) for n, m in cls.__members__.items()}
        assert spec.base == ("IntFlag" if issubclass(cls, enum.IntFlag) else "IntEnum")
    assert catalog.enum_by_name["AccessMode"].members[0] == ("Listen", 0)
    assert dict(catalog.enum_by_name["ChannelEdge"].members)["HighResFalling"] == 6


def test_constants_have_their_values(catalog: Catalog) -> None:
    constants = dict(catalog.constants)
    assert constants["CHANNEL_UNUSED"] == CHANNEL_UNUSED
    assert constants["TT_CHANNEL_RISING_AND_FALLING_EDGES"] == 0
    assert constants["FrontendType_DLScat"] == 5
    assert dict(catalog.class_by_name["Tag"].constants)["Type_MissedEvents"] == 4


def test_library_and_version(catalog: Catalog) -> None:
    assert catalog.library == "Swabian.TimeTagger"
    assert catalog.version == vendor.getVersion()


VIRTUAL = """Coincidence Coincidences Combinations Combiner ConditionalFilterChannel ConstantFractionDiscriminator
    DelayedChannel DelayedChannels EventGenerator FrequencyMultiplier GatedChannel GatedChannels SyntheticSingleTag
    TriggerOnCountrate"""

MEASUREMENTS = """Correlation CorrelationPairs CountBetweenMarkers Counter Countrate Dump FileWriter Flim FlimBase
    FrequencyCounter FrequencyStability GatedCounter Histogram Histogram2D HistogramCustomBins HistogramLogBins
    HistogramND Iterator OverflowInjector PhaseNoise PulsePerSecondMonitor Sampler Scope StartStop TimeDifferences
    TimeDifferencesND TimeTagStream"""

BASES = """Experimental.SignalGeneratorBase FlimAbstract IteratorBase TimeTaggerBase TimeTaggerHardware
    TimeTaggerSource"""


def test_kinds(catalog: Catalog) -> None:
    def of(kind: Kind) -> list[str]:
        return [c.name for c in catalog.classes if c.kind is kind]

    assert of(Kind.TAGGER) == ["TimeTagger", "TimeTaggerNetwork", "TimeTaggerVirtual"]
    assert [n for n in of(Kind.VIRTUAL) if "." not in n] == VIRTUAL.split()
    assert len([n for n in of(Kind.VIRTUAL) if "." in n]) == 19
    assert of(Kind.MEASUREMENT) == MEASUREMENTS.split()
    assert of(Kind.BASE) == BASES.split()
    assert of(Kind.GROUP) == ["SynchronizedMeasurements"]
    assert of(Kind.READER) == ["FileReader"]
    assert of(Kind.VALUE) == ["ChannelGate", "Tag"]
    assert of(Kind.LOCAL) == ["CustomLogger", "CustomMeasurement", "CustomMeasurementBase"]
    assert {"CounterData", "TimeTaggerServer", "FlimFrameInfo", "ReferenceClockState"} < set(of(Kind.DATA))


CONSTRUCTORS = {
    "Correlation": "channel_1: int, channel_2: int=-134217728, binwidth: int=1000 [ps], n_bins: int=1000",
    "Counter": "channels: int[], binwidth: int=1000000000 [ps], n_values: int=1",
    "Coincidences": "coincidenceGroups: int[][], coincidenceWindow: int [ps], timestamp: enum:CoincidenceTimestamp=0",
    "ConditionalFilterChannel": "filter_channels: int|int[], trigger_channels: int[]",
    "GatedChannel": "input_channel: int, gate_start_channel: int, gate_stop_channel: int, "
    "initial: enum:GatedChannelInitial=0",
    "HistogramLogBins": "click_channel: int, start_channel: int, exp_start: float, exp_stop: float, n_bins: int, "
    "click_gate: object:ChannelGate=None, start_gate: object:ChannelGate=None",
    "TimeTagStream": "n_max_events: int, channels: int[]",
    "Scope": "event_channels: int[], trigger_channel: int, window_size: int=1000000000 [ps], n_traces: int=1, "
    "n_max_events: int=1000",
    "Dump": "filename: str <write>, max_tags: int, channels: int[]=?",
    "TriggerOnCountrate": "input_channel: int, reference_countrate: float [Hz], hysteresis: float [Hz], "
    "time_window: int [ps]",
    "Experimental.DlsSignalGenerator": "decay_time: float|float[], countrate: float [Hz], "
    "output_channel: int=-134217728, seed: int=-1",
}


@pytest.mark.parametrize("name", CONSTRUCTORS)
def test_constructors_on_a_tagger(catalog: Catalog, name: str) -> None:
    constructor = catalog.class_by_name[name].constructor
    assert constructor is not None
    assert constructor.result.live == name
    assert shown(constructor.params) == "tagger: object:TimeTaggerBase, " + CONSTRUCTORS[name]


FUNCTIONS = {
    "createTimeTagger": "serial: str=?, resolution: enum:Resolution=0",
    "createTimeTaggerNetwork": "address: str|str[]=?",
    "createTimeTaggerVirtual": "filename: str=? <read>, begin: int=0 [ps], duration: int=-1 [ps]",
    "mergeStreamFiles": "output_filename: str <write>, input_filenames: str[] <read>, channel_offsets: int[], "
    "time_offsets: int[] [ps], overlap_only: bool",
    "scanTimeTagger": "include_model_name: bool=False",
    "freeTimeTagger": "tagger: object:TimeTaggerBase",
    "setLogger": "callback: callback",
    "TimeTagger.setReferenceClock": "clock_channel: int, clock_frequency: float=10000000.0 [Hz], "
    "time_constant: float=0.001 [s], synchronization_channel: int=?, synchronization_offset: int=0 [ps], "
    "wait_until_locked: bool=True",
    "TimeTagger.setTestSignal": "channel: int|int[], enabled: bool",
    "TimeTaggerVirtual.setTestSignal": "channel: int|int[], enabled: bool",
    "TimeTagger.startServer": "access_mode: enum:AccessMode, channels: int[]=?, port: int=?",
    "TimeTagger.getChannelList": "type: enum:ChannelEdge=?",
    "TimeTagger.setTriggerLevel": "channel: int, voltage: float [V]",
    "TimeTagger.setInputHysteresis": "channel: int, value: int [mV]",
    "TimeTagger.setInternalClockTrim": "frequency_offset_ppm: float [ppm]",
    "TimeTagger.xtra_setFanSpeed": "percentage: float=-1 [%]",
    "TimeTaggerVirtual.waitUntilFinished": "ID: int=0, timeout: int=-1 [ms]",
    "Correlation.startFor": "capture_duration: int [ps], clear: bool=True",
    "CounterData.getFrequency": "time_scale: int=1000000000000 [ps]",
    "CustomMeasurement.stop": "",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_and_methods(catalog: Catalog, name: str) -> None:
    owner, _, own = name.rpartition(".")
    spec = method(catalog.class_by_name[owner], own) if owner else catalog.function_by_name[own]
    assert shown(spec.params) == FUNCTIONS[name]


RESULTS = {
    "Correlation.getData": ("array", "int32", 1),
    "Counter.getData": ("array", "int32", 2),
    "Counter.getDataNormalized": ("array", "float64", 2),
    "CorrelationPairsData.getG2": ("array", "float64", 3),
    "Flim.getCurrentFrameIntensity": ("array", "float32", 1),
    "TimeTagStreamBuffer.getTimestamps": ("array", "int64", 1),
    "TimeTagStreamBuffer.getChannels": ("array", "int32", 1),
    "TimeTagStreamBuffer.getEventTypes": ("array", "uint8", 1),
    "TimeTagStreamBuffer.getMissedEvents": ("array", "uint16", 1),
    "PulsePerSecondData.getStatus": ("array", "bool", 1),
    "TimeTagStream.getData": ("object:TimeTagStreamBuffer", "", 0),
    "SynchronizedMeasurements.getTagger": ("object:TimeTaggerBase", "", 0),
    "HistogramCustomBins.getDataObject": ("object:HistogramLogBinsData", "", 0),
    "TimeTaggerNetwork.getServers": ("object:TimeTaggerServer[]", "", 0),
    "Scope.getData": ("object:Event[][]", "", 0),
    "TimeTagger.getConfiguration": ("dict", "", 0),
    "TimeTagger.getChannelList": ("int[]", "", 0),
    "TimeTaggerServer.getAccessMode": ("enum:AccessMode", "", 0),
    "TimeTagger.getSerial": ("str", "", 0),
    "TimeTagger.setDeadtime": ("int", "", 0),
}


@pytest.mark.parametrize("name", RESULTS)
def test_results(catalog: Catalog, name: str) -> None:
    owner, _, own = name.rpartition(".")
    result = method(catalog.class_by_name[owner], own).result
    assert (result.type, result.dtype, result.ndim) == RESULTS[name]


def test_live_results_name_the_class(catalog: Catalog) -> None:
    assert method(catalog.class_by_name["TimeTaggerNetwork"], "getServers").result.live == "TimeTaggerServer"
    assert method(catalog.class_by_name["Correlation"], "getData").result.live == ""


def test_all_result_arrays_have_data_type_and_dimensions(catalog: Catalog) -> None:
    arrays = {name: spec.result for name, spec in calls(catalog) if spec.result.type == "array"}
    assert len(arrays) > 90
    assert {name for name, result in arrays.items() if not (result.dtype and result.ndim)} == set()


def test_properties(catalog: Catalog) -> None:
    buffer = {p.name: p.type for p in catalog.class_by_name["TimeTagStreamBuffer"].properties}
    assert buffer == {"hasOverflows": "bool", "size": "int", "tGetData": "int", "tStart": "int"}
    gate = {p.name: (p.type, p.writable) for p in catalog.class_by_name["ChannelGate"].properties}
    assert gate["initial"] == ("enum:GatedChannelInitial", False)
    assert [c.name for c in catalog.classes if any(p.type == "any" for p in c.properties)] == []


def test_owners_and_bases(catalog: Catalog) -> None:
    tagger = catalog.class_by_name["TimeTagger"]
    assert tagger.bases == ("TimeTaggerBase", "TimeTaggerSource", "TimeTaggerHardware")
    assert method(tagger, "setInputDelay").owner == "TimeTaggerSource"
    assert method(tagger, "reset").owner == "TimeTagger"
    assert catalog.class_by_name["Correlation"].bases == ("IteratorBase",)
    assert tagger.context
    assert catalog.class_by_name["Correlation"].context
    assert not catalog.class_by_name["Tag"].context


def test_nearly_all_parameters_have_a_type(catalog: Catalog) -> None:
    params = [(name, p.name, p.type) for name, spec in calls(catalog) for p in spec.params]
    unknown = [f"{name}({p})" for name, p, type_ in params if type_ == "any"]
    print(f"{len(params) - len(unknown)} of {len(params)} parameters have a known type; unknown: {unknown}")
    # `process` is written by the user, in Python; nothing else may be unknown.
    assert {u.partition("(")[0] for u in unknown} == {"CustomMeasurement.process"}
    assert len(params) > 480


def test_no_call_is_left_with_anonymous_arguments(catalog: Catalog) -> None:
    assert [name for name, spec in calls(catalog) if any(p.variadic for p in spec.params)] == []


NOT_FILES = {
    "FileWriter.setMarker(marker)": "text that is written into the file",
}


def test_every_parameter_that_speaks_of_a_file_is_marked(catalog: Catalog) -> None:
    """Access control rests on this: look at the words of every text parameter, not at the reader's rule."""
    marked, unmarked = {}, []
    for name, spec in calls(catalog):
        for param in spec.params:
            if "str" not in param.type and param.type != "any":
                assert not param.file
            elif param.file:
                marked[f"{name}({param.name})"] = param.file
            elif re.search(
                r"\bfile|filename|path|folder|director|\bdisc\b|\bdisk\b", f"{param.name} {param.doc}", re.I
            ):
                unmarked.append(f"{name}({param.name})")
    assert unmarked == list(NOT_FILES)
    assert marked == {
        "createTimeTaggerVirtual(filename)": "read",
        "mergeStreamFiles(output_filename)": "write",
        "mergeStreamFiles(input_filenames)": "read",
        "Dump(filename)": "write",
        "FileReader(filenames)": "read",
        "FileWriter(filename)": "write",
        "FileWriter.split(new_filename)": "write",
        "PulsePerSecondMonitor(filename)": "write",
        "TimeTaggerVirtual.appendFile(filename)": "read",
        "TimeTaggerVirtual.replay(file)": "read",
    }


def test_other_text_parameters_are_known_by_name(catalog: Catalog) -> None:
    """A new text parameter of a newer wheel has to be looked at before this passes."""
    texts = {f"{n}({p.name})" for n, s in calls(catalog) for p in s.params if "str" in p.type and not p.file}
    assert texts == {
        "FileWriter.setMarker(marker)",
        "Tag(reserved)",
        "TimeTagger.enableFpgaLink(destination_mac)",
        "TimeTagger.setServerAddress(ip_address)",
        "TimeTagger.xtra_enableStreamInterfaceUDP(pc_ip)",
        "TimeTagger.xtra_enableStreamInterfaceUDP(pc_mac)",
        "TimeTagger.xtra_enableStreamInterfaceUDP(tagger_ip)",
        "TimeTaggerNetwork.getServer(ip_address)",
        "CustomLogger.Log(msg)",
        "addUsageStatisticsFrontendData(json_payload)",
        "createTimeTagger(serial)",
        "createTimeTaggerNetwork(address)",
        "extractDeviceLicense(license)",
        "getTimeTaggerModel(serial)",
        "getTimeTaggerServerInfo(address)",
    }


def test_every_row_of_the_hidden_table_is_used_and_has_a_reason(catalog: Catalog) -> None:
    used = {h.name for h in catalog.hidden}
    # SWIG sets `this` on instances; older wheels show it on the class.
    assert used == HIDDEN.keys() - {"*.this"}
    assert all(len(h.reason) > 20 for h in catalog.hidden)


def test_documentation_is_kept(catalog: Catalog) -> None:
    correlation = catalog.class_by_name["Correlation"]
    assert correlation.constructor is not None
    assert "stop" in correlation.constructor.params[1].doc
    assert ":param" not in "".join(spec.doc for _, spec in calls(catalog))
    assert "Overload" not in "".join(spec.doc for _, spec in calls(catalog))
    assert len([c for c in catalog.classes if c.doc]) > 50


def test_plain_data_round_trip(catalog: Catalog) -> None:
    text = json.dumps(to_plain(catalog), separators=(",", ":"))
    assert from_plain(json.loads(text)) == catalog
    assert len(text) < 300_000
