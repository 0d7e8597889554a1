"""``python -m tagwire`` is the command line."""

from tagwire.cli import main

main(prog_name="tagwire")
