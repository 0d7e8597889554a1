"""The Time Tagger API: the vendor's names, on Tagwire's engine.

A script written for the vendor's library runs on this module in its place::

    from tagwire import TimeTagger

    tagger = TimeTagger.createTimeTagger()
    tagger.setTestSignal([1, 2], True)
    correlation = TimeTagger.Correlation(tagger, 1, 2, binwidth=10, n_bins=1000)
    correlation.startFor(int(1e12))
    correlation.waitUntilFinished()

Times are int64 picoseconds; wrong arguments raise ValueError or TypeError, and what cannot be done RuntimeError (see
`tagwire.errors`).
"""

from typing import TYPE_CHECKING, NoReturn

from tagwire.core.channels import CHANNEL_UNUSED
from tagwire.core.enums import (
    AccessMode,
    ChannelEdge,
    CoincidenceTimestamp,
    FpgaLinkInterface,
    FrontendType,
    GatedChannelInitial,
    LanguageUsed,
    Resolution,
    TestSignalSource,
    UsageStatisticsStatus,
)
from tagwire.core.tag import Tag
from tagwire.core.tags import TagType
from tagwire.engine.clock_state import ReferenceClockState, SoftwareClockState
from tagwire.engine.device_settings import TimeTaggerSource
from tagwire.engine.iterator import IteratorBase
from tagwire.engine.left_out import missing
from tagwire.engine.tagger import TimeTaggerBase
from tagwire.measurements.correlation import Correlation
from tagwire.measurements.correlationpairs import CorrelationPairs, CorrelationPairsData
from tagwire.measurements.counter import Counter
from tagwire.measurements.counter_data import CounterData
from tagwire.measurements.countrate import Countrate
from tagwire.measurements.custom import CustomMeasurement, CustomMeasurementBase
from tagwire.measurements.fifo import Iterator
from tagwire.measurements.flim import Flim
from tagwire.measurements.flim_base import FlimAbstract, FlimBase
from tagwire.measurements.flim_frame import FlimFrameInfo
from tagwire.measurements.frequency_counter import FrequencyCounter
from tagwire.measurements.frequency_counter_data import FrequencyCounterData
from tagwire.measurements.frequency_stability import FrequencyStability, FrequencyStabilityData
from tagwire.measurements.gatedcounter import GatedCounter
from tagwire.measurements.gates import ChannelGate
from tagwire.measurements.histogram import Histogram
from tagwire.measurements.histogramnd import Histogram2D, HistogramND
from tagwire.measurements.logbins import HistogramCustomBins, HistogramLogBins
from tagwire.measurements.logbins_data import HistogramLogBinsData
from tagwire.measurements.markers import CountBetweenMarkers
from tagwire.measurements.phase_noise import PhaseNoise, PhaseNoiseData
from tagwire.measurements.pps import PulsePerSecondData, PulsePerSecondMonitor
from tagwire.measurements.sampler import Sampler
from tagwire.measurements.scope import Event, Scope
from tagwire.measurements.startstop import StartStop
from tagwire.measurements.stream import TimeTagStream, TimeTagStreamBuffer
from tagwire.measurements.timedifferences import TimeDifferences
from tagwire.measurements.timedifferencesnd import TimeDifferencesND
from tagwire.recording.dump import Dump
from tagwire.recording.merge import mergeStreamFiles
from tagwire.recording.reader import FileReader
from tagwire.recording.writer import FileWriter
from tagwire.simulation.experimental import Experimental
from tagwire.tagger.custom_logger import CustomLogger
from tagwire.tagger.devices import createTimeTagger, freeTimeTagger, getTimeTaggerModel, scanTimeTagger
from tagwire.tagger.hardware import TimeTaggerHardware
from tagwire.tagger.library import (
    LOGGER_ERROR,
    LOGGER_INFO,
    LOGGER_WARNING,
    getTimeTaggerChannelNumberScheme,
    getUsageStatisticsReport,
    getUsageStatisticsStatus,
    getVersion,
    hasTimeTaggerVirtualLicense,
    setFrontend,
    setLogger,
    setTimeTaggerChannelNumberScheme,
    setUsageStatisticsStatus,
)
from tagwire.tagger.network import (
    TimeTaggerNetwork,
    createTimeTaggerNetwork,
    getTimeTaggerServerInfo,
    scanTimeTaggerServers,
)
from tagwire.tagger.network_server import TimeTaggerServer
from tagwire.tagger.simulated import TimeTagger
from tagwire.tagger.synchronized import SynchronizedMeasurements
from tagwire.tagger.virtual import TimeTaggerVirtual, createTimeTaggerVirtual
from tagwire.virtual.coincidence import Coincidence, Coincidences
from tagwire.virtual.combinations import Combinations
from tagwire.virtual.combiner import Combiner
from tagwire.virtual.conditional import ConditionalFilterChannel
from tagwire.virtual.countrate_trigger import TriggerOnCountrate
from tagwire.virtual.delayed import DelayedChannel, DelayedChannels
from tagwire.virtual.discriminator import ConstantFractionDiscriminator
from tagwire.virtual.gated import GatedChannel, GatedChannels
from tagwire.virtual.generator import EventGenerator
from tagwire.virtual.multiplier import FrequencyMultiplier
from tagwire.virtual.overflow import OverflowInjector
from tagwire.virtual.synthetic import SyntheticSingleTag

