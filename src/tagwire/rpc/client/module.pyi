"""The module stand-in that `tagwire.connect` returns, with the API's names.

Written by tools/make_stubs.py; do not edit.
"""

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self

from tagwire.rpc import api
from tagwire.rpc.client.client_control import ControlLease
from tagwire.rpc.client.session_view import SessionView

def connect(
    host: str = "localhost",
    port: int = 23000,
    *,
    token: str | None = None,
    tls: bool | None = None,
    fingerprint: str | None = None,
    session: str | None = None,
) -> RemoteModule: ...

# At run time this is a ModuleType too. A type checker must not know: it takes every unknown name of a module for Any,
# and would not find a misspelled one.
class RemoteModule:
    def close(self) -> None: ...
    @property
    def session(self) -> SessionView: ...
    def control(self, tagger: Any = None, *, lease_s: float = 60.0, force: bool = False) -> ControlLease: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    AccessMode_Control: int
    AccessMode_Listen: int
    AccessMode_SynchronousControl: int
    AccessMode_SynchronousListen: int
    CHANNEL_UNUSED: int
    ChannelEdge_All: int
    ChannelEdge_Falling: int
    ChannelEdge_HighResAll: int
    ChannelEdge_HighResFalling: int
    ChannelEdge_HighResRising: int
    ChannelEdge_Rising: int
    ChannelEdge_StandardAll: int
    ChannelEdge_StandardFalling: int
    ChannelEdge_StandardRising: int
    CoincidenceTimestamp_Average: int
    CoincidenceTimestamp_First: int
    CoincidenceTimestamp_Last: int
    CoincidenceTimestamp_ListedFirst: int
    FpgaLinkInterface_QSFPP_40GE: int
    FpgaLinkInterface_SFPP_10GE: int
    FrontendType_DLScat: int
    FrontendType_Firefly: int
    FrontendType_Pyro5RPC: int
    FrontendType_Undefined: int
    FrontendType_UserFrontend: int
    FrontendType_WebApp: int
    GatedChannelInitial_Closed: int
    GatedChannelInitial_Open: int
    HIGH: int
    LOGGER_ERROR: int
    LOGGER_INFO: int
    LOGGER_WARNING: int
    LOW: int
    LanguageUsed_Cpp: int
    LanguageUsed_Csharp: int
    LanguageUsed_Labview: int
    LanguageUsed_Mathematica: int
    LanguageUsed_Matlab: int
    LanguageUsed_Python: int
    LanguageUsed_Unknown: int
    Resolution_HighResA: int
    Resolution_HighResB: int
    Resolution_HighResC: int
    Resolution_Standard: int
    TT_CHANNEL_FALLING_EDGES: int
    TT_CHANNEL_RISING_AND_FALLING_EDGES: int
    TT_CHANNEL_RISING_EDGES: int
    TestSignalSource_Analog: int
    TestSignalSource_Digital: int
    UNKNOWN: int
    UsageStatisticsStatus_Collecting: int
    UsageStatisticsStatus_CollectingAndUploading: int
    UsageStatisticsStatus_Disabled: int
    AccessMode: type[api.AccessMode]
    ChannelEdge: type[api.ChannelEdge]
    ChannelGate: type[api.ChannelGate]
    Coincidence: type[api.Coincidence]
    CoincidenceTimestamp: type[api.CoincidenceTimestamp]
    Coincidences: type[api.Coincidences]
    Combinations: type[api.Combinations]
    Combiner: type[api.Combiner]
    ConditionalFilterChannel: type[api.ConditionalFilterChannel]
    ConstantFractionDiscriminator: type[api.ConstantFractionDiscriminator]
    Correlation: type[api.Correlation]
    CorrelationPairs: type[api.CorrelationPairs]
    CorrelationPairsData: type[api.CorrelationPairsData]
    CountBetweenMarkers: type[api.CountBetweenMarkers]
    Counter: type[api.Counter]
    CounterData: type[api.CounterData]
    Countrate: type[api.Countrate]
    CustomMeasurement: type[api.CustomMeasurement]
    CustomMeasurementBase: type[api.CustomMeasurementBase]
    DelayedChannel: type[api.DelayedChannel]
    DelayedChannels: type[api.DelayedChannels]
    Dump: type[api.Dump]
    Event: type[api.Event]
    EventGenerator: type[api.EventGenerator]
    Experimental: type[api.Experimental]
    FileReader: type[api.FileReader]
    FileWriter: type[api.FileWriter]
    Flim: type[api.Flim]
    FlimAbstract: type[api.FlimAbstract]
    FlimBase: type[api.FlimBase]
    FlimFrameInfo: type[api.FlimFrameInfo]
    FpgaLinkInterface: type[api.FpgaLinkInterface]
    FrequencyCounter: type[api.FrequencyCounter]
    FrequencyCounterData: type[api.FrequencyCounterData]
    FrequencyMultiplier: type[api.FrequencyMultiplier]
    FrequencyStability: type[api.FrequencyStability]
    FrequencyStabilityData: type[api.FrequencyStabilityData]
    FrontendType: type[api.FrontendType]
    GatedChannel: type[api.GatedChannel]
    GatedChannelInitial: type[api.GatedChannelInitial]
    GatedChannels: type[api.GatedChannels]
    GatedCounter: type[api.GatedCounter]
    Histogram: type[api.Histogram]
    Histogram2D: type[api.Histogram2D]
    HistogramCustomBins: type[api.HistogramCustomBins]
    HistogramLogBins: type[api.HistogramLogBins]
    HistogramLogBinsData: type[api.HistogramLogBinsData]
    HistogramND: type[api.HistogramND]
    Iterator: type[api.Iterator]
    IteratorBase: type[api.IteratorBase]
    LanguageUsed: type[api.LanguageUsed]
    OverflowInjector: type[api.OverflowInjector]
    PhaseNoise: type[api.PhaseNoise]
    PhaseNoiseData: type[api.PhaseNoiseData]
    PulsePerSecondData: type[api.PulsePerSecondData]
    PulsePerSecondMonitor: type[api.PulsePerSecondMonitor]
    ReferenceClockState: type[api.ReferenceClockState]
    Resolution: type[api.Resolution]
    Sampler: type[api.Sampler]
    Scope: type[api.Scope]
    SoftwareClockState: type[api.SoftwareClockState]
    StartStop: type[api.StartStop]
    SynchronizedMeasurements: type[api.SynchronizedMeasurements]
    SyntheticSingleTag: type[api.SyntheticSingleTag]
    Tag: type[api.Tag]
    TagType: type[api.TagType]
    TestSignalSource: type[api.TestSignalSource]
    TimeDifferences: type[api.TimeDifferences]
    TimeDifferencesND: type[api.TimeDifferencesND]
    TimeTagStream: type[api.TimeTagStream]
    TimeTagStreamBuffer: type[api.TimeTagStreamBuffer]
    TimeTagger: type[api.TimeTagger]
    TimeTaggerBase: type[api.TimeTaggerBase]
    TimeTaggerHardware: type[api.TimeTaggerHardware]
    TimeTaggerNetwork: type[api.TimeTaggerNetwork]
    TimeTaggerServer: type[api.TimeTaggerServer]
    TimeTaggerSource: type[api.TimeTaggerSource]
    TimeTaggerVirtual: type[api.TimeTaggerVirtual]
    TriggerOnCountrate: type[api.TriggerOnCountrate]
    UsageStatisticsStatus: type[api.UsageStatisticsStatus]
    def addUsageStatisticsFrontendData(
        self, frontend_session_id: api.IntLike, json_payload: str, tagger: api.TimeTaggerBase | None = ...
    ) -> None: ...
    def createTimeTagger(self, serial: str = ..., resolution: api.Resolution | int = ...) -> api.TimeTagger: ...
    def createTimeTaggerNetwork(self, address: str | Sequence[str] = ...) -> api.TimeTaggerNetwork: ...
    def createTimeTaggerVirtual(
        self, filename: str = ..., begin: api.IntLike = ..., duration: api.IntLike = ...
    ) -> api.TimeTaggerVirtual: ...
    def extractDeviceLicense(self, license: str) -> dict[str, Any]: ...
    def freeTimeTagger(self, tagger: api.TimeTaggerBase) -> None: ...
    def getCompilationTimestamp(self) -> int: ...
    def getCompilerVersion(self) -> str: ...
    def getTimeTaggerChannelNumberScheme(self) -> int: ...
    def getTimeTaggerModel(self, serial: str) -> str: ...
    def getTimeTaggerServerInfo(self, address: str = ...) -> dict[str, Any]: ...
    def getUsageStatisticsReport(self) -> str: ...
    def getUsageStatisticsStatus(self) -> api.UsageStatisticsStatus: ...
    def getVersion(self) -> str: ...
    def hasTimeTaggerVirtualLicense(self) -> bool: ...
    def mergeStreamFiles(
        self,
        output_filename: str,
        input_filenames: Sequence[str],
        channel_offsets: api.IntsLike,
        time_offsets: api.IntsLike,
        overlap_only: bool,
    ) -> None: ...
    def scanTimeTagger(self, include_model_name: bool = ...) -> tuple[str, ...]: ...
    def scanTimeTaggerServers(self) -> tuple[str, ...]: ...
    def setFrontend(self, frontend: api.FrontendType | int) -> None: ...
    def setTimeTaggerChannelNumberScheme(self, scheme: api.IntLike) -> None: ...
    def setUsageStatisticsStatus(
        self, new_status: api.UsageStatisticsStatus | int, persistent_config: bool = ...
    ) -> None: ...
    def setLogger(self, callback: Callable[[int, str], object] | None) -> None: ...
