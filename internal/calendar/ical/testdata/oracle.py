"""Expands iCalendar texts with python3-recurring-ical-events, for comparison.

Reads a JSON object a line: {"ics": TEXT, "from": SECONDS, "to": SECONDS}, instants since 1970.
Answers each with a line: {"found": [[START, END, SUMMARY, STATUS], ...]} or {"error": TEXT}. Times
are seconds since 1970; days are "YYYY-MM-DD".
"""
import datetime
import json
import sys

import icalendar
import recurring_ical_events


def instant(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)


def written(when):
    if not isinstance(when, datetime.datetime):
        return when.isoformat()
    if when.tzinfo is None:
        when = when.replace(tzinfo=datetime.timezone.utc)
    return int(when.timestamp())


def expand(asked):
    calendar = icalendar.Calendar.from_ical(asked["ics"])
    events = recurring_ical_events.of(calendar).between(instant(asked["from"]), instant(asked["to"]))
    return [
        [written(e["DTSTART"].dt), written(e["DTEND"].dt), str(e.get("SUMMARY", "")), str(e.get("STATUS", ""))]
        for e in events
    ]


print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    try:
        answer = {"found": expand(json.loads(line))}
    except Exception as e:  # whatever it is, it is this text's answer
        answer = {"error": repr(e)}
    print(json.dumps(answer), flush=True)