AccessMode_Listen = AccessMode.Listen.value
AccessMode_SynchronousListen = AccessMode.SynchronousListen.value
AccessMode_Control = AccessMode.Control.value
AccessMode_SynchronousControl = AccessMode.SynchronousControl.value
ChannelEdge_All = ChannelEdge.All.value
ChannelEdge_Rising = ChannelEdge.Rising.value
ChannelEdge_Falling = ChannelEdge.Falling.value
ChannelEdge_HighResAll = ChannelEdge.HighResAll.value
ChannelEdge_HighResRising = ChannelEdge.HighResRising.value
ChannelEdge_HighResFalling = ChannelEdge.HighResFalling.value
ChannelEdge_StandardAll = ChannelEdge.StandardAll.value
ChannelEdge_StandardRising = ChannelEdge.StandardRising.value
ChannelEdge_StandardFalling = ChannelEdge.StandardFalling.value
CoincidenceTimestamp_Last = CoincidenceTimestamp.Last.value
CoincidenceTimestamp_Average = CoincidenceTimestamp.Average.value
CoincidenceTimestamp_First = CoincidenceTimestamp.First.value
CoincidenceTimestamp_ListedFirst = CoincidenceTimestamp.ListedFirst.value
FpgaLinkInterface_SFPP_10GE = FpgaLinkInterface.SFPP_10GE.value
FpgaLinkInterface_QSFPP_40GE = FpgaLinkInterface.QSFPP_40GE.value
FrontendType_Undefined = FrontendType.Undefined.value
FrontendType_WebApp = FrontendType.WebApp.value
FrontendType_Firefly = FrontendType.Firefly.value
FrontendType_Pyro5RPC = FrontendType.Pyro5RPC.value
FrontendType_UserFrontend = FrontendType.UserFrontend.value
FrontendType_DLScat = 5
GatedChannelInitial_Closed = GatedChannelInitial.Closed.value
GatedChannelInitial_Open = GatedChannelInitial.Open.value
LanguageUsed_Cpp = LanguageUsed.Cpp.value
LanguageUsed_Python = LanguageUsed.Python.value
LanguageUsed_Csharp = LanguageUsed.Csharp.value
LanguageUsed_Matlab = LanguageUsed.Matlab.value
LanguageUsed_Labview = LanguageUsed.Labview.value
LanguageUsed_Mathematica = LanguageUsed.Mathematica.value
LanguageUsed_Unknown = LanguageUsed.Unknown.value
Resolution_Standard = Resolution.Standard.value
Resolution_HighResA = Resolution.HighResA.value
Resolution_HighResB = Resolution.HighResB.value
Resolution_HighResC = Resolution.HighResC.value
TestSignalSource_Digital = TestSignalSource.Digital.value
TestSignalSource_Analog = TestSignalSource.Analog.value
UsageStatisticsStatus_Disabled = UsageStatisticsStatus.Disabled.value
UsageStatisticsStatus_Collecting = UsageStatisticsStatus.Collecting.value
UsageStatisticsStatus_CollectingAndUploading = UsageStatisticsStatus.CollectingAndUploading.value

TT_CHANNEL_RISING_AND_FALLING_EDGES = 0
TT_CHANNEL_RISING_EDGES = 1
TT_CHANNEL_FALLING_EDGES = 2

UNKNOWN = 0
HIGH = 1
LOW = 2

