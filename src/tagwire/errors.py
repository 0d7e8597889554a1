"""What can go wrong, as one tree.

Every error of ours is a `TagwireError` and at the same time the builtin that the vendor's library raises in the
same situation, so that ``except RuntimeError`` in an existing script goes on working::

    TagwireError
    ├── ArgumentError           (ValueError)    a value outside its allowed range
    ├── ArgumentKindError       (TypeError)     a value of a kind that is not accepted
    ├── StateError              (RuntimeError)  a call that does not fit the present state: a freed tagger ...
    ├── NoDevice                (RuntimeError)  no Time Tagger to open, or the one asked for is taken
    ├── NotAllowed              (RuntimeError)  your role, or somebody's control of the instrument, forbids it
    ├── LimitReached            (RuntimeError)  the server does not give one client more of it
    ├── NotSupported            (RuntimeError)  this model or this build cannot do it
    ├── EndOfFeed               (RuntimeError)  a stream of tags that has ended, or was broken off
    ├── DamagedFrame            (ValueError)    bytes that are no packed frame, or not a whole one
    ├── FileUnreadable          (RuntimeError)  a recording that cannot be opened or understood
    ├── FileUnwritable          (RuntimeError)  a recording that cannot be written
    ├── FileRefused             (RuntimeError)  a file outside the folder that the server shares
    ├── ConfigurationError      (ValueError)    something in the configuration file is not understood
    ├── KeysUnusable            (RuntimeError)  keys or tokens are missing, damaged, or open to others
    └── RemoteError             (RuntimeError)
        ├── ServerUnreachable                   nobody answers at the address
        │   └── ServerGone                      nobody answers any more, for a while now
        ├── ServerNotTrusted                    the server is not the expected one, or speaks no TLS
        ├── AccessRefused                       the server asks for a token and got no right one
        ├── ConnectionBroken                    the peer went away in the middle
        ├── ConnectionClosed                    you closed it
        ├── ObjectGone                          the remote object was freed
        ├── AccountsDiffer                      the tags received are not those that were sent
        └── ProtocolError                       the peer speaks something else
"""


class TagwireError(Exception):
    """Root of all errors that Tagwire raises on purpose."""


class ArgumentError(TagwireError, ValueError):
    """A value is outside its allowed range; the message names both."""


class ArgumentKindError(TagwireError, TypeError):
    """A value is of a kind that is not accepted (a fractional number where an integer is needed, ...)."""


class StateError(TagwireError, RuntimeError):
    """The call does not fit the present state of the object."""


class NoDevice(TagwireError, RuntimeError):
    """There is no Time Tagger to open, or the one asked for is in use."""


class NotAllowed(TagwireError, RuntimeError):
    """The caller's role, or another client that has taken control of the instrument, forbids the call."""


class LimitReached(TagwireError, RuntimeError):
    """The server gives one client no more of what was asked for; the message says how many there are."""


class NotSupported(TagwireError, RuntimeError):
    """The model or this installation cannot do what was asked; the message says which could."""


class EndOfFeed(TagwireError, RuntimeError):
    """A stream of tags has ended; the message says what broke it off, if anything did."""


class DamagedFrame(TagwireError, ValueError):
    """Bytes are no packed frame, or not a whole one; the message says what is wrong."""


class FileUnreadable(TagwireError, RuntimeError):
    """A recording cannot be opened or understood."""


class FileUnwritable(TagwireError, RuntimeError):
    """A recording cannot be written: no such folder, no permission, no room ..."""


class FileRefused(TagwireError, RuntimeError):
    """A remote call named a file outside the folder that the server shares."""


class ConfigurationError(TagwireError, ValueError):
    """The configuration file cannot be read, or has an unknown key or an impossible value; the message names it."""


class KeysUnusable(TagwireError, RuntimeError):
    """Keys or tokens are missing or damaged, or others can read them; the message says what to do."""


class RemoteError(TagwireError, RuntimeError):
    """Something between client and server went wrong."""


class ServerUnreachable(RemoteError):
    """Nobody answers at the address."""


class ServerNotTrusted(RemoteError):
    """The server shows another fingerprint than the one expected, or does not speak TLS; nothing was sent to it."""


class AccessRefused(RemoteError):
    """The server asks for a token, and none or an unknown one was shown."""


class ServerGone(ServerUnreachable):
    """The server answered before and does not any more, although the client tried for a while."""


class ConnectionBroken(RemoteError):
    """The peer went away in the middle of a call; whether the call was executed is unknown."""


class ConnectionClosed(RemoteError):
    """The connection was closed by its owner before this call."""


class ObjectGone(RemoteError):
    """The remote object does not exist any more."""


class AccountsDiffer(RemoteError):
    """The tags that came over a network, and those reported as missing, do not add up to those that were sent."""


class ProtocolError(RemoteError):
    """The peer speaks something else, or sent bytes that make no sense."""
