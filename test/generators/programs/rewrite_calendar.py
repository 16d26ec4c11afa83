"""Reads a calendar from the standard input, and writes it again with the library that the argument names."""

import sys

text = sys.stdin.buffer.read()
if sys.argv[1] == "icalendar":
    from icalendar import Calendar

    sys.stdout.buffer.write(Calendar.from_ical(text).to_ical())
else:
    import vobject

    sys.stdout.write(vobject.readOne(text.decode()).serialize())