__all__ = [
    "CHANNEL_UNUSED",
    "HIGH",
    "LOGGER_ERROR",
    "LOGGER_INFO",
    "LOGGER_WARNING",
    "LOW",
    "TT_CHANNEL_FALLING_EDGES",
    "TT_CHANNEL_RISING_AND_FALLING_EDGES",
    "TT_CHANNEL_RISING_EDGES",
    "UNKNOWN",
    "AccessMode",
    "AccessMode_Control",
    "AccessMode_Listen",
    "AccessMode_SynchronousControl",
    "AccessMode_SynchronousListen",
    "ChannelEdge",
    "ChannelEdge_All",
    "ChannelEdge_Falling",
    "ChannelEdge_HighResAll",
    "ChannelEdge_HighResFalling",
    "ChannelEdge_HighResRising",
    "ChannelEdge_Rising",
    "ChannelEdge_StandardAll",
    "ChannelEdge_StandardFalling",
    "ChannelEdge_StandardRising",
    "ChannelGate",
    "Coincidence",
    "CoincidenceTimestamp",
    "CoincidenceTimestamp_Average",
    "CoincidenceTimestamp_First",
    "CoincidenceTimestamp_Last",
    "CoincidenceTimestamp_ListedFirst",
    "Coincidences",
    "Combinations",
    "Combiner",
    "ConditionalFilterChannel",
    "ConstantFractionDiscriminator",
    "Correlation",
    "CorrelationPairs",
    "CorrelationPairsData",
    "CountBetweenMarkers",
    "Counter",
    "CounterData",
    "Countrate",
    "CustomLogger",
    "CustomMeasurement",
    "CustomMeasurementBase",
    "DelayedChannel",
    "DelayedChannels",
    "Dump",
    "Event",
    "EventGenerator",
    "Experimental",
    "FileReader",
    "FileWriter",
    "Flim",
    "FlimAbstract",
    "FlimBase",
    "FlimFrameInfo",
    "FpgaLinkInterface",
    "FpgaLinkInterface_QSFPP_40GE",
    "FpgaLinkInterface_SFPP_10GE",
    "FrequencyCounter",
    "FrequencyCounterData",
    "FrequencyMultiplier",
    "FrequencyStability",
    "FrequencyStabilityData",
    "FrontendType",
    "FrontendType_DLScat",
    "FrontendType_Firefly",
    "FrontendType_Pyro5RPC",
    "FrontendType_Undefined",
    "FrontendType_UserFrontend",
    "FrontendType_WebApp",
    "GatedChannel",
    "GatedChannelInitial",
    "GatedChannelInitial_Closed",
    "GatedChannelInitial_Open",
    "GatedChannels",
    "GatedCounter",
    "Histogram",
    "Histogram2D",
    "HistogramCustomBins",
    "HistogramLogBins",
    "HistogramLogBinsData",
    "HistogramND",
    "Iterator",
    "IteratorBase",
    "LanguageUsed",
    "LanguageUsed_Cpp",
    "LanguageUsed_Csharp",
    "LanguageUsed_Labview",
    "LanguageUsed_Mathematica",
    "LanguageUsed_Matlab",
    "LanguageUsed_Python",
    "LanguageUsed_Unknown",
    "OverflowInjector",
    "PhaseNoise",
    "PhaseNoiseData",
    "PulsePerSecondData",
    "PulsePerSecondMonitor",
    "ReferenceClockState",
    "Resolution",
    "Resolution_HighResA",
    "Resolution_HighResB",
    "Resolution_HighResC",
    "Resolution_Standard",
    "Sampler",
    "Scope",
    "SoftwareClockState",
    "StartStop",
    "SynchronizedMeasurements",
    "SyntheticSingleTag",
    "Tag",
    "TagType",
    "TestSignalSource",
    "TestSignalSource_Analog",
    "TestSignalSource_Digital",
    "TimeDifferences",
    "TimeDifferencesND",
    "TimeTagStream",
    "TimeTagStreamBuffer",
    "TimeTagger",
    "TimeTaggerBase",
    "TimeTaggerHardware",
    "TimeTaggerNetwork",
    "TimeTaggerServer",
    "TimeTaggerSource",
    "TimeTaggerVirtual",
    "TriggerOnCountrate",
    "UsageStatisticsStatus",
    "UsageStatisticsStatus_Collecting",
    "UsageStatisticsStatus_CollectingAndUploading",
    "UsageStatisticsStatus_Disabled",
    "createTimeTagger",
    "createTimeTaggerNetwork",
    "createTimeTaggerVirtual",
    "freeTimeTagger",
    "getTimeTaggerChannelNumberScheme",
    "getTimeTaggerModel",
    "getTimeTaggerServerInfo",
    "getUsageStatisticsReport",
    "getUsageStatisticsStatus",
    "getVersion",
    "hasTimeTaggerVirtualLicense",
    "mergeStreamFiles",
    "scanTimeTagger",
    "scanTimeTaggerServers",
    "setFrontend",
    "setLogger",
    "setTimeTaggerChannelNumberScheme",
    "setUsageStatisticsStatus",
]

if not TYPE_CHECKING:  # else type checkers would take every name for granted

    def __getattr__(name: str) -> NoReturn:
        raise AttributeError(missing(f"module {__name__!r}", name))
