"""The parts of the suite, in the order of the table. A part is a module with

    NAME         as on the command line, [a-z-]+
    DESCRIPTION  one line
    run(context) -> list[Row]    figures; plots go to context.add_plot(), other tables to add_text()
"""

from parts import (
    batches,
    client_cpu,
    connections,
    export,
    lines,
    memory,
    metrics_api,
    micro,
    monitoring,
    obvious,
    peers,
    percentiles,
    record,
    render,
    scrape,
    series,
    state,
)

PARTS = {
    part.NAME: part
    for part in (
        record,
        micro,
        metrics_api,
        client_cpu,
        lines,
        batches,
        obvious,
        connections,
        series,
        scrape,
        render,
        memory,
        monitoring,
        state,
        percentiles,
        export,
        peers,
    )
}
