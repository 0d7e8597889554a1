"""The version of the package; modules inside take it from here, so that they need not import the package itself."""

__version__ = "0.1.0"
