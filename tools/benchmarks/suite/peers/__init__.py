"""The daemons that people would pick instead, each told of the same events in its own words by metricsd_load."""
