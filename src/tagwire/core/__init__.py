"""Values only: tag blocks, channel rules, enums, settings and the catalog of an API module. No I/O, threads or clock."""
