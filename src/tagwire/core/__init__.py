"""Values only: tag blocks, channel rules, enums, the catalog of an API module. No I/O, threads or clock."""
