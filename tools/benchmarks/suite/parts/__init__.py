"""The parts of the suite, in the order of the table. A part is a module with

    NAME         as on the command line, [a-z-]+
    DESCRIPTION  one line
    run(context) -> list[Row]    figures; plots go to context.add_plot()
"""

from parts import record

PARTS = {part.NAME: part for part in (record,)}
